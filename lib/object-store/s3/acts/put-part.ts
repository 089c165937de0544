import type { AbortOptions } from '../../../internal/abort.ts'
import { invalidArgument } from '../../../internal/invalid-argument.ts'
import type { S3Request } from '../requests/requester.ts'
import type { BucketScope } from './bucket-scope.ts'
import { bodyOf } from './put-object.ts'
import { splitUploadId } from './upload-id.ts'

/** SPEC: number of the last part that an upload may have. */
const MOST_PARTS = 10_000

/** An upload of one object. */
export interface UploadPlace {
  readonly key: string
  readonly uploadId: string
}

/** Stores one part; resolves to its ETag. */
export async function putPart(
  scope: BucketScope,
  { key, uploadId, number }: UploadPlace & { readonly number: number },
  bytes: Uint8Array,
  options: AbortOptions & { readonly sha256?: string | undefined } = {},
): Promise<string> {
  if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS) {
    throw invalidArgument('number', `a number from 1 to ${MOST_PARTS}`, number)
  }
  const request: S3Request = {
    method: 'PUT',
    key: scope.keyOf(key),
    query: [
      ['partNumber', String(number)],
      ['uploadId', splitUploadId(uploadId).wire],
    ],
    body: bodyOf(bytes, options.sha256),
    signal: options.signal,
  }
  const { answer } = await scope.requester.send(request)
  const { etag } = answer.headers
  if (!etag) throw scope.requester.protocolError(request, new Error('no ETag of the part'))
  return etag
}
