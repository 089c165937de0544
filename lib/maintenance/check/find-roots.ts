import type { Digest } from '../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError, FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import {
  type Descriptor,
  type ImageDocument,
  Limits,
  parseImageDocument,
  subjectOf,
  successorsOf,
} from '../../oci/index.ts'
import type { BlobInfo, Store } from '../../store/index.ts'

/**
 * Finds the images that no other document refers to: the former targets of names, if all names are lost. Reads every
 * small blob.
 */
export async function findRoots(store: Store, options: AbortOptions): Promise<Descriptor[]> {
  const documents = new Map<Digest, Descriptor>()
  const below = new Set<Digest>()
  for await (const blob of store.list(options)) {
    const document = await documentIn(store, blob, options)
    if (!document) continue
    documents.set(blob.digest, { mediaType: document.mediaType, ...blob })
    for (const { digest } of successorsOf(document)) below.add(digest)
    // A document with a subject is reached through that subject.
    if (subjectOf(document) !== undefined) below.add(blob.digest)
  }
  return [...documents.values()].filter(({ digest }) => !below.has(digest))
}

async function documentIn(
  store: Store,
  { digest, size }: BlobInfo,
  options: AbortOptions,
): Promise<ImageDocument | undefined> {
  if (size > Limits.manifestBytes) return undefined
  try {
    const source = store.read(digest, { ...options, verify: 'always', onCorrupt: 'report' })
    return parseImageDocument(await collectBytes(source, Limits.manifestBytes, 'document'))
  } catch (error) {
    if (error instanceof FormatError || error instanceof BlobCorruptError || error instanceof BlobNotFoundError) {
      return undefined
    }
    throw error
  }
}
