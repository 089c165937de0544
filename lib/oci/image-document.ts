import { FormatError } from '../errors/index.ts'
import type { Descriptor } from './descriptor.ts'
import { Guard, isAbsent, type JsonObject, member } from './guards.ts'
import { checkIndex, type ImageIndex } from './image-index.ts'
import { checkManifest, type ImageManifest } from './image-manifest.ts'
import { isIndexType, isManifestType, MediaType } from './media-types.ts'

/** A document that a reference can name: a manifest (one image) or an index (one image per platform). */
export type ImageDocument = ManifestDocument | IndexDocument

/** A manifest and its media type. */
export interface ManifestDocument {
  /** Discriminant. */
  readonly kind: 'manifest'
  /** Media type: stated by the document, by its descriptor or header, or derived from its members. */
  readonly mediaType: string
  /** The parsed manifest. */
  readonly manifest: ImageManifest
}

/** An index and its media type. */
export interface IndexDocument {
  /** Discriminant. */
  readonly kind: 'index'
  /** Media type: stated by the document, by its descriptor or header, or derived from its members. */
  readonly mediaType: string
  /** The parsed index. */
  readonly index: ImageIndex
}

/**
 * Parses a manifest or an index, and determines its media type.
 *
 * `mediaType` is the media type that a descriptor or a `Content-Type` header states; it must agree with the one in the
 * document. If neither states one, the members decide: OCI allows documents without a media type.
 *
 * @throws {@link FormatError} `ERR_INVALID_MANIFEST`, `ERR_INVALID_INDEX`, or `ERR_UNSUPPORTED_MEDIA_TYPE` for any
 * other kind of document.
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
  // SPEC: a client rejects a document whose `mediaType` differs from the announced one (distribution-spec, pulling).
  if (own && said && own !== said) {
    throw new FormatError(
      'ERR_INVALID_MANIFEST',
      `the mediaType of the manifest is ${own}, but it was announced as ${said}`,
      {
        at: 'mediaType',
      },
    )
  }
  if (own || said) return (own || said) as string
  if (member(document, 'schemaVersion') === 1) return 'application/vnd.docker.distribution.manifest.v1+json'
  return member(document, 'manifests') === undefined ? MediaType.OciManifest : MediaType.OciIndex
}

/**
 * Returns the blobs that a document needs, in order: the manifests of an index; the config and layers of a manifest.
 */
export function successorsOf(document: ImageDocument): readonly Descriptor[] {
  return document.kind === 'index' ? document.index.manifests : [document.manifest.config, ...document.manifest.layers]
}
