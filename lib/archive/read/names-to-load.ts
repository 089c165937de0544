import { attachedTagIn, familiarName, parseReference } from '../../oci/index.ts'
import { storedName } from '../../store/index.ts'
import type { ArchivedImage } from './archived-image.ts'

/** True for what is attached to an image under a tag of cosign: a signature, an attestation, an SBOM. */
export function isAttachedEntry({ names, labels }: Pick<ArchivedImage, 'names' | 'labels'>): boolean {
  const all = [...labels, ...names]
  return all.length > 0 && all.every(name => attachedTagIn(name) !== undefined)
}

/**
 * Returns the names that an image of an archive gets in a store: those of the archive, or the given one. What is
 * attached to an image keeps its tags, beside the given name.
 */
export function namesToLoad(
  image: Pick<ArchivedImage, 'names' | 'labels'>,
  given: string | undefined,
): readonly string[] {
  if (given === undefined) return image.names
  if (!isAttachedEntry(image)) return [storedName(given)]
  const { registry, repository } = parseReference(given)
  return image.names.map(name => familiarName({ registry, repository, tag: attachedTagIn(name)! }))
}
