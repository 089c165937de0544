import type { BucketCredentialSource } from './credentials/credentials.ts'
import type { BucketRetryOptions } from './requests/request-budget.ts'
import type { BucketTimeouts } from './transport/wire.ts'

/** Options of {@link openBucket}. */
export interface BucketOptions {
  /** Name of the bucket; it has to exist. */
  readonly bucket: string
  /** Text before all keys; a slash is added to its end. @defaultValue none: the whole bucket */
  readonly prefix?: string | undefined
  /**
   * Address of the service, such as `https://s3.example`. @defaultValue `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` of
   * the environment, else `endpoint_url` of the profile, else AWS in `region`
   */
  readonly endpoint?: string | undefined
  /**
   * Region of the bucket. @defaultValue `AWS_REGION` or `AWS_DEFAULT_REGION` of the environment, else `region` of the
   * profile, else `us-east-1`
   */
  readonly region?: string | undefined
  /** Key, or a function that is asked for one. @defaultValue environment, then the shared files of the tools of AWS */
  readonly credentials?: BucketCredentialSource | undefined
  /**
   * The bucket is part of the path instead of the host name. @defaultValue `true`, but `false` for AWS unless the name
   * of the bucket has a dot
   */
  readonly pathStyle?: boolean | undefined
  /** Allow plain http to other hosts than this machine. @defaultValue `false` */
  readonly allowHttp?: boolean | undefined
  /** Certificate authorities trusted besides the built-in ones, PEM. */
  readonly ca?: string | readonly string[] | undefined
  /** Time limits. */
  readonly timeouts?: Partial<BucketTimeouts> | undefined
  /** Retries of transient failures. */
  readonly retry?: BucketRetryOptions | undefined
  /** Variables that take the place of `process.env`. */
  readonly environment?: NodeJS.ProcessEnv | undefined
}
