import { type CompressionType, compress } from '../compression/index.ts'
import { createStreamDigester, type Digest, type HasherEngine, type StreamDigester } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { batchesOf, inBatches, returnBatch } from '../internal/batches.ts'
import { type Descriptor, MediaType } from '../oci/index.ts'
import { recordLayerFact, type Store } from '../store/index.ts'
import { lendTarPieces, normalizePath, type TarInput, type TarLimits, writeTar } from '../tar/index.ts'
import { IndexColumns } from './indexing/index-columns.ts'
import { keepColumns } from './indexing/keep-index.ts'
import { LayerIndexer } from './indexing/layer-indexer.ts'
import type { IndexedEntry } from './layer-index.ts'

/** News of a layer being written. */
export interface WriteLayerProgress {
  /** Entries begun. */
  readonly entries: number
  /** Bytes of the tar so far. */
  readonly bytes: number
}

/** How to write a layer. */
export interface WriteLayerOptions extends AbortOptions {
  /** @defaultValue `'gzip'` */
  readonly compression?: CompressionType | undefined
  /** Level of the compression. @defaultValue gzip 6, zstd 3 */
  readonly level?: number | undefined
  /** @defaultValue `'wasm'` for the diffId, for the blob what the store was opened with */
  readonly hasher?: HasherEngine | undefined
  /** Annotations of the descriptor. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /**
   * Make the entry index in the same pass and keep it, so that looking into the layer opens nothing later; costs one more
   * digest of every file. @defaultValue `true`
   */
  readonly index?: boolean | undefined
  /** What the layer may hold, so that whoever indexes it by the same limits can. @defaultValue those of `readTar` */
  readonly limits?: TarLimits | undefined
  /** Hears of every piece of the tar; must not throw. */
  readonly onProgress?: ((progress: WriteLayerProgress) => void) | undefined
}

/** A layer that stands in the store. */
export interface WrittenLayer {
  /** For the manifest. */
  readonly descriptor: Descriptor
  /** Digest of the tar, for the config. */
  readonly diffId: Digest
  /** Bytes of the tar. */
  readonly uncompressedSize: number
}

const DEFAULT_LEVELS = { gzip: 6, zstd: 3 } as const

const MEDIA_TYPES: Record<CompressionType, string> = {
  gzip: MediaType.OciLayerGzip,
  zstd: MediaType.OciLayerZstd,
  none: MediaType.OciLayer,
}

/**
 * Makes a layer of entries and stores it, in one pass: tar, diffId, compression and digest while the bytes flow. Equal
 * entries give the same diffId everywhere, and the same digest with the same version of Node.
 *
 * The entries are taken in their order; no directory is added. Nothing is stored unless all of it succeeded. A lease is held
 * until it resolves; then the grace period of collections protects the layer, or a lease of the caller.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a path that comes twice, and as {@link writeTar} and
 * {@link compress}; errors of the store and of the entries' content as they are.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md | image-spec: layers}
 */
export async function writeLayer(
  store: Pick<Store, 'put' | 'derived'> & Partial<Pick<Store, 'leases'>>,
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  options: WriteLayerOptions = {},
): Promise<WrittenLayer> {
  const { compression: type = 'gzip', level, hasher, annotations, signal } = options
  if (!Object.hasOwn(MEDIA_TYPES, type)) {
    throw new FormatError('ERR_UNSUPPORTED_COMPRESSION', `cannot write ${JSON.stringify(type)}`)
  }
  // However long it takes: what is stored is not collected before the caller knows of it.
  await using _lease = await store.leases?.hold({ label: 'write a layer', signal })
  const progress = { entries: 0, bytes: 0 }
  // The tar of an uncompressed layer is the blob: the store hashes it, once is enough.
  const digester = type === 'none' ? undefined : await createStreamDigester({ hasher })
  const columns = new IndexColumns()
  const indexed = (entry: IndexedEntry) => columns.add(entry)
  const indexer = options.index === false ? undefined : new LayerIndexer(hasher, indexed, options.limits)
  try {
    // What is not compressed goes to the store as it is, and whoever wrote that may keep it.
    const write = type === 'none' ? writeTar : lendTarPieces
    const tar = observed(write(unique(entries, progress), { signal }), progress, {
      digester,
      indexer,
      onProgress: options.onProgress,
    })
    const { digest, size } = await store.put(compress(tar, { type, level, signal }), { hasher, signal })
    const descriptor = { mediaType: MEDIA_TYPES[type], digest, size, ...(annotations ? { annotations } : {}) }
    const diffId = (await digester?.digest()) ?? digest
    await recordLayerFact(store, { digest, diffId, compressor: compressorOf(type, level), proven: true })
    // No path stands twice: they were compared on their way in.
    if (indexer) await keepColumns(store.derived, columns, { diffId, bytes: indexer.end(), duplicates: [] }, { signal })
    return { descriptor, diffId, uncompressedSize: progress.bytes }
  } finally {
    digester?.release()
    indexer?.release()
  }
}

/** Names what compressed a layer: the same content comes out of it as the same bytes. */
function compressorOf(type: CompressionType, level: number | undefined): string {
  if (type === 'none') return 'none'
  const library = type === 'gzip' ? 'zlib' : 'zstd'
  return `${type}-${level ?? DEFAULT_LEVELS[type]}/${library}-${process.versions[library] ?? process.version}`
}

/** SPEC: a path must not stand twice in a layer (layer.md#representing-changes). */
function unique(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  progress: { entries: number },
): AsyncIterable<TarInput> {
  return inBatches(uniqueBatches(batchesOf(entries), progress))
}

async function* uniqueBatches(
  batches: AsyncIterable<readonly TarInput[]>,
  progress: { entries: number },
): AsyncGenerator<readonly TarInput[], void, undefined> {
  const seen = new Set<string>()
  for await (const batch of batches) {
    for (const { path: given } of batch) {
      const path = normalizePath(given, 'ERR_INVALID_ARGUMENT')
      if (seen.has(path)) {
        throw new FormatError('ERR_INVALID_ARGUMENT', `path ${JSON.stringify(path)} stands twice in one layer`)
      }
      seen.add(path)
    }
    progress.entries += batch.length
    yield batch
    // The tar has copied all of it.
    returnBatch(batch)
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
