import type { AbortOptions } from '../../../internal/abort.ts'
import { bucketErrorOf, wireFaultOf } from '../answers/answer-fault.ts'
import type { S3Request } from '../requests/requester.ts'
import { encodePath } from '../signing/encode.ts'
import type { BucketScope } from './bucket-scope.ts'

/** Copies an object inside the bucket. Resolves to `false` if there is none. */
export async function copyObject(
  scope: BucketScope,
  bucket: string,
  { from, to }: { readonly from: string; readonly to: string },
  options?: AbortOptions,
): Promise<boolean> {
  const request: S3Request = {
    method: 'PUT',
    key: scope.keyOf(to),
    headers: { 'x-amz-copy-source': `/${bucket}/${encodePath(scope.keyOf(from))}` },
    accept: [404],
    mayFailLate: true,
    signal: options?.signal,
  }
  const { answer } = await scope.requester.send(request)
  if (answer.status !== 404) return true
  const fault = wireFaultOf(answer)
  if (fault.code !== 'NoSuchKey') throw bucketErrorOf(answer, fault, scope.requester.placeOf(request))
  return false
}
