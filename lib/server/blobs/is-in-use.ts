import { type Digest, isDigest } from '../../digest/index.ts'
import { BlobCorruptError, FormatError, LimitError, SizeMismatchError } from '../../errors/index.ts'
import { type Descriptor, edgesOf, isDocumentRole, parseImageDocument, roleOf } from '../../oci/index.ts'
import { findDocument, type Store } from '../../store/index.ts'

/** Whether an image that a name in the store refers to needs a blob. Such a blob must not be deleted. */
export async function isInUse(store: Store, digest: Digest, signal: AbortSignal): Promise<boolean> {
  const seen = new Set<string>()
  for await (const { descriptor } of store.references.list({ signal })) {
    const open: Descriptor[] = [descriptor]
    for (let next = open.pop(); next; next = open.pop()) {
      if (next.digest === digest) return true
      const key = `${next.digest} ${next.mediaType}`
      if (seen.has(key)) continue
      seen.add(key)
      open.push(...(await below(store, next, signal)))
    }
  }
  return false
}

/** A damaged document counts as a document without children; it must not prevent the deletion of unrelated blobs. */
const UNREADABLE = [FormatError, BlobCorruptError, LimitError, SizeMismatchError]

async function below(store: Store, descriptor: Descriptor, signal: AbortSignal): Promise<readonly Descriptor[]> {
  if (!isDocumentRole(roleOf(descriptor)) || !isDigest(descriptor.digest)) return []
  try {
    const bytes = await findDocument(store, descriptor, { signal })
    return bytes ? edgesOf(parseImageDocument(bytes, descriptor.mediaType)).map(edge => edge.descriptor) : []
  } catch (error) {
    if (UNREADABLE.some(kind => error instanceof kind)) return []
    throw error
  }
}
