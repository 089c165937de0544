import { blockChecksum, GZIP_HEADER } from '../../compression/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobReader } from '../../store/index.ts'
import type { BlockTable } from './block-table.ts'

/** The stored blocks cannot be used: the layer is gone or damaged, or the table is not its own. */
export class ReuseFailure extends Error {}

/**
 * Yields the compressed blocks `from` to `to` of a stored layer.
 *
 * SAFETY: a damaged disk would put damaged blocks into a new layer, under a digest that is right for them. So the
 * checksum of each block is compared.
 *
 * @throws {@link ReuseFailure}
 */
export async function* packedBlocks(
  store: Pick<BlobReader, 'read'>,
  { blob, rows }: BlockTable,
  [from, to]: readonly [number, number],
  { signal }: AbortOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = GZIP_HEADER.byteLength
  for (let i = 0; i < from; i++) offset += rows[i]!.length
  let length = 0
  for (let i = from; i < to; i++) length += rows[i]!.length
  // PERF: chunks are copied at once; a new buffer for each is garbage that V8 frees late.
  const source = store.read(blob, { offset, length, verify: 'never', borrow: true, signal })
  try {
    let at = from
    let block = Buffer.allocUnsafeSlow(rows[at]!.length)
    let filled = 0
    for await (const chunk of source) {
      for (let used = 0; used < chunk.byteLength; ) {
        const take = Math.min(block.byteLength - filled, chunk.byteLength - used)
        block.set(chunk.subarray(used, used + take), filled)
        filled += take
        used += take
        if (filled < block.byteLength) continue
        if (blockChecksum(block) !== rows[at]!.packedChecksum)
          throw new ReuseFailure(`block ${at} of ${blob} is damaged`)
        yield block
        if (++at === to) return
        block = Buffer.allocUnsafeSlow(rows[at]!.length)
        filled = 0
      }
    }
  } catch (cause) {
    signal?.throwIfAborted()
    throw cause instanceof ReuseFailure ? cause : new ReuseFailure(`cannot read ${blob}`, { cause })
  }
  throw new ReuseFailure(`${blob} is too short`)
}
