import { checkDescriptor, type Descriptor } from './descriptor.ts'
import { checkKind, checkSharedMembers } from './document-kind.ts'
import { Guard, type JsonObject, member } from './guards.ts'
import { Limits } from './limits.ts'
import { isIndexType } from './media-types.ts'

/**
 * An image for one platform: its config and its layers, lowest first. Artifacts use manifests too.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md | image-spec: manifest}
 */
export interface ImageManifest {
  /** Always 2. */
  readonly schemaVersion: 2
  /** Media type of the document; OCI makes it optional, and Docker requires it. */
  readonly mediaType?: string
  /** Kind of artifact, if it is not an image. */
  readonly artifactType?: string
  /** The image config. */
  readonly config: Descriptor
  /** The layers, lowest first; empty if the document has `null` or no list. */
  readonly layers: readonly Descriptor[]
  /** The manifest that this manifest refers to, if it is a signature, an SBOM or the like. */
  readonly subject?: Descriptor
  /** Free text about the image. */
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Parses a manifest. The bytes stay authoritative: do not serialise the result in place of them.
 *
 * @throws {@link FormatError} `ERR_INVALID_MANIFEST` with the path of the fault.
 */
export function parseManifest(bytes: Uint8Array): ImageManifest {
  const guard = new Guard('ERR_INVALID_MANIFEST', 'image manifest')
  return checkManifest(guard, guard.parse(bytes))
}

/** Checks that a parsed document is a manifest. */
export function checkManifest(guard: Guard, document: JsonObject): ImageManifest {
  checkKind(guard, document, {
    kind: 'image manifest',
    foreign: ['manifests', 'fsLayers', 'history'],
    other: { name: 'an index', isType: isIndexType },
  })
  const config = checkDescriptor(guard, member(document, 'config'), 'config')
  guard.noLookalike(document, 'layers')
  const layers = guard
    .optionalArray(member(document, 'layers'), 'layers', Limits.layers)
    .map((layer, i) => checkDescriptor(guard, layer, `layers[${i}]`))
  return { ...checkSharedMembers(guard, document), config, layers } as unknown as ImageManifest
}
