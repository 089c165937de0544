import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib'
import type { Block } from '../shared/exact-blocks.ts'
import { mapInOrder } from '../shared/map-in-order.ts'

/**
 * Size of a block in bytes.
 *
 * PERF: blocks of 128 KiB and of 2 MiB are no faster.
 *
 * @internal
 */
export const GZIP_BLOCK: number = 1024 * 1024

/**
 * Maximum distance of a deflate back reference.
 *
 * @internal
 */
export const GZIP_WINDOW: number = 32 * 1024

/** Sample size of a block, and the compressed share from which higher effort does not pay: see the rationale. */
const SAMPLE = 32 * 1024
const PACKS_WELL = 0.29

/**
 * gzip header: deflate, no flags, no time, no level hint, unknown operating system.
 *
 * @internal
 */
export const GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)

/**
 * Effort and bounds of a compression to gzip.
 *
 * @internal
 */
export interface BlockCompression {
  readonly level: number
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
}

/**
 * State of a stream whose first blocks are compressed already.
 *
 * @internal
 */
export interface GzipProgress {
  /** CRC-32 of the bytes so far. */
  readonly checksum: number
  /** Number of bytes so far. */
  readonly size: number
}

/**
 * A block to compress; `packed` is its compressed form if it is known from an earlier stream.
 *
 * @internal
 */
export interface GzipBlock extends Block {
  readonly packed?: Uint8Array | undefined
}

/**
 * A compressed block, and the state of the stream after it.
 *
 * @internal
 */
export interface PackedBlock extends GzipProgress {
  readonly packed: Uint8Array
}

/**
 * Options of {@link compressGzipBlocks}.
 *
 * @internal
 */
export interface GzipBlocksOptions extends BlockCompression {
  /** State before the first block, and up to 32 KiB before it. @defaultValue the start of a stream */
  readonly begin?: (GzipProgress & { readonly dictionary: Uint8Array }) | undefined
  /** Called with each compressed block, in order. */
  readonly onBlock?: ((block: PackedBlock) => void) | undefined
}

/**
 * Compresses the blocks of {@link compressGzip} and ends the stream. The bytes are those that `compressGzip` gives
 * after its header and the blocks before `begin`.
 *
 * @internal
 */
export async function* compressGzipBlocks(
  blocks: AsyncIterable<GzipBlock>,
  options: GzipBlocksOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let { checksum, size } = options.begin ?? { checksum: 0, size: 0 }
  let dictionary = options.begin?.dictionary
  const pack = async (block: GzipBlock): Promise<PackedBlock> => {
    const { value: bytes } = block
    checksum = crc32(bytes, checksum)
    size += bytes.byteLength
    const state = { checksum, size }
    const packing = block.packed ?? deflateBlock(block, dictionary, options.level)
    // A copy, because the block may be refilled before the next one arrives.
    dictionary = Buffer.from(bytes.subarray(-GZIP_WINDOW))
    const packed = await packing
    block.release()
    return { packed, ...state }
  }
  for await (const block of mapInOrder(blocks, pack, options)) {
    options.onBlock?.(block)
    yield block.packed
  }
  const trailer = Buffer.allocUnsafe(8)
  trailer.writeUInt32LE(checksum, 0)
  // SPEC: ISIZE is the size modulo 2^32 (RFC 1952, 2.3.1).
  trailer.writeUInt32LE(size % 2 ** 32, 4)
  yield trailer
}

function deflateBlock(block: Block, dictionary: Uint8Array | undefined, level: number): Promise<Buffer> {
  const options = {
    ...effortFor(level, block.value),
    chunkSize: 256 * 1024,
    finishFlush: block.last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(dictionary ? { dictionary } : {}),
  }
  return new Promise((resolve, reject) => {
    deflateRaw(block.value, options, (error, result) => (error ? reject(error) : resolve(result)))
  })
}

/**
 * Returns the zlib parameters for a level. A level promises a size: at 6, the default, mixed content such as programs
 * and trees is at most 1 % larger than with `createGzip`; a stretch of one kind may be 2.3 % larger.
 *
 * PERF: effort 5 keeps that promise for blocks that compress poorly, which take most of the time, and is 20 to 30 %
 * faster. At other levels `memLevel` 9 saves 8 % of the time for 0.8 % of the size.
 */
function effortFor(level: number, bytes: Uint8Array): { level: number; memLevel: number } {
  if (level !== 6) return { level, memLevel: 9 }
  return { level: packsWell(bytes) ? 6 : 5, memLevel: 8 }
}

/**
 * Estimates from a sample in the middle whether a block compresses well. The result depends on the block alone. PERF: 3
 * % of the time of a block.
 */
function packsWell(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 4 * SAMPLE) return true
  const middle = bytes.byteLength >>> 1
  const sample = bytes.subarray(middle, middle + SAMPLE)
  return deflateRawSync(sample, { level: 1, chunkSize: SAMPLE }).byteLength < PACKS_WELL * SAMPLE
}
