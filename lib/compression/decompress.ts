import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import { type ByteSource, chunksOf, keepFault } from '../internal/byte-source.ts'
import type { CompressionType, DetectedCompression } from './detect-compression.ts'
import { decompressGzip } from './gzip/decompress-gzip.ts'
import { boundOutput } from './shared/bound-output.ts'
import type { BytesCome } from './shared/engine-input.ts'
import { sniffCompression } from './sniff-compression.ts'
import { decompressZstd } from './zstd/decompress-zstd.ts'

/** Options and limits of {@link decompress}. */
export interface DecompressOptions extends AbortOptions {
  /** Format; `auto` detects it by the first bytes. @defaultValue `'auto'` */
  readonly type?: CompressionType | 'auto' | undefined
  /** Maximum number of output bytes. @defaultValue no limit */
  readonly maxBytes?: number | undefined
  /** Maximum number of output bytes per input byte, enforced above 64 MiB of output. @defaultValue `1000` */
  readonly maxRatio?: number | undefined
}

/**
 * Decompresses a stream strictly: it refuses input that two decoders could read differently. Several gzip members or
 * zstd frames (skippable ones included) in a row are one stream; zero bytes after the last gzip member are ignored.
 *
 * Output is unverified until the stream ends; checksums are verified. Memory does not grow with the stream: it is
 * bounded by the zstd window, at most 128 MiB, and twice that while the buffer grows. Processor time is bounded by the
 * input and output bytes, regardless of the number of members, frames and blocks. Leaving the loop early releases
 * everything.
 *
 * @example
 * ```ts
 * const diffId = await digestOf(decompress(store.read(digest), { maxBytes: 1e9 }))
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_COMPRESSION` for damaged, truncated or surplus input, at the end of the
 * stream at the latest; `ERR_UNSUPPORTED_COMPRESSION` for bzip2, xz, zstd dictionaries and larger windows.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` as soon as a limit is exceeded.
 * @see {@link https://www.rfc-editor.org/rfc/rfc1952 | RFC 1952: gzip}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878 | RFC 8878: zstd}
 */
export function decompress(
  source: ByteSource,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  keepFault(source)
  return decompressing(source, options)
}

async function* decompressing(
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
  // SAFETY: a layer decides its own format. If a decompressor program were started by name, a malicious image could
  // choose the program that runs; no program is started here.
  throw new FormatError('ERR_UNSUPPORTED_COMPRESSION', `cannot read ${JSON.stringify(type)}`)
}

async function* count(chunks: Chunks, input: BytesCome): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    input.bytes += chunk.byteLength
    yield chunk
  }
}
