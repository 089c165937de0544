import { type CompressionType, decompress, sniffCompression } from '../../compression/index.ts'
import type { Digest } from '../../digest/index.ts'
import { FormatError, SizeMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, isEncryptedLayerType, isForeignLayerType, isLayerType } from '../../oci/index.ts'
import type { LayerLimits } from './layer-limits.ts'

/** Options and limits for opening a layer. */
export interface OpenLayerOptions extends AbortOptions, LayerLimits {
  /** Digest against which the caller will verify the bytes. */
  readonly diffId?: Digest | undefined
}

/**
 * Yields the tar of a layer's bytes. The first bytes decide the compression, because registries contain layers with a
 * wrong media type. A contradiction is accepted only if a diffId verifies the result.
 */
export async function* openTar(
  blob: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  options: OpenLayerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { diffId, maxBytes, maxRatio, signal } = options
  const declared = compressionOf(descriptor)
  const { type: found, content } = await sniffCompression(sized(blob, descriptor))
  try {
    // The first bytes of a tar may equal the magic number of a compression; a blob whose digest is its diffID is a tar.
    const type = diffId === descriptor.digest ? 'none' : found
    if (type !== declared && !diffId) {
      throw new FormatError(
        'ERR_UNSUPPORTED_MEDIA_TYPE',
        `layer ${descriptor.digest} is ${found} by its bytes, ${declared} by its type, and no diffId is known to prove it`,
      )
    }
    if (type === 'bzip2' || type === 'xz') {
      throw new FormatError('ERR_UNSUPPORTED_COMPRESSION', `layer ${descriptor.digest} is compressed with ${type}`)
    }
    yield* decompress(content, { type, maxBytes, maxRatio, signal })
  } finally {
    await content.return()
  }
}

function compressionOf({ mediaType, digest }: Descriptor): CompressionType {
  if (isEncryptedLayerType(mediaType)) {
    const message = `layer ${digest} is encrypted (${mediaType}): decrypt the image with the tool that encrypted it first`
    throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', message)
  }
  const suffix =
    isLayerType(mediaType) && !isForeignLayerType(mediaType) ? /\.tar[.+]?([a-z0-9]*)$/.exec(mediaType) : null
  const declared = suffix && (suffix[1] || 'none')
  if (declared === 'none' || declared === 'gzip' || declared === 'zstd') return declared
  throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', `cannot open ${digest} as a layer: its type is ${mediaType}`)
}

/** Verifies the size that the descriptor states. The store verifies the digest. */
async function* sized(
  blob: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
): AsyncGenerator<Uint8Array, void, undefined> {
  let actual = 0
  for await (const chunk of blob) {
    actual += chunk.byteLength
    if (actual > size) break
    yield chunk
  }
  if (actual !== size) throw new SizeMismatchError({ expected: size, actual, what: `layer ${digest}` })
}
