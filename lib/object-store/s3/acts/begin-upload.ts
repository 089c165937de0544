import { randomUUID } from 'node:crypto'
import type { AbortOptions } from '../../../internal/abort.ts'
import { documentOf } from '../answers/read-answer.ts'
import { textOf } from '../answers/read-xml.ts'
import type { S3Request } from '../requests/requester.ts'
import type { BucketScope } from './bucket-scope.ts'
import { WRITE_HEADER } from './object-facts.ts'
import { joinUploadId } from './upload-id.ts'

/** Begins an upload. */
export async function beginUpload(
  scope: BucketScope,
  key: string,
  options: AbortOptions & { readonly contentType?: string | undefined } = {},
): Promise<string> {
  const { contentType = 'application/octet-stream', signal } = options
  const write = randomUUID()
  const headers = { 'content-type': contentType, [WRITE_HEADER]: write }
  const request: S3Request = { method: 'POST', key: scope.keyOf(key), query: [['uploads', '']], headers, signal }
  const { answer } = await scope.requester.send(request)
  try {
    const wire = textOf(documentOf(answer, 'InitiateMultipartUploadResult'), 'UploadId')
    if (!wire) throw new Error('no id of the upload')
    return joinUploadId({ wire, write })
  } catch (cause) {
    throw scope.requester.protocolError(request, cause)
  }
}
