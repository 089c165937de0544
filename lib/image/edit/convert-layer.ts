import { compress, decompress } from '../../compression/index.ts'
import { createStreamDigester, type StreamDigester, splitDigest } from '../../digest/index.ts'
import { DiffIdMismatchError, FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { isEncryptedLayerType, isForeignLayerType, MediaType } from '../../oci/index.ts'
import { recordLayerFact, type Store } from '../../store/index.ts'
import type { ImageLayer } from '../read-image.ts'

/** Options of {@link convertLayer}. */
export interface ConvertLayerOptions extends AbortOptions {
  readonly compression?: 'gzip' | 'zstd' | 'none' | undefined
  readonly level?: number | undefined
}

const TYPES = { gzip: MediaType.OciLayerGzip, zstd: MediaType.OciLayerZstd, none: MediaType.OciLayer } as const

/**
 * Compresses a layer anew, in a stream that also proves its diffID. A layer of this compression is returned unchanged,
 * and so is one that registries do not hold.
 */
export async function convertLayer(
  store: Store,
  layer: ImageLayer,
  { compression, level, signal }: ConvertLayerOptions,
): Promise<ImageLayer> {
  const { mediaType } = layer.descriptor
  if (compression === undefined || isForeignLayerType(mediaType)) return layer
  if (isEncryptedLayerType(mediaType)) {
    throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', `${layer.descriptor.digest} is encrypted (${mediaType})`)
  }
  if (compressionOf(mediaType) === compression) return layer
  const digester = await createStreamDigester({ algorithm: splitDigest(layer.diffId).algorithm })
  try {
    const tar = proven(decompress(store.read(layer.descriptor.digest, { signal }), { signal }), layer, digester)
    const info = await store.put(compress(tar, { type: compression, level, signal }), { signal })
    await recordLayerFact(store, { digest: info.digest, diffId: layer.diffId, proven: true })
    return { descriptor: { mediaType: TYPES[compression], ...info }, diffId: layer.diffId }
  } finally {
    digester.release()
  }
}

function compressionOf(mediaType: string): 'gzip' | 'zstd' | 'none' {
  if (/[+.]zstd$/.test(mediaType)) return 'zstd'
  return /[+.]gzip$/.test(mediaType) ? 'gzip' : 'none'
}

/** Passes the tar on; fails at its end, before anything is stored, if it is not the layer. */
async function* proven(
  tar: AsyncIterable<Uint8Array>,
  { diffId, descriptor }: ImageLayer,
  digester: StreamDigester,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of tar) {
    await digester.update(chunk)
    yield chunk
  }
  const actual = await digester.digest()
  if (actual !== diffId) throw new DiffIdMismatchError({ expected: diffId, actual, layer: descriptor.digest })
}
