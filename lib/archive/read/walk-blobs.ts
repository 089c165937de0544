import type { Digest } from '../../digest/index.ts'
import { BlobNotFoundError, FormatError, SizeMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import {
  type Descriptor,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  Limits,
  parseImageDocument,
  successorsOf,
} from '../../spec/index.ts'
import { type BlobInfo, type BlobReader, readDocument } from '../../store/index.ts'

/**
 * Every blob below some images and their manifests, each once, children before their parents. Layers that registries do not
 * hold are left out where they are not there.
 *
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND`, {@link SizeMismatchError} `ERR_SIZE_MISMATCH`,
 * {@link FormatError} for documents that are malformed or nested too deep.
 */
export async function walkBlobs(
  reader: BlobReader,
  roots: readonly Descriptor[],
  options: AbortOptions = {},
): Promise<BlobInfo[]> {
  const found = new Map<Digest, BlobInfo>()
  for (const root of roots) await visit(reader, { descriptor: root, parent: undefined, depth: 0 }, found, options)
  return [...found.values()]
}

interface Visit {
  readonly descriptor: Descriptor
  readonly parent: Digest | undefined
  readonly depth: number
}

async function visit(
  reader: BlobReader,
  { descriptor, parent, depth }: Visit,
  found: Map<Digest, BlobInfo>,
  options: AbortOptions,
): Promise<void> {
  options.signal?.throwIfAborted()
  const { digest, size, mediaType } = descriptor
  const info = await reader.stat(digest, options)
  if (!info && isForeignLayerType(mediaType)) return
  if (!info) throw new BlobNotFoundError(digest, parent ? { parent } : {})
  if (info.size !== size) throw new SizeMismatchError({ expected: size, actual: info.size, what: `blob ${digest}` })
  if (found.has(digest)) return
  if (isManifestType(mediaType) || isIndexType(mediaType)) {
    // SAFETY: nothing says how deep indexes may nest.
    if (depth > Limits.indexDepth) {
      throw new FormatError('ERR_INVALID_INDEX', `indexes nested deeper than ${Limits.indexDepth}, down to ${digest}`)
    }
    const document = parseImageDocument(await readDocument(reader, descriptor, options), mediaType)
    for (const successor of successorsOf(document)) {
      await visit(reader, { descriptor: successor, parent: digest, depth: depth + 1 }, found, options)
    }
  }
  found.set(digest, { digest, size })
}
