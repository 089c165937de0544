import { BucketError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { bucketErrorOf, wireFaultOf } from '../answers/answer-fault.ts'
import { documentOf, type ReadAnswer, serverTimeOf } from '../answers/read-answer.ts'
import { textOf } from '../answers/read-xml.ts'
import type { PutObjectOptions, PutResult } from '../bucket.ts'
import type { S3Request, SentRequest } from '../requests/requester.ts'
import type { BucketScope } from './bucket-scope.ts'
import { headObject } from './head-object.ts'
import { listParts } from './list-uploads.ts'
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
  const sent = await sendOrLook(scope, place, request)
  if ('stored' in sent) return sent
  if (sent.answer.status >= 400) return judged(scope, place, request, sent)
  return completed(scope, place, request, sent.answer)
}

/**
 * Completes the upload; after a failure of the service, looks whether that did it.
 *
 * SAFETY: Ceph 16 answers 500 to the completion of an upload that has ended, also if the try before completed it.
 */
async function sendOrLook(scope: BucketScope, place: UploadPlace, request: S3Request) {
  try {
    return await scope.requester.send(request)
  } catch (error) {
    if (!(error instanceof BucketError) || error.code !== 'ERR_BUCKET_BUSY') throw error
    const own = await ownObject(scope, place, request)
    if (own) return own
    // Rejects if the upload has ended.
    for await (const _ of listParts(scope, place, request)) break
    throw error
  }
}

/** The object, if it carries the name of the write of this upload. */
async function ownObject(scope: BucketScope, { key, uploadId }: UploadPlace, options: AbortOptions) {
  const head = await headObject(scope, key, options)
  const { write } = splitUploadId(uploadId)
  if (!head || write === undefined || head.write !== write) return undefined
  return { stored: true, etag: head.facts.etag, serverTime: head.facts.serverTime } as const
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
async function judged(scope: BucketScope, place: UploadPlace, request: S3Request, sent: SentRequest) {
  const { answer, repeated } = sent
  const own = await ownObject(scope, place, request)
  if (own) return own
  if (answer.status !== 412) throw bucketErrorOf(answer, wireFaultOf(answer), scope.requester.placeOf(request))
  const head = await headObject(scope, place.key, request)
  return { stored: false, existing: head?.facts, uncertain: repeated } as const
}
