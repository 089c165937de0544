import { createHash, randomUUID } from 'node:crypto'
import { invalidArgument } from '../../../internal/invalid-argument.ts'
import { type ReadAnswer, serverTimeOf } from '../answers/read-answer.ts'
import type { ObjectBody, PutObjectOptions, PutResult } from '../bucket.ts'
import type { BucketScope } from './bucket-scope.ts'
import { headObject } from './head-object.ts'
import { WRITE_HEADER } from './object-facts.ts'

const SHA256 = /^[0-9a-f]{64}$/

/** Stores an object in one request. */
export async function putObject(
  scope: BucketScope,
  key: string,
  source: Uint8Array | ObjectBody,
  options: PutObjectOptions = {},
): Promise<PutResult> {
  const result = await putOnce(scope, key, source, options)
  const { ifMatch } = options
  if (result.stored || scope.comparesPlainEtags || ifMatch === undefined) return result
  // Ceph 16 compares `If-Match` of a PUT with its ETag without quotes, against the specification: it refuses the very
  // version that is there.
  if (result.existing?.etag !== ifMatch || !ifMatch.startsWith('"')) return result
  scope.comparesPlainEtags = true
  const second = await putOnce(scope, key, source, options)
  if (!second.stored && second.existing?.etag === ifMatch) scope.comparesPlainEtags = false
  return second
}

async function putOnce(
  scope: BucketScope,
  key: string,
  source: Uint8Array | ObjectBody,
  options: PutObjectOptions,
): Promise<PutResult> {
  const { ifNoneMatch, contentType = 'application/octet-stream', signal } = options
  const ifMatch = scope.comparesPlainEtags ? options.ifMatch?.replace(/^"(.*)"$/, '$1') : options.ifMatch
  const write = randomUUID()
  const isConditional = ifNoneMatch === true || ifMatch !== undefined
  const request = {
    method: 'PUT',
    key: scope.keyOf(key),
    body: bodyOf(source, options.sha256),
    isStreamed: !(source instanceof Uint8Array),
    headers: { 'content-type': contentType, [WRITE_HEADER]: write, ...conditionHeaders({ ifNoneMatch, ifMatch }) },
    // SPEC: an object that is missing fails `If-Match` with 404.
    accept: isConditional ? [412, ...(ifMatch === undefined ? [] : [404])] : [],
    signal,
  }
  const { answer, repeated } = await scope.requester.send(request)
  if (answer.status >= 400) return settleConflict(scope, key, { write, repeated, signal })
  return stored(answer)
}

/** Headers of the conditions of a write. */
export function conditionHeaders({ ifNoneMatch, ifMatch }: Pick<PutObjectOptions, 'ifNoneMatch' | 'ifMatch'>) {
  return {
    ...(ifNoneMatch ? { 'if-none-match': '*' } : {}),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
  }
}

function stored(answer: ReadAnswer): PutResult {
  return { stored: true, etag: answer.headers.etag ?? '', serverTime: serverTimeOf(answer) }
}

/**
 * Finds out whether a write whose condition failed is there nevertheless.
 *
 * SAFETY: an earlier try may have been stored although its answer was lost, and a proxy may have sent the request
 * twice; the second one then fails because of the first. The object carries the name of the write that made it.
 */
export async function settleConflict(
  scope: BucketScope,
  key: string,
  { write, repeated, signal }: { write: string; repeated: boolean; signal: AbortSignal | undefined },
): Promise<PutResult> {
  const head = await headObject(scope, key, { signal })
  if (head?.write === write) return { stored: true, etag: head.facts.etag, serverTime: head.facts.serverTime }
  return { stored: false, existing: head?.facts, uncertain: repeated }
}

/** Makes a body of bytes, with their hash. */
export function bodyOf(source: Uint8Array | ObjectBody, sha256: string | undefined): ObjectBody {
  if (sha256 !== undefined && !SHA256.test(sha256)) throw invalidArgument('sha256', '64 lower-case hex digits', sha256)
  if (!(source instanceof Uint8Array)) return { ...source, open: () => source.open(), sha256: sha256 ?? source.sha256 }
  const hash = sha256 ?? createHash('sha256').update(source).digest('hex')
  return { size: source.byteLength, open: () => [source], sha256: hash }
}
