import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import {
  assertLayersAgree,
  type Descriptor,
  type ImageManifest,
  isImageManifest,
  parseImageDocument,
  walkGraph,
} from '../../oci/index.ts'
import { type BlobReader, readDocument } from '../../store/index.ts'
import type { MemberTable } from '../members/member-table.ts'

/**
 * Rejects an image of an archive whose config and manifest list different numbers of layers: such an image would be
 * unpacked without its files. `docker save` 25.0.0 wrote such manifests beside a correct `manifest.json` (moby#47065).
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG`, which names the other list if the archive has one.
 */
export async function assertImageAgrees(
  reader: BlobReader,
  root: Descriptor,
  members: MemberTable,
  { format, signal }: AbortOptions & { readonly format: 'oci' | 'docker' },
): Promise<void> {
  try {
    for (const manifest of await imagesBelow(reader, root, { signal })) {
      assertLayersAgree(manifest, await readDocument(reader, manifest.config, { signal }))
    }
  } catch (error) {
    const isDisagreement = error instanceof FormatError && error.code === 'ERR_INVALID_CONFIG'
    if (!isDisagreement || format !== 'oci' || !members.has('manifest.json')) throw error
    const hint = 'its manifest.json lists layers, too: docker-archive:FILE (format: docker) follows that list'
    throw new FormatError('ERR_INVALID_CONFIG', `${error.message}; ${hint}`, { cause: error })
  }
}

async function imagesBelow(reader: BlobReader, root: Descriptor, options: AbortOptions): Promise<ImageManifest[]> {
  const images: ImageManifest[] = []
  await walkGraph(root, {
    async read({ descriptor }) {
      const document = parseImageDocument(await readDocument(reader, descriptor, options), descriptor.mediaType)
      if (document.kind === 'manifest' && isImageManifest(document.manifest)) images.push(document.manifest)
      return document
    },
  })
  return images
}
