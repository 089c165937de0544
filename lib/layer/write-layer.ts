import { type CompressionType, compress } from '../compression/index.ts'
import { createStreamDigester, type Digest, type HasherEngine, type StreamDigester } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { assertOneOf, assertOptionalAnnotations, assertOptions } from '../internal/assert-kind.ts'
import { keepContentFaults } from '../internal/byte-source.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import { batchesOf, inBatches } from '../internal/memory/batched-iterable.ts'
import type { Borrowed } from '../internal/memory/borrowed.ts'
import { type Descriptor, MediaType } from '../oci/index.ts'
import { assertStore, type BlobInfo, recordLayerFact, type Store } from '../store/index.ts'
import { normalizePath, type TarInput, type TarLimits, writeTar } from '../tar/index.ts'
import { IndexColumns } from './indexing/index-columns.ts'
import { keepColumns } from './indexing/keep-index.ts'
import { LayerIndexer } from './indexing/layer-indexer.ts'
import type { IndexedEntry } from './layer-index.ts'
import { assertNew, UniquePaths } from './policy/unique-paths.ts'
import { layOutKnown } from './reuse/lay-out-known.ts'
import { writeKnown } from './reuse/write-known.ts'

/** Progress of {@link writeLayer}. */
export interface WriteLayerProgress {
  /** Number of entries started. */
  readonly entries: number
  /** Bytes of the tar written so far. */
  readonly bytes: number
}

/** Options of {@link writeLayer}. */
export interface WriteLayerOptions extends AbortOptions {
  /** @defaultValue `'gzip'` */
  readonly compression?: CompressionType | undefined
  /** Level of the compression. @defaultValue gzip 6, zstd 3 */
  readonly level?: number | undefined
  /** @defaultValue `'wasm'` for the diffID; for the blob the option of the store */
  readonly hasher?: HasherEngine | undefined
  /** Annotations of the descriptor. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /**
   * Make the entry index in the same pass and keep it, so that later reads of the index need not open the layer; costs
   * one more digest of every file. @defaultValue `true`
   */
  readonly index?: boolean | undefined
  /** Limits of the layer, so that a reader with the same limits can index it. @defaultValue those of `readTar` */
  readonly limits?: TarLimits | undefined
  /**
   * Stored layers that may have blocks of this one, such as the layer that an earlier build made in its place. Equal
   * blocks of a gzip layer are taken from there and not compressed again; the result is the same. Only for entries
   * whose digests are known.
   *
   * @internal
   */
  readonly reuse?: readonly Digest[] | undefined
  /** Called after each piece of the tar; must not throw. */
  readonly onProgress?: ((progress: WriteLayerProgress) => void) | undefined
}

/** A stored layer. */
export interface WrittenLayer {
  /** Descriptor for the manifest. */
  readonly descriptor: Descriptor
  /** Digest of the tar, for the image config. */
  readonly diffId: Digest
  /** Size of the tar in bytes. */
  readonly uncompressedSize: number
}

const DEFAULT_LEVELS = { gzip: 6, zstd: 3 } as const

const MEDIA_TYPES: Record<CompressionType, string> = {
  gzip: MediaType.OciLayerGzip,
  zstd: MediaType.OciLayerZstd,
  none: MediaType.OciLayer,
}

/**
 * Makes a layer of entries and stores it in one pass: tar, diffId, compression and digest are computed while the bytes
 * flow. Equal entries give the same diffId everywhere, and the same digest with the same version of Node.
 *
 * Entries are written in the given order; no directory is added. On failure nothing is stored. The act holds a lease
 * until it resolves; afterwards the grace period of collections, or a lease of the caller, protects the layer.
 *
 * @example
 * ```ts
 * const { descriptor, diffId } = await writeLayer(store, fromDirectory('dist', { at: '/app' }))
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a duplicate path or an argument of a wrong kind, and as {@link
 * writeTar} and {@link compress}; errors of the store and of the entries' content unchanged.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md | image-spec: layers}
 */
export async function writeLayer(
  store: Pick<Store, 'put' | 'derived'> & Partial<Pick<Store, 'leases' | 'read'>>,
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  options: WriteLayerOptions = {},
): Promise<WrittenLayer> {
  keepContentFaults(entries)
  assertStore(store, ['put', 'derived'])
  assertEntries(entries)
  assertOptions(options)
  const { compression: type = 'gzip', level, hasher, annotations, signal } = options
  assertOneOf('hasher', hasher ?? 'wasm', ['wasm', 'native'])
  assertOptionalAnnotations('annotations', annotations)
  if (!Object.hasOwn(MEDIA_TYPES, type)) {
    throw new FormatError('ERR_UNSUPPORTED_COMPRESSION', `cannot write ${JSON.stringify(String(type))}`)
  }
  // SAFETY: a long write may outlast the grace period, and a collection could remove the blob before the caller knows
  // its digest. The lease protects it.
  await using _lease = await store.leases?.hold({ label: 'write a layer', signal })
  const progress = { entries: 0, bytes: 0 }
  const canReuse = options.reuse !== undefined && type === 'gzip' && options.limits === undefined
  const known = canReuse ? await layOutKnown(entries, options) : { stream: entries }
  const { digest, size, diffId } =
    'layout' in known
      ? await writeKnown(store, known, { ...options, ...gzipOf(level), progress })
      : await writeStream(store, unique(known.stream, progress), { ...options, progress })
  const descriptor = { mediaType: MEDIA_TYPES[type], digest, size, ...(annotations ? { annotations } : {}) }
  await recordLayerFact(store, { digest, diffId, compressor: compressorOf(type, level), proven: true })
  return { descriptor, diffId, uncompressedSize: progress.bytes }
}

function gzipOf(level: number = DEFAULT_LEVELS.gzip): { readonly level: number; readonly compressor: string } {
  return { level, compressor: compressorOf('gzip', level) }
}

/** Writes entries of any kind while they arrive. */
async function writeStream(
  store: Pick<Store, 'put' | 'derived'>,
  entries: AsyncIterable<TarInput>,
  options: WriteLayerOptions & { readonly progress: { entries: number; bytes: number } },
): Promise<BlobInfo & { readonly diffId: Digest }> {
  const { compression: type = 'gzip', level, hasher, signal, progress, onProgress } = options
  // The tar of an uncompressed layer is the blob, which the store hashes already.
  const digester = type === 'none' ? undefined : await createStreamDigester({ hasher })
  const columns = new IndexColumns()
  const indexed = (entry: IndexedEntry) => columns.add(entry)
  const indexer = options.index === false ? undefined : new LayerIndexer(hasher, indexed, options.limits)
  try {
    // An uncompressed tar goes to the store directly, and a store may keep the pieces.
    const borrow = type !== 'none'
    const tar = observed(writeTar(entries, { borrow, signal }), progress, { digester, indexer, onProgress })
    const { digest, size } = await store.put(compress(tar, { type, level, signal }), { hasher, signal })
    const diffId = (await digester?.digest()) ?? digest
    // The list of duplicates is empty: `unique` refuses them.
    if (indexer) await keepColumns(store.derived, columns, { diffId, bytes: indexer.end(), duplicates: [] }, { signal })
    return { digest, size, diffId }
  } finally {
    digester?.release()
    indexer?.release()
  }
}

function assertEntries(entries: unknown): void {
  const isObject = typeof entries === 'object' && entries !== null
  if (isObject && (Symbol.iterator in entries || Symbol.asyncIterator in entries)) return
  throw invalidArgument('entries', 'an iterable of entries, as fromDirectory and fromFiles make it', entries)
}

/**
 * Names the compressor of a layer with the version of its library: equal content gives equal bytes only with the same
 * compressor.
 *
 * @example
 * ```ts
 * compressorOf('gzip') // 'gzip-6/zlib-1.3.1'
 * ```
 */
export function compressorOf(type: CompressionType, level?: number): string {
  if (type === 'none') return 'none'
  const library = type === 'gzip' ? 'zlib' : 'zstd'
  return `${type}-${level ?? DEFAULT_LEVELS[type]}/${library}-${process.versions[library] ?? process.version}`
}

/** The same entries, none of which has the path of another one. */
function unique(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  progress: { entries: number },
): AsyncIterable<TarInput> {
  return inBatches(uniqueBatches(batchesOf(entries), progress))
}

async function* uniqueBatches(
  batches: AsyncIterable<Borrowed<readonly TarInput[]>>,
  progress: { entries: number },
): AsyncGenerator<Borrowed<readonly TarInput[]>, void, undefined> {
  const paths = new UniquePaths()
  for await (const batch of batches) {
    for (const { path } of batch.value) assertNew(paths, normalizePath(path, 'ERR_INVALID_ARGUMENT'))
    progress.entries += batch.value.length
    yield batch
  }
}

async function* observed(
  tar: AsyncIterable<Uint8Array>,
  progress: { entries: number; bytes: number },
  watchers: {
    readonly digester: StreamDigester | undefined
    readonly indexer: LayerIndexer | undefined
    readonly onProgress: WriteLayerOptions['onProgress']
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of tar) {
    await watchers.digester?.update(chunk)
    await watchers.indexer?.take(chunk)
    progress.bytes += chunk.byteLength
    watchers.onProgress?.({ ...progress })
    yield chunk
  }
}
