import { checkDescriptor, type Descriptor } from './descriptor.ts'
import { Guard, isAbsent, type JsonObject, member } from './guards.ts'
import { Limits } from './limits.ts'
import { isIndexType } from './media-types.ts'

/**
 * One image for one platform: its config and its layers, lowest first. Also carries artifacts.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md | image-spec: manifest}
 */
export interface ImageManifest {
  /** Always 2. */
  readonly schemaVersion: 2
  /** Media type of this document; some tools leave it out. */
  readonly mediaType?: string
  /** Kind of artifact, if it is not an image. */
  readonly artifactType?: string
  /** The image config. */
  readonly config: Descriptor
  /** The layers, lowest first; empty also where the document has `null` or none. */
  readonly layers: readonly Descriptor[]
  /** The manifest that this one is about (signatures and the like). */
  readonly subject?: Descriptor
  /** Free text about the image. */
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Reads a manifest. The bytes stay authoritative: the result is for looking at, never for writing back.
 *
 * @throws {@link FormatError} `ERR_INVALID_MANIFEST` with the path of the fault.
 */
export function parseManifest(bytes: Uint8Array): ImageManifest {
  const guard = new Guard('ERR_INVALID_MANIFEST', 'image manifest')
  return checkManifest(guard, guard.parse(bytes))
}

/** Checks a parsed document as a manifest. */
export function checkManifest(guard: Guard, document: JsonObject): ImageManifest {
  guard.schemaVersion2(member(document, 'schemaVersion'))
  // SAFETY: a document that is both manifest and index means two things to two readers (CVE-2021-41190).
  for (const key of ['manifests', 'fsLayers', 'history']) {
    if (member(document, key) !== undefined) guard.fail(key, 'does not belong in an image manifest')
  }
  const mediaType = member(document, 'mediaType')
  guard.optionalString(mediaType, 'mediaType')
  if (isIndexType(String(mediaType))) guard.fail('mediaType', 'is that of an index')
  guard.optionalString(member(document, 'artifactType'), 'artifactType')
  checkDescriptor(guard, member(document, 'config'), 'config')
  guard.noLookalike(document, 'layers')
  const layers = guard.optionalArray(member(document, 'layers'), 'layers', Limits.layers)
  for (const [i, layer] of layers.entries()) checkDescriptor(guard, layer, `layers[${i}]`)
  checkSubjectAndAnnotations(guard, document)
  return { ...document, layers } as unknown as ImageManifest
}

/** Checks the members that manifests and indexes share. */
export function checkSubjectAndAnnotations(guard: Guard, document: JsonObject): void {
  const subject = member(document, 'subject')
  if (!isAbsent(subject)) checkDescriptor(guard, subject, 'subject')
  guard.optionalStringMap(member(document, 'annotations'), 'annotations')
}
