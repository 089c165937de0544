import { checkDescriptor, type Descriptor } from './descriptor.ts'
import { Guard, type JsonObject, member } from './guards.ts'
import { checkSubjectAndAnnotations } from './image-manifest.ts'
import { isManifestType } from './media-types.ts'

/**
 * One image for several platforms: a manifest for each.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md | image-spec: index}
 */
export interface ImageIndex {
  /** Always 2. */
  readonly schemaVersion: 2
  /** Media type of this document; some tools leave it out. */
  readonly mediaType?: string
  /** Kind of artifact, if it is not an image. */
  readonly artifactType?: string
  /** Manifests, or indexes, with the platform each is for. */
  readonly manifests: readonly Descriptor[]
  /** The manifest that this one is about. */
  readonly subject?: Descriptor
  /** Free text about the index. */
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Reads an index. The bytes stay authoritative: the result is for looking at, never for writing back.
 *
 * @throws {@link FormatError} `ERR_INVALID_INDEX` with the path of the fault.
 */
export function parseIndex(bytes: Uint8Array): ImageIndex {
  const guard = new Guard('ERR_INVALID_INDEX', 'image index')
  return checkIndex(guard, guard.parse(bytes))
}

/** Checks a parsed document as an index. */
export function checkIndex(guard: Guard, document: JsonObject): ImageIndex {
  guard.schemaVersion2(member(document, 'schemaVersion'))
  // SAFETY: a document that is both manifest and index means two things to two readers (CVE-2021-41190).
  for (const key of ['config', 'layers', 'fsLayers']) {
    if (member(document, key) !== undefined) guard.fail(key, 'does not belong in an image index')
  }
  const mediaType = member(document, 'mediaType')
  guard.optionalString(mediaType, 'mediaType')
  if (isManifestType(String(mediaType))) guard.fail('mediaType', 'is that of a manifest')
  guard.optionalString(member(document, 'artifactType'), 'artifactType')
  guard
    .array(member(document, 'manifests'), 'manifests')
    .forEach((manifest, i) => void checkDescriptor(guard, manifest, `manifests[${i}]`))
  checkSubjectAndAnnotations(guard, document)
  return document as unknown as ImageIndex
}
