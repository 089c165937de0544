import { gzipSize } from '../../compression/index.ts'
import { createDigestSeries, type Digest, type DigestSeries } from '../../digest/index.ts'
import type { Image } from '../../image/index.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import { type LayerIndex, readLayer, readLayerIndex } from '../../layer/index.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import type { LocatedImage } from '../diff/diff-images.ts'
import { type InspectionOptions, readSource } from '../read-source.ts'
import { ContentChunker } from './content-chunker.ts'
import type { ChunkSizes, DedupedImage, DedupReport } from './dedup-report.ts'
import { measureFile } from './measure-file.ts'
import { PieceTable } from './piece-table.ts'

/** Options of {@link measureDedup}. */
export interface MeasureDedupOptions extends InspectionOptions {
  /** Sizes of chunks. @defaultValue 4 KiB, 16 KiB, 64 KiB */
  readonly chunks?: ChunkSizes | undefined
  /**
   * Measure compressed sizes too: it compresses each distinct file and chunk, about 15 MB of new content a second.
   * @defaultValue `true`
   */
  readonly compressed?: boolean | undefined
}

const CHUNKS: ChunkSizes = { min: 4096, mean: 16_384, max: 65_536 }

/** Index bytes for one reference to a chunk (its digest), and for one kept chunk (its digest, place and size). */
const REFERENCE_BYTES = 32
const CHUNK_BYTES = 44

/** Tables and tools of one measurement. */
interface Measurement {
  readonly levels: readonly [image: PieceTable, blob: PieceTable, file: PieceTable, chunk: PieceTable]
  readonly chunker: ContentChunker
  readonly digests: DigestSeries
  readonly compressed: boolean
  readonly options: MeasureDedupOptions
}

/**
 * Measures how many bytes a set of images needs if each image, each layer blob, each file or each content-defined chunk
 * is kept once: uncompressed, compressed, and the index that puts it together again; and what each image adds to those
 * before it. Each distinct layer is read at most once; layers without new files are not opened. Nothing is stored but
 * entry indexes.
 *
 * @example
 * ```ts
 * const { levels } = await measureDedup(['app:1', 'app:2'].map(image => ({ store, image })))
 * for (const { level, compressedBytes, added } of levels) console.log(level, compressedBytes, added.at(-1))
 * ```
 *
 * @param images - Images; of releases the oldest first.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for sizes of chunks that make no sense, or no images; the errors
 * of `readImage`, `readLayerIndex` and `readLayer`.
 */
export async function measureDedup(
  images: readonly LocatedImage[],
  options: MeasureDedupOptions = {},
): Promise<DedupReport> {
  const { chunks = CHUNKS, compressed = true, hasher } = options
  if (images.length === 0) throw invalidArgument('images', 'a list of at least one image', images)
  const chunker = new ContentChunker(chunks)
  const levels = [
    new PieceTable('image'),
    new PieceTable('blob'),
    new PieceTable('file'),
    new PieceTable('chunk'),
  ] as const
  const digests = await createDigestSeries({ hasher })
  try {
    const measured: DedupedImage[] = []
    for (const { store, image } of images) {
      const found = await readSource(store, image, options)
      measured.push(await measureImage(store, found, { levels, chunker, digests, compressed, options }))
    }
    return { version: 1, images: measured, chunks, levels: levels.map(level => level.report()) }
  } finally {
    digests.release()
  }
}

async function measureImage(store: ViewStore, image: Image, to: Measurement): Promise<DedupedImage> {
  const { signal, hasher, limits } = to.options
  const [whole, blobs, files, chunks] = to.levels
  // Blobs are compressed already, so their compressed size is always known.
  for (const level of [whole, blobs]) level.beginImage(true)
  for (const level of [files, chunks]) level.beginImage(to.compressed)
  const sums = { blobBytes: 0, tarBytes: 0, bytes: 0 }
  for (const { descriptor, diffId } of image.layers) {
    const index = await readLayerIndex(store, { descriptor, diffId }, { ...limits, signal, hasher })
    sums.blobBytes += descriptor.size
    sums.tarBytes += index.bytes
    sums.bytes += index.entries.reduce((sum, { size }) => sum + size, 0)
    if (!blobs.refer(descriptor.digest)) continue
    blobs.add(index.bytes, descriptor.size)
    await measureLayer(store, { descriptor, diffId, index }, to)
  }
  whole.refer(`${image.descriptor.digest}`)
  whole.add(sums.tarBytes, sums.blobBytes)
  return { digest: image.descriptor.digest as Digest, layers: image.layers.length, ...sums }
}

/** Measures the files of a layer that no image before had. */
async function measureLayer(
  store: ViewStore,
  layer: {
    readonly descriptor: Image['layers'][number]['descriptor']
    readonly diffId: Digest
    readonly index: LayerIndex
  },
  to: Measurement,
): Promise<void> {
  const { signal, hasher, limits } = to.options
  const [, , files, chunks] = to.levels
  const { descriptor, diffId, index } = layer
  // The entry index says which file is where; a store of files or chunks needs it, or something of its size.
  const indexBytes = (await store.derived.get('indexes', diffId, { signal }))?.byteLength ?? 0
  files.addIndex(indexBytes)
  chunks.addIndex(indexBytes)
  const wanted = new Set<number>()
  for (const entry of index.entries) {
    if (entry.type !== 'file' || entry.size === 0) continue
    const key = entry.digest ?? `${entry.storedDigest} ${entry.size} ${entry.offset}`
    if (files.refer(key)) wanted.add(entry.offset)
  }
  if (wanted.size === 0) return
  for await (const entry of readLayer(store, descriptor, { ...limits, diffId, signal, hasher })) {
    if (!wanted.delete(entry.offset)) continue
    const compressedBytes = await measureFile(entry.content, to.compressed, part =>
      addChunks(to.chunker.push(part), to),
    )
    addChunks(to.chunker.end(), to)
    files.add(entry.size, compressedBytes)
  }
}

/** Adds the chunks of a file. */
function addChunks(pieces: Iterable<Uint8Array>, { levels, digests, compressed }: Measurement): void {
  const chunks = levels[3]
  for (const piece of pieces) {
    digests.update(piece)
    chunks.addIndex(REFERENCE_BYTES)
    if (!chunks.refer(digests.next())) continue
    chunks.addIndex(CHUNK_BYTES)
    chunks.add(piece.byteLength, compressed ? gzipSize(piece) : undefined)
  }
}
