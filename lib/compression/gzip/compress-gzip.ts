import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib'
import type { ByteSource } from '../../internal/byte-source.ts'
import { type Block, exactBlocks } from '../shared/exact-blocks.ts'
import { mapInOrder } from '../shared/map-in-order.ts'

// PERF: blocks of 128 KiB gain nothing, and blocks of 2 MiB neither.
const BLOCK = 1024 * 1024

/** How far back deflate can refer. */
const WINDOW = 32 * 1024

/** How much of a block is looked at, and from which share on it is not worth more effort: see the rationale. */
const SAMPLE = 32 * 1024
const PACKS_WELL = 0.29

/** Method deflate, no flags, no time, no hint of the level, operating system unknown. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)

/** What {@link compressGzip} needs to know. */
export interface BlockCompression {
  readonly level: number
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
}

/**
 * One gzip member. Its deflate stream is made of blocks that are compressed apart: each knows the end of the one before
 * it as its dictionary and, but for the last, ends at a byte boundary, so that the pieces joined are one stream.
 */
export async function* compressGzip(
  source: ByteSource,
  options: BlockCompression,
): AsyncGenerator<Uint8Array, void, undefined> {
  let checksum = 0
  let size = 0
  let dictionary: Uint8Array | undefined
  const deflateNext = async (block: Block): Promise<Buffer> => {
    const { bytes } = block
    checksum = crc32(bytes, checksum)
    size += bytes.byteLength
    const deflating = deflateBlock(block, dictionary, options.level)
    // A copy: the block may be filled again before the next one comes.
    dictionary = Buffer.from(bytes.subarray(-WINDOW))
    const deflated = await deflating
    block.release()
    return deflated
  }
  yield HEADER.slice()
  yield* mapInOrder(exactBlocks(source, BLOCK), deflateNext, options)
  const trailer = Buffer.allocUnsafe(8)
  trailer.writeUInt32LE(checksum, 0)
  // SPEC: the size is kept modulo 2^32.
  trailer.writeUInt32LE(size % 2 ** 32, 4)
  yield trailer
}

function deflateBlock(block: Block, dictionary: Uint8Array | undefined, level: number): Promise<Buffer> {
  const options = {
    ...effortFor(level, block.bytes),
    chunkSize: 256 * 1024,
    finishFlush: block.last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(dictionary ? { dictionary } : {}),
  }
  return new Promise((resolve, reject) => {
    deflateRaw(block.bytes, options, (error, result) => (error ? reject(error) : resolve(result)))
  })
}

/**
 * What zlib has to do for a level, which is a promise of size: at 6, the usual one, no more than one per cent above
 * `createGzip` for what is of many kinds, as programs and trees are; a stretch of one kind may be 2.3 % larger. PERF: an
 * effort of 5 keeps it for what does not pack very well, which is most of what takes long, and takes 20 to 30 % less
 * time. Elsewhere longer runs of symbols (`memLevel` 9) save 8 % of the time for 0.8 % of the size.
 */
function effortFor(level: number, bytes: Uint8Array): { level: number; memLevel: number } {
  if (level !== 6) return { level, memLevel: 9 }
  return { level: packsWell(bytes) ? 6 : 5, memLevel: 8 }
}

/** Judged by a sample out of the middle, so that it depends on nothing but the block. PERF: 3 % of the time of a block. */
function packsWell(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 4 * SAMPLE) return true
  const middle = bytes.byteLength >>> 1
  const sample = bytes.subarray(middle, middle + SAMPLE)
  return deflateRawSync(sample, { level: 1, chunkSize: SAMPLE }).byteLength < PACKS_WELL * SAMPLE
}
