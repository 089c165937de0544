/** Key of an account of object storage. The objects that the packages of AWS return fit. */
export interface BucketCredentials {
  /** Public part of the key. */
  readonly accessKeyId: string
  /** Secret part of the key. */
  readonly secretAccessKey: string
  /** Token of a temporary key. */
  readonly sessionToken?: string | undefined
  /** End of a temporary key; the source is asked again one minute before it. */
  readonly expiration?: Date | undefined
}

/** A key, or a function that is called for one: at the first request, and again before the key ends. */
export type BucketCredentialSource = BucketCredentials | (() => BucketCredentials | PromiseLike<BucketCredentials>)
