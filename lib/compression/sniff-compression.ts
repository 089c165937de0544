import type { ByteSource } from '../internal/byte-source.ts'
import { peekBytes } from '../internal/peek-bytes.ts'
import { type DetectedCompression, detectCompression, MAGIC_BYTES } from './detect-compression.ts'

/** A stream whose compression has been detected. */
export interface SniffedSource {
  /** Compression detected from the first bytes. */
  readonly type: DetectedCompression
  /** All bytes of the stream, including the first ones. Read it or `return` it, once. */
  readonly content: AsyncGenerator<Uint8Array, void, undefined>
}

/**
 * Detects the compression of a stream without losing its first bytes. The stream stays open: read or return `content`.
 *
 * @internal
 */
export async function sniffCompression(source: ByteSource): Promise<SniffedSource> {
  const { head, content } = await peekBytes(source, MAGIC_BYTES)
  return { type: detectCompression(head), content }
}
