import { detectCompression } from '../../compression/index.ts'

/** Bytes of a header of a tar archive. */
const BLOCK_BYTES = 512

/** A stream whose kind has been detected. */
export interface SniffedArchive {
  /** False if the bytes are text: not compressed, and without the NUL characters that pad a tar header. */
  readonly isArchive: boolean
  /** All bytes of the stream. */
  readonly content: AsyncIterable<Uint8Array>
}

/** Detects whether a stream is an archive or a text, such as a Dockerfile. An empty stream counts as an archive. */
export async function sniffArchive(source: AsyncIterable<Uint8Array>): Promise<SniffedArchive> {
  const chunks = source[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.byteLength < BLOCK_BYTES) {
    const step = await chunks.next()
    if (step.done) break
    head = Buffer.concat([head, step.value])
  }
  const first = head.subarray(0, BLOCK_BYTES)
  const isText = first.byteLength > 0 && detectCompression(first) === 'none' && !first.includes(0)
  return { isArchive: !isText, content: replay(head, chunks) }
}

async function* replay(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield head
  yield* { [Symbol.asyncIterator]: () => rest }
}
