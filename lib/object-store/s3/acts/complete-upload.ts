import type { AbortOptions } from '../../../internal/abort.ts'
import { bucketErrorOf, wireFaultOf } from '../answers/answer-fault.ts'
import { documentOf, type ReadAnswer, serverTimeOf } from '../answers/read-answer.ts'
import { textOf } from '../answers/read-xml.ts'
import type { PutObjectOptions, PutResult } from '../bucket.ts'
import type { S3Request, SentRequest } from '../requests/requester.ts'
import type { BucketScope } from './bucket-scope.ts'
import { headObject } from './head-object.ts'
import { bodyOf, conditionHeaders } from './put-object.ts'
import type { UploadPlace } from './put-part.ts'
import { splitUploadId } from './upload-id.ts'
import { xmlText } from './xml-text.ts'

/** A service that joins thousands of parts answers late. */
const ANSWER_MS = 300_000

/** Options of {@link completeUpload}. */
export interface CompleteOptions extends AbortOptions, Pick<PutObjectOptions, 'ifNoneMatch'> {}

/** Makes the object of its parts. */
export async function completeUpload(
  scope: BucketScope,
  place: UploadPlace,
  parts: readonly { readonly number: number; readonly etag: string }[],
  options: CompleteOptions = {},
): Promise<PutResult> {
  const request: S3Request = {
    method: 'POST',
    key: scope.keyOf(place.key),
    query: [['uploadId', splitUploadId(place.uploadId).wire]],
    headers: { 'content-type': 'application/xml', ...conditionHeaders(options) },
    body: bodyOf(documentFor(parts), undefined),
    accept: [404, 412],
    mayFailLate: true,
    answerMs: ANSWER_MS,
    signal: options.signal,
  }
  const sent = await scope.requester.send(request)
  if (sent.answer.status >= 400) return judged(scope, place, request, sent)
  return completed(scope, place, request, sent.answer)
}

function documentFor(parts: readonly { readonly number: number; readonly etag: string }[]): Uint8Array {
  const sorted = [...parts].sort((a, b) => a.number - b.number)
  const items = sorted.map(
    ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${xmlText(etag)}</ETag></Part>`,
  )
  const space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  return Buffer.from(`<CompleteMultipartUpload ${space}>${items.join('')}</CompleteMultipartUpload>`)
}

async function completed(scope: BucketScope, { key }: UploadPlace, request: S3Request, answer: ReadAnswer) {
  try {
    const etag = textOf(documentOf(answer, 'CompleteMultipartUploadResult'), 'ETag')
    if (etag) return { stored: true, etag, serverTime: serverTimeOf(answer) } as const
  } catch (cause) {
    throw scope.requester.protocolError(request, cause)
  }
  const head = await headObject(scope, key, request)
  if (!head) throw scope.requester.protocolError(request, new Error('no object after the upload'))
  return { stored: true, etag: head.facts.etag, serverTime: head.facts.serverTime } as const
}

/** Finds out whether an earlier try completed the upload: then its object carries the name of the write. */
async function judged(scope: BucketScope, { key, uploadId }: UploadPlace, request: S3Request, sent: SentRequest) {
  const { answer, repeated } = sent
  const fault = wireFaultOf(answer)
  const mayBeDone = answer.status === 412 || fault.code === 'NoSuchUpload' || fault.code === 'NoSuchKey'
  const head = mayBeDone ? await headObject(scope, key, request) : undefined
  const { write } = splitUploadId(uploadId)
  if (head && write !== undefined && head.write === write) {
    return { stored: true, etag: head.facts.etag, serverTime: head.facts.serverTime } as const
  }
  if (answer.status === 412) return { stored: false, existing: head?.facts, uncertain: repeated } as const
  throw bucketErrorOf(answer, fault.code === 'NoSuchKey' ? { ...fault, code: 'NoSuchUpload' } : fault, {
    ...scope.requester.placeOf(request),
  })
}
