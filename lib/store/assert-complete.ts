import type { Digest } from '../digest/index.ts'
import { BlobNotFoundError, FormatError, SizeMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import {
  type Descriptor,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  Limits,
  parseImageDocument,
  successorsOf,
} from '../spec/index.ts'
import type { BlobReader } from './blob-store.ts'
import { readDocument } from './read-document.ts'

interface Visit {
  readonly descriptor: Descriptor
  readonly parent: Digest | undefined
  readonly depth: number
}

/**
 * Proves that everything below a descriptor is in the store with the size that its parent says: manifests of an index,
 * config and layers of a manifest. Layers that registries do not hold may be absent. Blobs of unknown media types are
 * leaves. Documents are read and verified, layers only looked up.
 *
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` with `parent`, for the first blob that is missing.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH`, {@link FormatError} if a document is malformed or indexes are
 * nested too deep.
 */
export async function assertComplete(
  store: BlobReader,
  descriptor: Descriptor,
  options: AbortOptions = {},
): Promise<void> {
  await completeGraph(store, descriptor, options)
}

/** As {@link assertComplete}; resolves to the digests of all that is there. */
export async function completeGraph(
  store: BlobReader,
  descriptor: Descriptor,
  options: AbortOptions = {},
): Promise<ReadonlySet<Digest>> {
  const seen = new Set<string>()
  const there = new Set<Digest>()
  const open: Visit[] = [{ descriptor, parent: undefined, depth: 0 }]
  for (let visit = open.pop(); visit; visit = open.pop()) {
    options.signal?.throwIfAborted()
    const { digest, size, mediaType } = visit.descriptor
    // A blob may be named twice with different sizes or kinds; each of them has to be right.
    const key = `${digest} ${size} ${mediaType}`
    if (seen.has(key)) continue
    seen.add(key)
    if (!(await isThere(store, visit, options))) continue
    there.add(digest)
    open.push(...(await below(store, visit, options)))
  }
  return there
}

async function isThere(store: BlobReader, visit: Visit, options: AbortOptions): Promise<boolean> {
  const { digest, size, mediaType } = visit.descriptor
  const info = await store.stat(digest, options)
  if (!info) {
    if (isForeignLayerType(mediaType)) return false
    throw new BlobNotFoundError(digest, visit.parent ? { parent: visit.parent } : {})
  }
  if (info.size !== size) {
    const what = visit.parent ? `blob ${digest}, named by ${visit.parent},` : `blob ${digest}`
    throw new SizeMismatchError({ expected: size, actual: info.size, what })
  }
  return true
}

async function below(store: BlobReader, visit: Visit, options: AbortOptions): Promise<Visit[]> {
  const { descriptor, depth } = visit
  const { digest, mediaType } = descriptor
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) return []
  // SAFETY: indexes may nest, and an index cannot contain itself only as long as nobody breaks SHA-256; depth is bounded.
  if (depth > Limits.indexDepth) {
    throw new FormatError('ERR_INVALID_INDEX', `indexes nested deeper than ${Limits.indexDepth}, down to ${digest}`)
  }
  const document = parseImageDocument(await readDocument(store, descriptor, options), mediaType)
  return successorsOf(document)
    .map(successor => ({ descriptor: successor, parent: digest, depth: depth + 1 }))
    .reverse()
}
