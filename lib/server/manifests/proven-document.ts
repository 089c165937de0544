import type { Digest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { type Descriptor, type ImageDocument, Limits, parseImageDocument } from '../../spec/index.ts'
import { findDocument, type Store } from '../../store/index.ts'

/** A manifest or index of the store, and what it is. */
export interface StoredDocument {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/**
 * Reads a manifest or index that came from elsewhere under a media type.
 *
 * @throws `FormatError` if it is neither, or not what it came as. So is a document that leaves out its media type under
 * another type than the one that its members mean: read by digest, it would be another kind than read by tag.
 */
export function parseAnnounced(bytes: Uint8Array, mediaType: string | undefined): ImageDocument {
  const document = parseImageDocument(bytes, mediaType)
  if (document.mediaType === parseImageDocument(bytes).mediaType) return document
  const message = `a document of type ${document.mediaType} must say so in its mediaType`
  throw new FormatError('ERR_INVALID_MANIFEST', message, { at: 'mediaType' })
}

/**
 * A blob of the store as a manifest or index; `undefined` if there is none or it is something else.
 *
 * SAFETY: whatever a name or an upstream registry says of a digest, a blob is served as a manifest only if it is one.
 *
 * @param mediaType - What a name of the store says of it, if it was found by a name.
 */
export async function findManifest(
  store: Store,
  { digest, mediaType }: { readonly digest: Digest; readonly mediaType?: string },
  signal: AbortSignal,
): Promise<StoredDocument | undefined> {
  const info = await store.stat(digest, { signal })
  if (!info || info.size > Limits.manifestBytes) return undefined
  const bytes = await findDocument(store, { ...info, mediaType: '' }, { signal })
  if (!bytes) return undefined
  try {
    return { descriptor: { mediaType: parseImageDocument(bytes, mediaType).mediaType, ...info }, bytes }
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
