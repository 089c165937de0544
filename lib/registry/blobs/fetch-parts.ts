import { RegistryError } from '../../errors/index.ts'
import { type Borrowed, owned } from '../../internal/memory/borrowed.ts'
import { Pool } from '../../internal/memory/pool.ts'
import type { Descriptor } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { codingsOf } from '../answers/content-coding.ts'
import { WITH_BODY } from '../answers/success.ts'
import type { FetchBlobOptions } from '../registry-client.ts'
import type { WireAnswer } from '../transport/transport.ts'
import type { BlobPlace } from './blob-request.ts'
import { parseContentRange, REFUSES_RANGE } from './content-range.ts'
import { fetchBlob } from './fetch-blob.ts'

/** Large enough to make the cost of a request negligible, small enough to hold several in memory. */
export const PART_BYTES = 4 * 1024 * 1024

/** Largest chunk that is delivered. */
const CHUNK_BYTES = 512 * 1024

/** One part that is being fetched, in memory that is used again after `release`. */
type Part = Promise<Borrowed<Uint8Array>>

/**
 * Streams a blob from `offset` on; fetches up to `parallel` ranges concurrently and delivers them in order. At most
 * `parallel` parts are held in memory: a part starts only when there is room for it. A small rest, or a blob of a
 * server without ranges, is read as one stream.
 */
export async function* fetchParts(
  place: BlobPlace,
  descriptor: Descriptor,
  { offset, parallel, signal, onRepeated, borrow }: FetchBlobOptions & { offset: number; parallel: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = offset
  try {
    if (descriptor.size - offset >= 2 * PART_BYTES) {
      for await (const chunk of partsInOrder(place, descriptor, { offset, parallel, signal, borrow })) {
        position += chunk.byteLength
        yield chunk
      }
      return
    }
  } catch (error) {
    if (!(error instanceof NoRanges)) throw error
  }
  yield* fetchBlob(place, descriptor, { offset: position, signal, onRepeated, borrow })
}

/** The server sends the whole blob, or another range than the requested one. */
class NoRanges extends Error {}

async function* partsInOrder(
  place: BlobPlace,
  { size }: Descriptor,
  {
    offset,
    parallel,
    signal,
    borrow,
  }: Pick<FetchBlobOptions, 'signal' | 'borrow'> & { offset: number; parallel: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  // PERF: a range is copied out of the buffers of its connection into memory that is used again: see
  // `transfer/rationale.md`, D21.
  const pool = new Pool(newPart)
  const memory = () => (borrow ? pool.borrow() : owned(newPart()))
  const stop = new AbortController()
  const all = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const window: Part[] = []
  let next = offset
  // The first part shows whether the server supports ranges, so it is fetched alone.
  let room = 1
  try {
    while (window.length > 0 || next < size) {
      for (; window.length < room && next < size; next += PART_BYTES) {
        const range = { first: next, last: Math.min(size, next + PART_BYTES) - 1, size }
        const part = fetchPart(place, range, memory(), all)
        part.catch(() => {})
        window.push(part)
      }
      const { value: bytes, release } = await window.shift()!
      for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
      release()
      room = parallel
    }
  } finally {
    stop.abort()
    await Promise.allSettled(window)
    signal?.throwIfAborted()
  }
}

function newPart(): Uint8Array {
  return Buffer.allocUnsafeSlow(PART_BYTES)
}

interface PartRange {
  readonly first: number
  readonly last: number
  readonly size: number
}

/** Reads a part to its end at once, so that its permit never waits for earlier parts. */
async function fetchPart(
  { endpoint, request }: BlobPlace,
  range: PartRange,
  memory: Borrowed<Uint8Array>,
  signal: AbortSignal,
): Part {
  const budget = endpoint.budget()
  const headers = { range: `bytes=${range.first}-${range.last}` }
  const release = await endpoint.acquire('download', signal)
  try {
    for (;;) {
      try {
        const answer = await endpoint.send({
          ...request,
          headers,
          // `readPart` copies each chunk at once.
          borrow: true,
          budget,
          signal,
          expect: [...WITH_BODY, 206, ...REFUSES_RANGE],
        })
        return await readPart(answer, range, memory)
      } catch (error) {
        await endpoint.waitAfter(error, budget, signal)
      }
    }
  } finally {
    release()
  }
}

async function readPart(
  answer: WireAnswer,
  { first, last, size }: PartRange,
  { value, release }: Borrowed<Uint8Array>,
): Part {
  const told = parseContentRange(answer.headers['content-range'])
  // The range of a coded body counts coded bytes; a total equal to the blob's size shows that the body is not coded.
  const total = told?.total ?? (codingsOf(answer).length === 0 ? size : undefined)
  const isIt = answer.status === 206 && told?.first === first && told.last === last && total === size
  if (!isIt) {
    answer.cancel()
    throw new NoRanges()
  }
  const wanted = last - first + 1
  let length = 0
  try {
    for await (const chunk of answer.body) {
      if (length + chunk.byteLength > wanted) throw new NoRanges()
      value.set(chunk, length)
      length += chunk.byteLength
    }
  } finally {
    answer.cancel()
  }
  if (length === wanted) return { value: value.subarray(0, wanted), release }
  const details = { method: 'GET', url: shownUrl(answer.url), status: answer.status, retryable: true }
  throw new RegistryError('ERR_NETWORK', `part ended at byte ${first + length} of ${last + 1}`, details)
}
