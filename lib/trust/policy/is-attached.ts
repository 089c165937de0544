import type { Digest } from '../../digest/index.ts'
import { attachedTagIn, MediaType } from '../../oci/index.ts'
import type { ImageToVerify } from '../../transfer/index.ts'
import { SignatureType } from '../sign/formats/media-types.ts'

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
export async function isAttached(image: ImageToVerify): Promise<boolean> {
  const { name, repository } = image.source
  // A mirror gives what is asked for by its digest no name; a store keeps a name that has one.
  const getsName = name !== undefined && !(repository && name.includes('@'))
  if (getsName && attachedTagIn(name) === undefined) return false
  return holdsDocuments(image, image.root.digest)
}

/** Returns whether a manifest holds signatures, statements or SBOMs, and nothing else. */
export async function holdsDocuments({ read }: ImageToVerify, digest: Digest): Promise<boolean> {
  const document = await read(digest)
  if (document.kind === 'index') return false
  const { layers } = document.manifest
  return layers.length > 0 && layers.every(({ mediaType }) => TYPES.includes(mediaType))
}
