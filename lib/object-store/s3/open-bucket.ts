import { assertOptions } from '../../internal/assert-kind.ts'
import type { Bucket } from './bucket.ts'
import type { BucketOptions } from './bucket-options.ts'
import { CredentialCache } from './credentials/credential-cache.ts'
import { findBucketCredentials } from './credentials/find-bucket-credentials.ts'
import { readSharedFiles } from './credentials/shared-files.ts'
import { findBucketPlace } from './find-bucket-place.ts'
import { Requester } from './requests/requester.ts'
import { S3Bucket } from './s3-bucket.ts'
import { HttpClient } from './transport/http-client.ts'

const TIMEOUTS = { connectMs: 10_000, answerMs: 60_000, idleMs: 30_000 }

/**
 * Opens a bucket of object storage that speaks the S3 protocol. Sends no request.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT` for an unusable option, such as plain http to another machine;
 *   `BucketError` `ERR_BUCKET_CREDENTIALS` if a shared file of settings cannot be read.
 * @example
 * ```ts
 * const bucket = await openBucket({ bucket: 'images', prefix: 'team', region: 'eu-central-1' })
 * for await (const { key, size } of bucket.list('')) console.log(key, size)
 * ```
 */
export async function openBucket(options: BucketOptions): Promise<Bucket> {
  assertOptions(options)
  const environment = options.environment ?? process.env
  // PERF: the files are read only if the options leave something to them.
  const isComplete = options.credentials && options.region && options.endpoint
  const place = findBucketPlace(options, environment, isComplete ? {} : await readSharedFiles(environment))
  const { retry = {}, ca } = options
  const client = new HttpClient({
    origin: place.origin,
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    ca: typeof ca === 'string' ? [ca] : ca,
  })
  const credentials = new CredentialCache(options.credentials ?? (() => findBucketCredentials(environment)))
  const requester = new Requester({ ...place, credentials, client, retry })
  return new S3Bucket({ requester, client, place, retry })
}
