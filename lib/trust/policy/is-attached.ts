import { MediaType } from '../../oci/index.ts'
import type { ImageToVerify } from '../../transfer/index.ts'
import { SignatureType } from '../sign/formats/media-types.ts'

/**
 * SPEC: the tags under which cosign keeps what belongs to an image. A tag of a layout, which has no repository, becomes
 * a name with `:latest` in a store.
 */
const TAG = /(?:^|:)sha(?:256|512)-[0-9a-f]{64,128}\.(?:sig|att|sbom)(?::latest)?$/

/** Media types of signatures, statements and SBOMs. */
const TYPES: readonly string[] = [
  SignatureType.SimpleSigning,
  SignatureType.Bundle,
  SignatureType.Dsse,
  SignatureType.InToto,
  'application/jose+json',
  'application/cose',
  'application/spdx+json',
  'text/spdx',
  'text/spdx+json',
  'application/vnd.cyclonedx',
  'application/vnd.cyclonedx+json',
  'application/vnd.cyclonedx+xml',
  'application/vnd.syft+json',
  MediaType.OciEmpty,
]

/**
 * Returns whether a manifest is no image, but signatures, statements or SBOMs about one, which are not signed again.
 *
 * SAFETY: each layer must be such a document, because a manifest with one layer of files can be run. A name must be a
 * tag of cosign, because the config of the manifest would otherwise become that of an image built upon the name.
 */
export async function isAttached({ source: { name, repository }, root, read }: ImageToVerify): Promise<boolean> {
  // A mirror gives what is asked for by its digest no name; a store keeps a name that has one.
  const getsName = name !== undefined && !(repository && name.includes('@'))
  if (getsName && !TAG.test(name)) return false
  const document = await read(root.digest)
  if (document.kind === 'index') return false
  const { layers } = document.manifest
  return layers.length > 0 && layers.every(({ mediaType }) => TYPES.includes(mediaType))
}
