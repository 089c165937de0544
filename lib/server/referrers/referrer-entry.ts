import type { Digest } from '../../digest/index.ts'
import type { Descriptor, ImageDocument } from '../../spec/index.ts'

/** The manifest that this one is about, if any. */
export function subjectOf(document: ImageDocument): Digest | undefined {
  return contentOf(document).subject?.digest
}

/**
 * What a list of referrers says of a manifest.
 *
 * SPEC: the kind is that of the manifest, else of its config; the annotations are the manifest's (distribution-spec, listing
 * referrers).
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
