import { RegistryError, SizeMismatchError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { codingsOf, uncodedBlob } from '../answers/content-coding.ts'
import { WITH_BODY } from '../answers/success.ts'
import { ByteBound } from '../endpoint/byte-bound.ts'
import type { FetchBlobOptions } from '../registry-client.ts'
import type { WireAnswer } from '../transport/transport.ts'
import type { BlobPlace } from './blob-request.ts'
import { parseContentRange, parseUnsatisfiedRange, REFUSES_RANGE } from './content-range.ts'

/** SAFETY: a server that cuts after every few bytes must not be asked for ever; less than this is no progress. */
const PROGRESS_BYTES = 1024 * 1024

/** Where a fetch stands. */
interface Progress {
  readonly size: number
  /** Bytes received, also those that had come before. */
  readonly received: ByteBound
  /** Bytes delivered, those before `offset` included. */
  position: number
  /** Whether the server has not yet shown that its ranges cannot be trusted. */
  ranges: boolean
}

/** The bytes of a blob from `offset` on, from one place, in one stream. */
export async function* fetchBlob(
  { endpoint, request }: BlobPlace,
  descriptor: Descriptor,
  { offset, signal, onRepeated, borrow }: Omit<FetchBlobOptions, 'parallel' | 'foreign'> & { readonly offset: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { size } = descriptor
  const budget = endpoint.budget()
  const received = new ByteBound(`bytes received for blob ${descriptor.digest}`, size, budget)
  const progress: Progress = { size, received, position: offset, ranges: true }
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
          expect: [...WITH_BODY, 206, ...(isPart ? REFUSES_RANGE : [416])],
        })
        yield* readAnswer(answer, progress, descriptor, onRepeated)
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

/** Delivers what one answer holds of the bytes that are still missing. Throws unless that was all of them. */
async function* readAnswer(
  answer: WireAnswer,
  progress: Progress,
  descriptor: Descriptor,
  onRepeated: FetchBlobOptions['onRepeated'],
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    let skip = bytesToSkip(answer, progress, descriptor)
    for await (const chunk of bodyOf(answer, progress, descriptor)) {
      const rest = skip === 0 ? chunk : chunk.subarray(skip)
      if (skip > 0) onRepeated?.(Math.min(skip, chunk.byteLength))
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

/** The bytes of the blob in an answer, with a content coding undone. */
function bodyOf(
  answer: WireAnswer,
  { received, size }: Progress,
  { mediaType }: Descriptor,
): AsyncIterable<Uint8Array> {
  const wire = received.count(answer.body)
  return isCoded(answer) && lengthOf(answer) !== size ? uncodedBlob(answer, wire, mediaType) : wire
}

function isCoded(answer: WireAnswer): boolean {
  return codingsOf(answer).length > 0
}

function lengthOf({ headers }: WireAnswer): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
}

/** How many bytes of the answer have been delivered before; checks everything that its head says. */
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
  // SAFETY: a part from another place, taken for the right one, would be noticed by the digest only after all the rest.
  const range = progress.ranges && position > 0 ? parseContentRange(headers['content-range']) : undefined
  if (!range || range.first !== position || range.last >= size) throw distrustRanges(answer, progress)
  // Of a coded body the range counts coded bytes; a total that is the blob's shows that it is not coded.
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

/** Next time the whole blob is asked for, and what is known already skipped. */
function distrustRanges(answer: WireAnswer, progress: Progress): RegistryError {
  progress.ranges = false
  const message = `answer to the range from byte ${progress.position} is not that range`
  return new RegistryError('ERR_PROTOCOL', message, { ...detailsOf(answer), retryable: true })
}

function detailsOf({ url, status }: WireAnswer) {
  return { method: 'GET', url: shownUrl(url), status }
}
