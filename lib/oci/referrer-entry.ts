import type { Descriptor } from './descriptor.ts'
import type { ImageDocument } from './image-document.ts'

/** Returns the descriptor of the document's subject, if it has one. */
export function subjectOf(document: ImageDocument): Descriptor | undefined {
  return contentOf(document).subject ?? undefined
}

/**
 * Returns the entry of a manifest or index in a list of referrers.
 *
 * SPEC: the artifact type is that of the manifest, or else the media type of its config; the annotations are those of
 * the manifest (distribution-spec, listing referrers).
 *
 * @param descriptor - Media type, digest and size of the document; other members are left out.
 */
export function referrerEntry({ mediaType, digest, size }: Descriptor, document: ImageDocument): Descriptor {
  const content = contentOf(document)
  const fromConfig = document.kind === 'manifest' ? document.manifest.config.mediaType : undefined
  const artifactType = content.artifactType || fromConfig
  const kind = artifactType === undefined ? {} : { artifactType }
  const notes = content.annotations ? { annotations: content.annotations } : {}
  return { mediaType, digest, size, ...kind, ...notes }
}

function contentOf(document: ImageDocument) {
  return document.kind === 'index' ? document.index : document.manifest
}
