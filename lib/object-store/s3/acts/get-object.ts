import { BucketError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { sleep } from '../../../internal/concurrency/sleep.ts'
import { invalidArgument } from '../../../internal/invalid-argument.ts'
import type { ObjectAnswer, ObjectFacts } from '../bucket.ts'
import { exchangeError } from '../requests/exchange-error.ts'
import { type BucketRetryOptions, RequestBudget } from '../requests/request-budget.ts'
import type { HttpAnswer } from '../transport/wire.ts'
import type { BucketScope } from './bucket-scope.ts'
import { factsOf } from './object-facts.ts'

const TOO_LONG = new Error('more bytes than announced')

/** Options of a read. */
export interface GetOptions extends AbortOptions {
  readonly range?: { readonly offset: number; readonly length: number } | undefined
  readonly ifMatch?: string | undefined
}

/** Opens an object, or a range of it. */
export async function getObject(
  scope: BucketScope,
  key: string,
  options: GetOptions = {},
  retry: BucketRetryOptions = {},
): Promise<ObjectAnswer | undefined> {
  assertRange(options.range)
  const { range, ifMatch, signal } = options
  const answer = await openAt(scope, key, range, ifMatch, signal)
  if (answer === undefined) return undefined
  const facts = await checkedFacts(scope, key, answer, range)
  const start = range?.offset ?? 0
  const end = range ? Math.min(start + range.length, facts.size) : facts.size
  return { facts, body: wholeBody({ scope, key, facts, signal, retry }, answer, start, end) }
}

function assertRange(range: GetOptions['range']): void {
  if (range === undefined) return
  const isCount = (value: unknown, least: number) => Number.isSafeInteger(value) && (value as number) >= least
  if (!isCount(range.offset, 0)) throw invalidArgument('range.offset', 'a number of bytes', range.offset)
  if (!isCount(range.length, 1)) throw invalidArgument('range.length', 'a number of bytes, at least 1', range.length)
}

async function openAt(
  scope: BucketScope,
  key: string,
  range: GetOptions['range'],
  ifMatch: string | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer | undefined> {
  const headers = {
    ...(range ? { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {}),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
  }
  const request = { method: 'GET', key: scope.keyOf(key), headers, signal, accept: [404, 412, 416] }
  const answer = await scope.requester.open(request)
  if (answer.status === 200 || answer.status === 206) return answer
  const error = await refusal(scope, request, answer)
  if (error) throw error
  return undefined
}

async function refusal(scope: BucketScope, request: Refused, { status, body }: HttpAnswer) {
  await drained(body, request.signal)
  if (status === 404) return undefined
  const place = { ...scope.requester.placeOf(request), status }
  if (status === 412) return new BucketError('ERR_BUCKET_OBJECT_CHANGED', 'the object is another version now', place)
  return new BucketError('ERR_BUCKET', 'the range begins behind the end of the object', place)
}

interface Refused {
  readonly method: string
  readonly key: string
  readonly signal: AbortSignal | undefined
}

/** Reads the rest of a refusal. Its status tells everything, so a body that breaks off changes nothing. */
async function drained(body: HttpAnswer['body'], signal: AbortSignal | undefined): Promise<void> {
  try {
    for await (const _ of body);
  } catch {
    signal?.throwIfAborted()
  }
}

/** SAFETY: a service that ignores or changes the range would give bytes of another place. */
async function checkedFacts(scope: BucketScope, key: string, answer: HttpAnswer, range: GetOptions['range']) {
  try {
    const facts = factsOf(key, answer)
    if (range && answer.status !== 206) throw new Error('the range was ignored')
    if (!range && answer.status !== 200) throw new Error('a range that was not asked for')
    const last = range && Math.min(range.offset + range.length, facts.size) - 1
    if (range && answer.headers['content-range'] !== `bytes ${range.offset}-${last}/${facts.size}`) {
      throw new Error('another range than asked for')
    }
    return facts
  } catch (cause) {
    await answer.body[Symbol.asyncIterator]().return?.()
    throw scope.requester.protocolError({ method: 'GET', key: scope.keyOf(key) }, cause)
  }
}

interface Reading {
  readonly scope: BucketScope
  readonly key: string
  readonly facts: ObjectFacts
  readonly signal: AbortSignal | undefined
  readonly retry: BucketRetryOptions
}

/** Streams the bytes from `start` to `end`, and opens the rest anew after each break. */
async function* wholeBody(reading: Reading, first: HttpAnswer, start: number, end: number) {
  const { scope, key, signal } = reading
  const budget = new RequestBudget(reading.retry)
  const place = scope.requester.placeOf({ method: 'GET', key: scope.keyOf(key) })
  let answer = first
  for (let at = start; ; ) {
    try {
      for await (const chunk of answer.body) {
        at += chunk.byteLength
        if (at > end) throw scope.requester.protocolError({ method: 'GET', key: scope.keyOf(key) }, TOO_LONG)
        budget.progressed()
        yield chunk
      }
      if (at === end) return
      throw Object.assign(new Error('the answer ended early'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (at === end) return
      const failure = exchangeError(error, place)
      const pause = budget.pauseAfter(failure)
      if (pause === undefined) throw failure
      await sleep(pause, signal)
      answer = await reopened(reading, at, end)
    }
  }
}

async function reopened({ scope, key, facts, signal }: Reading, at: number, end: number): Promise<HttpAnswer> {
  const range = { offset: at, length: end - at }
  const answer = await openAt(scope, key, range, facts.etag, signal)
  const now = answer && (await checkedFacts(scope, key, answer, range))
  if (answer && now?.etag === facts.etag && now.size === facts.size) return answer
  await answer?.body[Symbol.asyncIterator]().return?.()
  const place = scope.requester.placeOf({ method: 'GET', key: scope.keyOf(key) })
  throw new BucketError('ERR_BUCKET_OBJECT_CHANGED', 'the object was replaced while it was read', place)
}
