import { invalidArgument } from './invalid-argument.ts'

/** Source of bytes: one buffer, a list of chunks, or a stream of chunks (a Node `Readable` is one). */
export type ByteSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * The chunks of a source, in order. The only chunk of a buffer is the buffer itself.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT` for a text, a number and anything else that holds no bytes.
 */
export function chunksOf(source: ByteSource): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (source instanceof Uint8Array) return [source]
  const given: unknown = source
  if (typeof given === 'object' && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given)) {
    keepFault(given)
    return source
  }
  throw invalidArgument('source', 'bytes (a Uint8Array), or an iterable or a stream of them', given)
}

/**
 * Keeps the failure of a Node stream until the stream is read. Acts that await something before they read a source call
 * it first.
 *
 * SAFETY: a stream that fails without a listener, such as `createReadStream` of a file that is missing, would end the
 * process. NODE: iterating over a stream that has failed throws its error (test/internal/byte-source.test.ts).
 */
export function keepFault(source: unknown): void {
  const stream = source as Partial<NodeJS.ReadableStream> | null | undefined
  if (typeof stream !== 'object' || typeof stream?.on !== 'function') return
  // Several acts may be given the same stream; NODE: more than ten listeners print a warning.
  if (!stream.listeners?.('error').includes(ignore)) stream.on('error', ignore)
}

function ignore(): void {}

/**
 * Keeps the failures of the contents of entries that are given in a list, as {@link keepFault} does: an entry is read
 * when those before it are written. Of a generator nothing can be known before it gives an entry.
 */
export function keepContentFaults(entries: unknown): void {
  if (!Array.isArray(entries) && !(entries instanceof Set)) return
  for (const entry of entries as Iterable<{ readonly content?: unknown } | undefined>) keepFault(entry?.content)
}
