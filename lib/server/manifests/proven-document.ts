import type { Digest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { type Descriptor, type ImageDocument, Limits, parseImageDocument } from '../../oci/index.ts'
import { findDocument, type Store } from '../../store/index.ts'

/** Manifest or index of the store. */
export interface StoredDocument {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/**
 * Parses a manifest or index that was received with a media type.
 *
 * @throws `FormatError` if it is neither, or its content does not match the media type. A document without `mediaType`
 * must match the type that its members imply: otherwise a read by digest would give another type than a read by tag.
 */
export function parseAnnounced(bytes: Uint8Array, mediaType: string | undefined): ImageDocument {
  const document = parseImageDocument(bytes, mediaType)
  if (document.mediaType === parseImageDocument(bytes).mediaType) return document
  const message = `a document of type ${document.mediaType} must say so in its mediaType`
  throw new FormatError('ERR_INVALID_MANIFEST', message, { at: 'mediaType' })
}

/**
 * Reads a blob of the store as a manifest or index; `undefined` if it does not exist or is something else.
 *
 * SAFETY: a name or an upstream registry may give the digest of any blob of the store. The content decides: only a blob
 * that parses as a manifest is served as one.
 *
 * @param mediaType - Media type recorded with the name, if the blob was found by a name.
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
