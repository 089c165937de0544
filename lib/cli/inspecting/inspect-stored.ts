import { detectCompression } from '../../compression/index.ts'
import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError, LayerStoreError, LimitError, PlatformNotFoundError } from '../../errors/index.ts'
import { findDescriptor, type Image, type NamedBlobs, readImage, selectPlatform } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import {
  assertIndexDepth,
  type Descriptor,
  hostPlatform,
  type ImageIndex,
  type ImageManifest,
  isDocumentRole,
  type Platform,
  parseImageDocument,
  roleOf,
} from '../../oci/index.ts'
import { findDocument, readDocument } from '../../store/index.ts'
import { type Kind, kindOf } from './kind-of.ts'

/** An image for one platform. */
export interface InspectedImage extends Image {
  readonly kind: 'image'
}

/** A manifest that is no image. */
export interface InspectedManifest {
  readonly kind: Exclude<Kind, 'image' | 'index' | 'blob'>
  readonly descriptor: Descriptor
  readonly manifest: ImageManifest
}

/** An index of images, of artifacts, or of a build cache. */
export interface InspectedIndex extends Partial<Omit<Image, 'descriptor'>> {
  readonly kind: 'index' | 'cache'
  readonly index: ImageIndex
  readonly entries: readonly IndexEntry[]
  /** Manifest of the image for this machine, if the index has one. */
  readonly descriptor?: Descriptor
}

/** An entry of an index. */
export interface IndexEntry {
  readonly descriptor: Descriptor
  /** Kind of the entry: read from its manifest if the store has it and can read it, else derived from the index. */
  readonly kind: Kind | 'config' | 'layer' | 'manifest'
  /** Whether the store has it; `false` for an index in a registry. */
  readonly present: boolean
}

/** A blob that is neither a manifest nor an index. */
export interface InspectedBlob {
  readonly kind: 'blob'
  readonly descriptor: Descriptor
  readonly present: boolean
  /** Content type, recognised by the first bytes. */
  readonly content: 'json' | 'tar' | 'gzip' | 'zstd' | 'bzip2' | 'xz' | 'other'
}

/** Result of `inspectStored`. */
export type Inspected = InspectedImage | InspectedManifest | InspectedIndex | InspectedBlob

/** Options of `inspectStored`. */
export interface InspectOptions extends AbortOptions {
  /** Platform to select from an index; the entries of all other platforms are left out. */
  readonly platform?: Platform | undefined
  /** The blobs are in a registry: of an index only the image for this machine is read, since each read is a request. */
  readonly isRemote?: boolean | undefined
}

/**
 * Resolves a name, or the digest of any blob, to its descriptor.
 *
 * @throws `ReferenceNotFoundError` if neither exists; any error of reading a damaged or missing document.
 */
export async function findStored(store: NamedBlobs, name: string, options: AbortOptions): Promise<Descriptor> {
  try {
    return await findDescriptor(store, name, options)
  } catch (error) {
    const isNoDocument = error instanceof FormatError || error instanceof LimitError
    const info = isNoDocument && isDigest(name) ? await store.stat(name, options) : undefined
    if (!info) throw error
    return { mediaType: 'application/octet-stream', ...info }
  }
}

/** Inspects a stored object of any kind. */
export async function inspectStored(
  store: NamedBlobs,
  root: Descriptor,
  options: InspectOptions,
  depth = 0,
): Promise<Inspected> {
  if (!isDocumentRole(roleOf(root))) return inspectBlob(store, root, options)
  assertIndexDepth(depth, root)
  const document = parseImageDocument(await readDocument(store, root, options), root.mediaType)
  const kind = kindOf(document)
  if (document.kind === 'manifest') {
    if (kind === 'image') return { kind, ...(await readImage(store, root, options)) }
    return { kind: kind as InspectedManifest['kind'], descriptor: root, manifest: document.manifest }
  }
  const { index } = document
  if (options.platform) {
    return inspectStored(store, selectPlatform(index, options.platform, root.digest), options, depth + 1)
  }
  const entries: IndexEntry[] = []
  for (const descriptor of index.manifests) entries.push(await inspectEntry(store, descriptor, options))
  const image = await imageForThisMachine(store, index, entries, options)
  return { kind: kind as InspectedIndex['kind'], index, entries, ...image }
}

async function inspectEntry(store: NamedBlobs, descriptor: Descriptor, options: InspectOptions): Promise<IndexEntry> {
  const role = roleOf(descriptor)
  if (options.isRemote) return { descriptor, kind: role, present: false }
  const present = isDigest(descriptor.digest) && (await store.stat(descriptor.digest, options)) !== undefined
  if (!present || !isDocumentRole(role)) return { descriptor, kind: role, present }
  try {
    const bytes = await findDocument(store, descriptor, options)
    const document = bytes && parseImageDocument(bytes, descriptor.mediaType)
    return { descriptor, kind: document ? kindOf(document) : role, present: document !== undefined }
  } catch (error) {
    // An unreadable entry does not hide the rest of the index; inspecting the entry by its digest reports its error.
    if (!LayerStoreError.is(error)) throw error
    return { descriptor, kind: role, present }
  }
}

async function imageForThisMachine(
  store: NamedBlobs,
  index: ImageIndex,
  entries: readonly IndexEntry[],
  options: InspectOptions,
): Promise<Image | undefined> {
  try {
    const chosen = selectPlatform(index, hostPlatform())
    const entry = entries.find(({ descriptor }) => descriptor === chosen)
    return entry?.kind === 'image' || (options.isRemote && entry?.kind === 'manifest')
      ? await readImage(store, chosen, options)
      : undefined
  } catch (error) {
    if (error instanceof PlatformNotFoundError) return undefined
    throw error
  }
}

async function inspectBlob(store: NamedBlobs, descriptor: Descriptor, options: AbortOptions): Promise<InspectedBlob> {
  const { digest } = descriptor
  const present = isDigest(digest) && (await store.stat(digest, options)) !== undefined
  return { kind: 'blob', descriptor, present, content: present ? await contentOf(store, digest, options) : 'other' }
}

/** Size of a tar header. */
const HEAD_BYTES = 512

async function contentOf(store: NamedBlobs, digest: Digest, options: AbortOptions): Promise<InspectedBlob['content']> {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.read(digest, { ...options, offset: 0, length: HEAD_BYTES })) chunks.push(chunk)
  const head = Buffer.concat(chunks)
  const compression = detectCompression(head)
  if (compression !== 'none') return compression
  if (head.subarray(257, 262).toString('latin1') === 'ustar') return 'tar'
  return /^\s*[{[]/.test(head.toString('latin1')) ? 'json' : 'other'
}
