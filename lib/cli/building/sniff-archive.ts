import { detectCompression } from '../../compression/index.ts'
import { peekBytes } from '../../internal/peek-bytes.ts'

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
  const { head, content } = await peekBytes(source, BLOCK_BYTES)
  const isText = head.byteLength > 0 && detectCompression(head) === 'none' && !head.includes(0)
  return { isArchive: !isText, content }
}
