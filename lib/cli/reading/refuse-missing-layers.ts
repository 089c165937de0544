import { BlobNotFoundError } from '../../errors/index.ts'
import type { Image, NamedBlobs } from '../../image/index.ts'
import { formatReference } from '../../oci/index.ts'

/**
 * Refuses an image that was put on a base which was not pulled, before its files are read: the message says where its
 * layers are.
 *
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` with `source`.
 */
export async function refuseMissingLayers(
  blobs: Pick<NamedBlobs, 'stat'>,
  { remoteLayers = [], layers, descriptor }: Image,
  signal: AbortSignal,
): Promise<void> {
  const [source] = remoteLayers
  if (!source) return
  for (const { digest } of layers.map(layer => layer.descriptor)) {
    if (await blobs.stat(digest, { signal })) continue
    throw new BlobNotFoundError(digest, { parent: descriptor.digest, source: formatReference(source) })
  }
}
