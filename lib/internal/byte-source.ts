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
    return source
  }
  throw invalidArgument('source', 'bytes (a Uint8Array), or an iterable or a stream of them', given)
}
