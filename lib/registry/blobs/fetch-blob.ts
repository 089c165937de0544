import type { FileLender } from '../../digest/index.ts'
import { RegistryError, SizeMismatchError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { codingsOf, uncodedBlob } from '../answers/content-coding.ts'
import { WITH_BODY } from '../answers/success.ts'
import { ByteBound } from '../endpoint/byte-bound.ts'
import type { FetchBlobOptions } from '../registry-client.ts'
import { THREAD_BYTES } from '../transport/thread-bytes.ts'
import type { WireAnswer } from '../transport/transport.ts'
import type { BlobPlace } from './blob-request.ts'
import { parseContentRange, parseUnsatisfiedRange, REFUSES_RANGE } from './content-range.ts'

/**
 * SAFETY: a server could break off after every few bytes and keep the client busy without end. Less than this is no
 * progress.
 */
const PROGRESS_BYTES = 1024 * 1024

/** State of a fetch. */
interface Progress {
  readonly size: number
  /** Bytes received, including repeated ones. */
  readonly received: ByteBound
  /** Position of the next byte to deliver, counted from the start of the blob. */
  position: number
  /** True while no answer has shown that the server's ranges are unreliable. */
  ranges: boolean
  readonly lender: FileLender | undefined
  readonly onRepeated: FetchBlobOptions['onRepeated']
}

/** Streams a blob from `offset` on, from one source, with one request at a time. */
export async function* fetchBlob(
  { endpoint, request }: BlobPlace,
  descriptor: Descriptor,
  {
    offset,
    signal,
    onRepeated,
    borrow,
    lender,
  }: Omit<FetchBlobOptions, 'parallel' | 'foreign'> & { readonly offset: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { size } = descriptor
  const budget = endpoint.budget()
  const received = new ByteBound(`bytes received for blob ${descriptor.digest}`, size, budget)
  const progress: Progress = { size, received, position: offset, ranges: true, lender, onRepeated }
  const release = await endpoint.acquire('download', signal)
  try {
    let counted = offset
    while (progress.position < size) {
      try {
        const isPart = progress.position > 0 && progress.ranges
        const headers = isPart ? { range: `bytes=${progress.position}-` } : {}
        const answer = await endpoint.send({
          ...request,
          headers,
          budget,
          borrow,
          lender: size - progress.position < THREAD_BYTES ? undefined : lender,
          expect: [...WITH_BODY, 206, ...(isPart ? REFUSES_RANGE : [416])],
        })
        yield* readAnswer(answer, progress, descriptor)
      } catch (error) {
        if (progress.position - counted >= PROGRESS_BYTES) budget.progressed()
        counted = progress.position
        await endpoint.waitAfter(error, budget, signal)
      }
    }
  } finally {
    release()
  }
}

/** Delivers the missing bytes of one answer. Throws unless the blob is complete afterwards. */
async function* readAnswer(
  answer: WireAnswer,
  progress: Progress,
  descriptor: Descriptor,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    let skip = bytesToSkip(answer, progress, descriptor)
    for await (const chunk of bodyOf(answer, progress, descriptor, skip)) {
      const rest = skip === 0 ? chunk : chunk.subarray(skip)
      if (skip > 0) progress.onRepeated?.(Math.min(skip, chunk.byteLength))
      skip = Math.max(0, skip - chunk.byteLength)
      if (rest.byteLength === 0) continue
      const after = progress.position + rest.byteLength
      if (after > progress.size) throw wrongSize(descriptor, after)
      progress.position = after
      yield rest
    }
    if (progress.position < progress.size) throw cutShort(answer, progress)
  } finally {
    answer.cancel()
  }
}

/** Returns the blob's bytes in an answer, with a content coding removed, or chunks that count them in a lent file. */
function bodyOf(
  answer: WireAnswer,
  { received, size, lender }: Progress,
  { mediaType }: Descriptor,
  skip: number,
): AsyncIterable<Uint8Array> {
  // SAFETY: a thread appends all that the answer has. The length, which `bytesToSkip` has checked, bounds that.
  const canAppend = skip === 0 && lengthOf(answer) !== undefined && !isCoded(answer)
  if (lender && answer.appendTo && canAppend) return received.count(answer.appendTo(lender))
  const wire = received.count(answer.body)
  return isCoded(answer) && lengthOf(answer) !== size ? uncodedBlob(answer, wire, mediaType) : wire
}

function isCoded(answer: WireAnswer): boolean {
  return codingsOf(answer).length > 0
}

function lengthOf({ headers }: WireAnswer): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
}

/** Checks the head of an answer and returns how many of its bytes were delivered before. */
function bytesToSkip(answer: WireAnswer, progress: Progress, descriptor: Descriptor): number {
  const { position, size } = progress
  const { headers, status } = answer
  const length = lengthOf(answer)
  if (WITH_BODY.includes(status)) {
    if (length !== undefined && length !== size && !isCoded(answer)) throw wrongSize(descriptor, length)
    return position
  }
  if (status === 416) {
    const total = parseUnsatisfiedRange(headers['content-range'])
    if (total !== undefined && total !== size) throw wrongSize(descriptor, total)
  }
  if (status !== 206) throw distrustRanges(answer, progress)
  // SAFETY: a server may send another part than the requested one. Only the digest of the whole blob would detect that,
  // after all the rest was downloaded, so the range is compared here.
  const range = progress.ranges && position > 0 ? parseContentRange(headers['content-range']) : undefined
  if (!range || range.first !== position || range.last >= size) throw distrustRanges(answer, progress)
  // The range of a coded body counts coded bytes. A total equal to the blob's size shows that the body is not coded.
  if (range.total === undefined ? isCoded(answer) : range.total !== size) throw distrustRanges(answer, progress)
  if (length !== undefined && length !== range.last - range.first + 1) throw distrustRanges(answer, progress)
  return 0
}

function wrongSize(descriptor: Descriptor, actual: number): SizeMismatchError {
  return new SizeMismatchError({ expected: descriptor.size, actual, what: `blob ${descriptor.digest}` })
}

function cutShort(answer: WireAnswer, progress: Progress): RegistryError {
  const message = `body ended at byte ${progress.position} of ${progress.size}`
  return new RegistryError('ERR_NETWORK', message, { ...detailsOf(answer), retryable: true })
}

/** Requests the whole blob the next time and skips the bytes already delivered. */
function distrustRanges(answer: WireAnswer, progress: Progress): RegistryError {
  progress.ranges = false
  const message = `answer to the range from byte ${progress.position} is not that range`
  return new RegistryError('ERR_PROTOCOL', message, { ...detailsOf(answer), retryable: true })
}

function detailsOf({ url, status }: WireAnswer) {
  return { method: 'GET', url: shownUrl(url), status }
}
