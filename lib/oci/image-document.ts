import { FormatError } from '../errors/index.ts'
import type { Descriptor } from './descriptor.ts'
import { Guard, isAbsent, type JsonObject, member } from './guards.ts'
import { checkIndex, type ImageIndex } from './image-index.ts'
import { checkManifest, type ImageManifest } from './image-manifest.ts'
import { isIndexType, isManifestType, MediaType } from './media-types.ts'

/** A document that a reference can name: one image, or one for each platform. */
export type ImageDocument = ManifestDocument | IndexDocument

/** A manifest, and the media type that it goes under. */
export interface ManifestDocument {
  /** Which of the two it is. */
  readonly kind: 'manifest'
  /** Its media type, from itself, from others, or from its members. */
  readonly mediaType: string
  /** What it says. */
  readonly manifest: ImageManifest
}

/** An index, and the media type that it goes under. */
export interface IndexDocument {
  /** Which of the two it is. */
  readonly kind: 'index'
  /** Its media type, from itself, from others, or from its members. */
  readonly mediaType: string
  /** What it says. */
  readonly index: ImageIndex
}

/**
 * Reads a manifest or an index, whichever it is, and says under which media type it goes.
 *
 * `mediaType` is what others say of it (a descriptor, a `Content-Type`); it must agree with what the document says of
 * itself. If neither says anything, the members decide: OCI allows documents without a media type.
 *
 * @throws {@link FormatError} `ERR_INVALID_MANIFEST`, `ERR_INVALID_INDEX`, or `ERR_UNSUPPORTED_MEDIA_TYPE` for a kind
 * that is neither.
 */
export function parseImageDocument(bytes: Uint8Array, mediaType?: string): ImageDocument {
  const document = new Guard('ERR_INVALID_MANIFEST', 'manifest').parse(bytes)
  const type = agreedType(document, mediaType)
  if (isIndexType(type)) {
    return {
      kind: 'index',
      mediaType: type,
      index: checkIndex(new Guard('ERR_INVALID_INDEX', 'image index'), document),
    }
  }
  if (isManifestType(type)) {
    const guard = new Guard('ERR_INVALID_MANIFEST', 'image manifest')
    return { kind: 'manifest', mediaType: type, manifest: checkManifest(guard, document) }
  }
  throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', `neither manifest nor index: media type ${type}`)
}

function agreedType(document: JsonObject, said: string | undefined): string {
  const own = member(document, 'mediaType')
  if (!isAbsent(own) && typeof own !== 'string') {
    throw new FormatError('ERR_INVALID_MANIFEST', 'invalid manifest: must be a string', { at: 'mediaType' })
  }
  // SPEC: a client rejects a document whose media type is not the one it was announced under (distribution-spec, pulling).
  if (own && said && own !== said) {
    throw new FormatError('ERR_INVALID_MANIFEST', `manifest says it is ${own}, but came as ${said}`, {
      at: 'mediaType',
    })
  }
  if (own || said) return (own || said) as string
  if (member(document, 'schemaVersion') === 1) return 'application/vnd.docker.distribution.manifest.v1+json'
  return member(document, 'manifests') === undefined ? MediaType.OciManifest : MediaType.OciIndex
}

/** Everything that a document needs to be complete: manifests of an index; config and layers of a manifest, in order. */
export function successorsOf(document: ImageDocument): readonly Descriptor[] {
  return document.kind === 'index' ? document.index.manifests : [document.manifest.config, ...document.manifest.layers]
}
