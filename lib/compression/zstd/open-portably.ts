import { PortableFrames } from './portable/portable-frames.ts'
import type { FramePiece } from './zstd-frames.ts'

/** Decodes frames where the platform has no engine. */
export async function* openPortably(pieces: AsyncIterable<FramePiece>): AsyncGenerator<Uint8Array, void, undefined> {
  const frames = new PortableFrames()
  for await (const piece of pieces) {
    if (piece.begins) await frames.prepare(piece)
    const made = frames.take(piece)
    if (made) yield made
  }
}
