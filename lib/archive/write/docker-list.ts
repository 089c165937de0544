import { type Digest, splitDigest } from '../../digest/index.ts'
import { BlobNotFoundError } from '../../errors/index.ts'
import { readImage } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { formatReference, type Platform, parseReference } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { entryNameOf } from '../formats/entry-name.ts'
import type { WrittenImage } from './archive-source.ts'

/**
 * Makes docker's `manifest.json` for images whose blobs have the paths of a layout. Of a multi-platform image it lists
 * one platform, as docker does: the requested one, or that of this machine.
 *
 * @param blobs - The blobs of the archive, and those that its receiver has.
 * @throws {@link FormatError} `ERR_UNSUPPORTED_MEDIA_TYPE` for a document that is no image;
 * {@link PlatformNotFoundError}; {@link BlobNotFoundError} for an absent layer.
 */
export async function dockerListOf(
  store: Store,
  images: readonly WrittenImage[],
  blobs: ReadonlySet<Digest>,
  options: AbortOptions & { readonly platform?: string | Platform | undefined },
): Promise<Uint8Array> {
  const list = []
  for (const { descriptor, names } of images) {
    const { manifest } = await readImage(store, descriptor, options)
    const missing = manifest.layers.find(({ digest }) => !blobs.has(digest))
    if (missing) throw new BlobNotFoundError(missing.digest, { parent: descriptor.digest })
    list.push({
      Config: blobPath(manifest.config.digest),
      RepoTags: names.flatMap(tagOf),
      Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
    })
  }
  return canonicalJson(list)
}

/** Path of a blob in a layout. */
export function blobPath(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest)
  return `blobs/${algorithm}/${hex}`
}

/**
 * docker reads names with repository and tag only. They are written in full, as skopeo does: podman 4.3.1 reads a short
 * name as `localhost/…`.
 */
function tagOf(name: string): string[] {
  const kept = entryNameOf(name)
  if (kept === undefined) return []
  const { digest: _, ...tagged } = parseReference(kept)
  return tagged.tag === undefined ? [] : [formatReference(tagged)]
}
