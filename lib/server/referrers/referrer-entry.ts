import type { Digest } from '../../digest/index.ts'
import type { Descriptor, ImageDocument } from '../../oci/index.ts'

/** Digest of the document's subject, if it has one. */
export function subjectOf(document: ImageDocument): Digest | undefined {
  return contentOf(document).subject?.digest
}

/**
 * Entry of a manifest in a list of referrers.
 *
 * SPEC: the artifact type is that of the manifest, or else the media type of its config; the annotations are those of
 * the manifest (distribution-spec, listing referrers).
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
