import { signHeaders } from '../../lib/object-store/s3/signing/sign-headers.ts'
import { fetchUntil } from './fetch-until.ts'

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** A started engine that speaks S3, with a user that may make buckets. */
export interface S3Engine {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** Makes a bucket. Daemons behind a gateway that has just started may not answer it yet. */
export async function createBucket({ endpoint, region, credentials }: S3Engine, bucket: string): Promise<void> {
  const url = new URL(`/${bucket}`, endpoint)
  const request = { method: 'PUT', path: url.pathname, query: [], headers: { host: url.host }, payloadHash: EMPTY }
  const answer = await fetchUntil(url, {
    method: 'PUT',
    // The date of a signature is that of its try.
    headers: () => signHeaders(request, credentials, { time: Date.now(), region }),
  })
  if (!answer.ok) throw new Error(`bucket ${bucket} was not made: ${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
}
