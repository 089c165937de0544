import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../internal/byte-source.ts'
import type { CompressionType, DetectedCompression } from './detect-compression.ts'
import { decompressGzip } from './gzip/decompress-gzip.ts'
import { boundOutput } from './shared/bound-output.ts'
import type { BytesCome } from './shared/engine-input.ts'
import { sniffCompression } from './sniff-compression.ts'
import { decompressZstd } from './zstd/decompress-zstd.ts'

/** How to decompress, and how much at most. */
export interface DecompressOptions extends AbortOptions {
  /** The format; `auto` looks at the first bytes. @defaultValue `'auto'` */
  readonly type?: CompressionType | 'auto' | undefined
  /** Bytes that may come out. @defaultValue no limit */
  readonly maxBytes?: number | undefined
  /** Bytes that may come out for each byte that went in, once more than 64 MiB came out. @defaultValue `1000` */
  readonly maxRatio?: number | undefined
}

/**
 * Opens a compressed stream, strictly: whatever two readers could understand differently is refused. Several gzip members
 * or zstd frames (skippable ones included) in a row are one stream; zero bytes after the last gzip member are ignored.
 *
 * Bytes handed out before the end are not proven yet. Checksums are verified. Memory is bounded by the zstd window, at most
 * 128 MiB and as much again while the buffer grows to it, and does not grow with the stream. Processor time is bounded by
 * the bytes that come in and go out, however many members, frames and blocks they are in. Leaving the loop early frees everything.
 *
 * @throws {@link FormatError} `ERR_INVALID_COMPRESSION` for damaged, truncated or surplus input, at the end of the stream
 * at the latest; `ERR_UNSUPPORTED_COMPRESSION` for bzip2, xz, zstd dictionaries and larger windows.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` as soon as a limit is crossed.
 * @see {@link https://www.rfc-editor.org/rfc/rfc1952 | RFC 1952: gzip}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878 | RFC 8878: zstd}
 */
export async function* decompress(
  source: ByteSource,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { maxBytes, maxRatio = 1000, signal } = options
  const chunks = abortableItems(chunksOf(source), signal)
  const input = { bytes: 0 }
  if (options.type && options.type !== 'auto') {
    yield* boundOutput(open(options.type, chunks, input), { maxBytes, maxRatio, input, signal })
    return
  }
  const { type, content } = await sniffCompression(chunks)
  try {
    yield* boundOutput(open(type, content, input), { maxBytes, maxRatio, input, signal })
  } finally {
    await content.return()
  }
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

function open(type: DetectedCompression, source: Chunks, input: BytesCome): AsyncIterable<Uint8Array> {
  if (type === 'gzip') return decompressGzip(source, input)
  if (type === 'zstd') return decompressZstd(count(source, input))
  if (type === 'none') return count(source, input)
  // SAFETY: a decompressor is never started by name; engines that do so were made to run one from the image.
  throw new FormatError('ERR_UNSUPPORTED_COMPRESSION', `cannot read ${JSON.stringify(type)}`)
}

async function* count(chunks: Chunks, input: BytesCome): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    input.bytes += chunk.byteLength
    yield chunk
  }
}
