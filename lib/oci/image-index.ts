import { checkDescriptor, type Descriptor } from './descriptor.ts'
import { checkKind, checkSharedMembers } from './document-kind.ts'
import { Guard, type JsonObject, member } from './guards.ts'
import { isManifestType } from './media-types.ts'

/**
 * An image for several platforms, with one manifest per platform.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md | image-spec: index}
 */
export interface ImageIndex {
  /** Always 2. */
  readonly schemaVersion: 2
  /** Media type of the document; OCI makes it optional, and Docker requires it. */
  readonly mediaType?: string
  /** Kind of artifact, if it is not an image. */
  readonly artifactType?: string
  /** Manifests or indexes, each with its platform. */
  readonly manifests: readonly Descriptor[]
  /** The manifest that this index refers to. */
  readonly subject?: Descriptor
  /** Free text about the index. */
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Parses an index. The bytes stay authoritative: do not serialise the result in place of them.
 *
 * @throws {@link FormatError} `ERR_INVALID_INDEX` with the path of the fault.
 */
export function parseIndex(bytes: Uint8Array): ImageIndex {
  const guard = new Guard('ERR_INVALID_INDEX', 'image index')
  return checkIndex(guard, guard.parse(bytes))
}

/** Checks that a parsed document is an index. */
export function checkIndex(guard: Guard, document: JsonObject): ImageIndex {
  checkKind(guard, document, {
    kind: 'image index',
    foreign: ['config', 'layers', 'fsLayers'],
    other: { name: 'a manifest', isType: isManifestType },
  })
  const manifests = guard
    .array(member(document, 'manifests'), 'manifests')
    .map((manifest, i) => checkDescriptor(guard, manifest, `manifests[${i}]`))
  return { ...checkSharedMembers(guard, document), manifests } as unknown as ImageIndex
}
