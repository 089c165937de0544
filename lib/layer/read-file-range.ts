import { type Digest, verifyBytes } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { BlobReader } from '../store/index.ts'
import { expandSparse } from '../tar/index.ts'
import type { IndexedEntry } from './layer-index.ts'
import { layerBlob } from './reading/layer-proof.ts'
import { openTar } from './reading/open-tar.ts'

/** Byte range to read. */
export interface LayerRange extends AbortOptions {
  /** Offset of the first byte. */
  readonly offset: number
  /** Number of bytes. */
  readonly length: number
}

/**
 * Reads a byte range of a file in a layer, by the layer's index; holes are zeros. The bytes are not verified; the
 * caller verifies them if it knows their digest. Exception: if the index has only the digest of the stored bytes and
 * all of them are read, they are verified here.
 *
 * @internal
 */
export function readFileRange(
  store: Pick<BlobReader, 'read'>,
  layer: { readonly descriptor: Descriptor; readonly diffId: Digest },
  file: Pick<IndexedEntry, 'path' | 'offset' | 'sparse' | 'storedDigest'>,
  { offset, length, signal }: LayerRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  const open = (range: { readonly offset: number; readonly length: number }) => {
    const bytes = readLayerRange(store, layer, { offset: file.offset + range.offset, length: range.length, signal })
    const size = file.sparse?.reduce((sum, region) => sum + region.length, 0)
    if (file.storedDigest === undefined || range.length !== size) return bytes
    return verifyBytes(bytes, { digest: file.storedDigest, size }, { what: `content of ${JSON.stringify(file.path)}` })
  }
  return file.sparse ? expandSparse(file.sparse, { offset, length }, open) : open({ offset, length })
}

/**
 * Yields a byte range of a layer's tar, shorter if the tar ends before. A compressed layer is decompressed only up to
 * the end of the range.
 */
async function* readLayerRange(
  store: Pick<BlobReader, 'read'>,
  { descriptor, diffId }: { readonly descriptor: Descriptor; readonly diffId: Digest },
  range: LayerRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { offset, length, signal } = range
  if (length === 0) return
  if (diffId === descriptor.digest) {
    yield* store.read(descriptor.digest, { offset, length, signal })
    return
  }
  const end = offset + length
  let position = 0
  for await (const chunk of openTar(layerBlob(store, descriptor, { diffId, signal }), descriptor, { diffId, signal })) {
    const from = Math.max(0, offset - position)
    const to = Math.min(chunk.byteLength, end - position)
    if (to > from) yield chunk.subarray(from, to)
    position += chunk.byteLength
    if (position >= end) return
  }
}
