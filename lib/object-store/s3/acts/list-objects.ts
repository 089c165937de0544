import { invalidArgument } from '../../../internal/invalid-argument.ts'
import { documentOf, serverTimeOf } from '../answers/read-answer.ts'
import { childrenOf, textOf, type XmlElement } from '../answers/read-xml.ts'
import type { ListedObject, ListOptions } from '../bucket.ts'
import type { QueryPairs } from '../signing/encode.ts'
import type { BucketScope } from './bucket-scope.ts'

/** SPEC: the most objects of one page. */
const MOST_OBJECTS = 1000

interface Page {
  readonly document: XmlElement
  readonly decode: (text: string) => string
  readonly serverTime: number
}

/** Lists objects, page by page as the caller takes them. */
export async function* listObjects(scope: BucketScope, prefix: string, options: ListOptions = {}) {
  for await (const page of pagesOf(scope, prefix, options, [])) {
    for (const entry of childrenOf(page.document, 'Contents')) yield objectOf(scope, entry, page)
  }
}

/** Lists the folders below a prefix. */
export async function* listFolders(scope: BucketScope, prefix: string, options: ListOptions = {}) {
  for await (const page of pagesOf(scope, prefix, options, [['delimiter', '/']])) {
    for (const entry of childrenOf(page.document, 'CommonPrefixes')) {
      yield plainKey(scope, page.decode(textOf(entry, 'Prefix') ?? ''))
    }
  }
}

async function* pagesOf(
  scope: BucketScope,
  prefix: string,
  { after, pageSize = MOST_OBJECTS, signal }: ListOptions,
  more: QueryPairs,
): AsyncGenerator<Page, void, undefined> {
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MOST_OBJECTS) {
    throw invalidArgument('pageSize', `a number from 1 to ${MOST_OBJECTS}`, pageSize)
  }
  const query: QueryPairs = [
    ['list-type', '2'],
    ['encoding-type', 'url'],
    ['max-keys', String(pageSize)],
    ['prefix', scope.prefix + prefix],
    ...(after === undefined ? [] : [['start-after', scope.prefix + after] as const]),
    ...more,
  ]
  for (let token: string | undefined; ; ) {
    const from: QueryPairs = token === undefined ? [] : [['continuation-token', token]]
    const page = await onePage(scope, [...query, ...from], signal)
    yield page
    if (textOf(page.document, 'IsTruncated') !== 'true') return
    const next = textOf(page.document, 'NextContinuationToken')
    // SAFETY: a service that gives the same token again would be asked without end.
    if (!next || next === token) throw listingError(scope, new Error('no way to the next page'))
    token = next
  }
}

async function onePage(scope: BucketScope, query: QueryPairs, signal: AbortSignal | undefined): Promise<Page> {
  const { answer } = await scope.requester.send({ method: 'GET', query, signal })
  try {
    const document = documentOf(answer, 'ListBucketResult')
    const isEncoded = textOf(document, 'EncodingType') === 'url'
    // SPEC: keys are encoded as in forms, a space as a plus.
    const decode = (text: string) => (isEncoded ? decodeURIComponent(text.replaceAll('+', '%20')) : text)
    return { document, decode, serverTime: serverTimeOf(answer) }
  } catch (cause) {
    throw listingError(scope, cause)
  }
}

function objectOf(scope: BucketScope, entry: XmlElement, { decode, serverTime }: Page): ListedObject {
  const key = plainKey(scope, decode(textOf(entry, 'Key') ?? ''))
  const size = Number(textOf(entry, 'Size') || Number.NaN)
  const modified = Date.parse(textOf(entry, 'LastModified') ?? '')
  const etag = textOf(entry, 'ETag') ?? ''
  if (!Number.isSafeInteger(size) || size < 0 || Number.isNaN(modified)) {
    throw listingError(scope, new Error(`object ${JSON.stringify(key)} without size or time`))
  }
  return { key, size, etag, modified, serverTime }
}

/** SAFETY: a key outside of the prefix would be handled as if it were another one. */
function plainKey(scope: BucketScope, whole: string): string {
  const key = scope.withoutPrefix(whole)
  if (key === undefined) throw listingError(scope, new Error('an object outside of the prefix'))
  return key
}

function listingError(scope: BucketScope, cause: unknown) {
  return scope.requester.protocolError({ method: 'GET' }, cause)
}
