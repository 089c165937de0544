import type { AbortOptions } from '../../../internal/abort.ts'
import { documentOf, type ReadAnswer, serverTimeOf } from '../answers/read-answer.ts'
import { childrenOf, textOf, type XmlElement } from '../answers/read-xml.ts'
import type { ListedUpload, UploadPart } from '../bucket.ts'
import type { S3Request } from '../requests/requester.ts'
import type { QueryPairs } from '../signing/encode.ts'
import type { BucketScope } from './bucket-scope.ts'
import type { UploadPlace } from './put-part.ts'
import { splitUploadId } from './upload-id.ts'

/** Uploads and parts a page. */
const PAGE = '1000'

/** Lists uploads that have begun and not ended. */
export async function* listUploads(
  scope: BucketScope,
  prefix: string,
  options?: AbortOptions,
): AsyncGenerator<ListedUpload, void, undefined> {
  const query: QueryPairs = [
    ['uploads', ''],
    ['max-uploads', PAGE],
    ['prefix', scope.prefix + prefix],
  ]
  const request: S3Request = { method: 'GET', query, signal: options?.signal }
  const markers = [
    ['key-marker', 'NextKeyMarker'],
    ['upload-id-marker', 'NextUploadIdMarker'],
  ] as const
  for await (const { document, answer } of pagesOf(scope, request, 'ListMultipartUploadsResult', markers)) {
    for (const upload of childrenOf(document, 'Upload')) {
      const key = scope.withoutPrefix(textOf(upload, 'Key') ?? '')
      const uploadId = textOf(upload, 'UploadId')
      const started = Date.parse(textOf(upload, 'Initiated') ?? '')
      if (key === undefined || !uploadId || Number.isNaN(started)) throw faulty(scope, request, 'an upload')
      yield { key, uploadId, started, serverTime: serverTimeOf(answer) }
    }
  }
}

/** Lists the parts of an upload. */
export async function* listParts(
  scope: BucketScope,
  { key, uploadId }: UploadPlace,
  options?: AbortOptions,
): AsyncGenerator<UploadPart, void, undefined> {
  const query: QueryPairs = [
    ['max-parts', PAGE],
    ['uploadId', splitUploadId(uploadId).wire],
  ]
  const request: S3Request = { method: 'GET', key: scope.keyOf(key), query, signal: options?.signal }
  const markers = [['part-number-marker', 'NextPartNumberMarker']] as const
  for await (const { document } of pagesOf(scope, request, 'ListPartsResult', markers)) {
    for (const part of childrenOf(document, 'Part')) {
      const number = Number(textOf(part, 'PartNumber'))
      const size = Number(textOf(part, 'Size') || Number.NaN)
      const etag = textOf(part, 'ETag')
      if (!Number.isInteger(number) || !Number.isSafeInteger(size) || !etag) throw faulty(scope, request, 'a part')
      yield { number, etag, size }
    }
  }
}

type Markers = readonly (readonly [parameter: string, element: string])[]

/** Requests page after page; each begins behind the markers of the one before. */
async function* pagesOf(
  scope: BucketScope,
  request: S3Request,
  name: string,
  markers: Markers,
): AsyncGenerator<{ document: XmlElement; answer: ReadAnswer }, void, undefined> {
  for (let from: QueryPairs = []; ; ) {
    const { answer } = await scope.requester.send({ ...request, query: [...(request.query ?? []), ...from] })
    const document = documentIn(scope, request, answer, name)
    yield { document, answer }
    if (textOf(document, 'IsTruncated') !== 'true') return
    const next = markers.map(([parameter, element]) => [parameter, textOf(document, element) ?? ''] as const)
    // SAFETY: a service that gives the same place again would be asked without end.
    if (next.every(([, value]) => value === '') || String(next) === String(from)) {
      throw faulty(scope, request, 'a page')
    }
    from = next
  }
}

function documentIn(scope: BucketScope, request: S3Request, answer: ReadAnswer, name: string): XmlElement {
  try {
    return documentOf(answer, name)
  } catch (cause) {
    throw scope.requester.protocolError(request, cause)
  }
}

function faulty(scope: BucketScope, request: S3Request, what: string) {
  return scope.requester.protocolError(request, new Error(`${what} without what the protocol demands`))
}
