import { availableParallelism } from 'node:os'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import { type ByteSource, chunksOf, keepFault } from '../internal/byte-source.ts'
import type { CompressionType } from './detect-compression.ts'
import { compressGzip } from './gzip/compress-gzip.ts'
import { compressZstd } from './zstd/compress-zstd.ts'

/** Options of {@link compress}. */
export interface CompressOptions extends AbortOptions {
  /** The format to write. */
  readonly type: CompressionType
  /** gzip 0 to 9, zstd 1 to 19. @defaultValue gzip 6, zstd 3 */
  readonly level?: number | undefined
  /**
   * Number of blocks compressed at once. The output does not depend on it. @defaultValue gzip 4, zstd the number of
   * processors, at most 4
   */
  readonly concurrency?: number | undefined
}

const LEVELS = { gzip: { min: 0, max: 9, usual: 6 }, zstd: { min: 1, max: 19, usual: 3 } } as const

/**
 * Compresses a stream. Equal input gives equal output on one version of Node, regardless of chunk boundaries and
 * `concurrency`: a gzip stream is one member with a fixed header, compressed in blocks of 1 MiB. Memory: about four
 * blocks for each block in flight (gzip 1 MiB, zstd 4 MiB). Leaving the loop early releases everything.
 *
 * @example
 * ```ts
 * await store.put(compress(createReadStream('layer.tar'), { type: 'gzip', level: 9 }))
 * ```
 *
 * @throws {@link FormatError} `ERR_UNSUPPORTED_COMPRESSION` for zstd where the platform cannot write it,
 * `ERR_INVALID_ARGUMENT` for a level out of range.
 * @see {@link https://www.rfc-editor.org/rfc/rfc1952 | RFC 1952: gzip}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878 | RFC 8878: zstd}
 */
export function compress(source: ByteSource, options: CompressOptions): AsyncGenerator<Uint8Array, void, undefined> {
  keepFault(source)
  return compressing(source, options)
}

async function* compressing(source: ByteSource, options: CompressOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { type, signal } = options
  // PERF: with one block per processor (2), a processor idles whenever the calling thread is busy with the tar: 256 MiB
  // take 4.7 s, with four blocks 4.0 s. zstd frames are four times as large, and faster.
  const concurrency = options.concurrency ?? (type === 'gzip' ? 4 : Math.min(availableParallelism(), 4))
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `concurrency must be a whole number from 1, is ${concurrency}`)
  }
  const chunks = abortableItems(chunksOf(source), signal)
  if (type === 'gzip') yield* compressGzip(chunks, { level: levelOf(type, options.level), concurrency, signal })
  else if (type === 'zstd') yield* compressZstd(chunks, { level: levelOf(type, options.level), concurrency, signal })
  else if (type === 'none') yield* chunks
  else throw new FormatError('ERR_UNSUPPORTED_COMPRESSION', `cannot write ${JSON.stringify(type)}`)
}

function levelOf(type: 'gzip' | 'zstd', level: number | undefined): number {
  const { min, max, usual } = LEVELS[type]
  const wanted = level ?? usual
  if (Number.isInteger(wanted) && wanted >= min && wanted <= max) return wanted
  throw new FormatError('ERR_INVALID_ARGUMENT', `level of ${type} must be ${min} to ${max}, is ${wanted}`)
}
