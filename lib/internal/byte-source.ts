/** Source of bytes: one buffer, a list of chunks, or a stream of chunks (a Node `Readable` is one). */
export type ByteSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** The chunks of a source, in order. The only chunk of a buffer is the buffer itself. */
export function chunksOf(source: ByteSource): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return source instanceof Uint8Array ? [source] : source
}
