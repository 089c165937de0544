import { randomUUID } from 'node:crypto'
import { type CompressionType, compress, decompress, sniffCompression } from '../compression/index.ts'
import { createStreamDigester, type Digest, type HasherEngine, type StreamDigester } from '../digest/index.ts'
import { composeImage, type Image } from '../image/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import { type ByteSource, keepFault } from '../internal/byte-source.ts'
import { pathOf } from '../internal/path-of.ts'
import { type HistoryEntry, MediaType, type Platform, type RunConfig } from '../oci/index.ts'
import { assertStore, type BlobInfo, recordLayerFact, type Store } from '../store/index.ts'
import { TarScanner } from '../tar/index.ts'
import { ArchiveFile } from './members/archive-file.ts'
import { nameArchive } from './name-archive.ts'

/** Options of {@link importTar}. */
export interface ImportTarOptions extends AbortOptions {
  /** Compression for a tar that is not compressed. A compressed tar is kept byte for byte. @defaultValue `'gzip'` */
  readonly compression?: CompressionType | undefined
  /** Configuration of the containers, as recorded in the image config. */
  readonly config?: RunConfig | undefined
  /** @defaultValue linux/amd64 */
  readonly platform?: string | Platform | undefined
  /** Creation time, RFC 3339. @defaultValue `SOURCE_DATE_EPOCH`, else the start of 1970 */
  readonly created?: string | undefined
  /** Author recorded in the config. */
  readonly author?: string | undefined
  /** History entry of the layer. */
  readonly history?: HistoryEntry | undefined
  /** Maximum size of the decompressed tar in bytes. @defaultValue no limit except the ratio of {@link decompress} */
  readonly maxBytes?: number | undefined
  /** Engine that computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

const MEDIA_TYPES: Readonly<Record<CompressionType, string>> = {
  none: MediaType.OciLayer,
  gzip: MediaType.OciLayerGzip,
  zstd: MediaType.OciLayerZstd,
}

/**
 * Makes an image of one layer from the tar of a root filesystem, plain or compressed with gzip or zstd, in one pass.
 * The tar is kept unchanged, including order, times and owners. It is checked as {@link readTar} checks it; an invalid
 * tar is not stored. The image gets no name.
 *
 * @example
 * ```ts
 * const image = await importTar(store, 'rootfs.tar.gz', { config: { Cmd: ['/bin/sh'] } })
 * await store.references.set('base:1', image.descriptor)
 * ```
 *
 * @param source - A path, a `file:` URL, or the bytes.
 * @throws {@link FormatError} `ERR_INVALID_TAR`, `ERR_INVALID_COMPRESSION`, `ERR_UNSUPPORTED_COMPRESSION`.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED`, {@link StoreError} `ERR_STORE_IO`, {@link SourceError}
 * `ERR_SOURCE_NOT_FOUND` for a file that does not exist.
 */
export async function importTar(
  store: Store,
  source: string | URL | ByteSource,
  options: ImportTarOptions = {},
): Promise<Image> {
  keepFault(source)
  assertStore(store, ['put', 'ingest', 'leases', 'derived'])
  assertOptions(options)
  await using _lease = await store.leases.hold({ label: 'import a tar', signal: options.signal })
  const file =
    typeof source === 'string' || source instanceof URL ? await ArchiveFile.open(pathOf(source, 'source')) : undefined
  try {
    const layer = file
      ? await nameArchive(String(source), () => storeLayer(store, file.stream(options), options))
      : await storeLayer(store, source as ByteSource, options)
    const { config, platform, created, author, history, signal } = options
    const layers = [{ ...layer, history: { created_by: 'layerstore import', ...history } }]
    return await composeImage(store, { layers, config, platform, created, author, signal })
  } finally {
    await file?.close()
  }
}

async function storeLayer(store: Store, source: ByteSource, options: ImportTarOptions) {
  const { hasher, signal } = options
  const tar = new CheckedTar(await createStreamDigester({ hasher }))
  const { type: found, content } = await sniffCompression(source)
  const type = found === 'gzip' || found === 'zstd' ? found : (options.compression ?? 'gzip')
  try {
    const info = await (type === found
      ? storeAsItIs(store, content, tar, options)
      : store.put(compress(tar.pass(decompress(content, options)), { type, signal }), { hasher, signal }))
    const diffId = await tar.diffId()
    await recordLayerFact(store, { digest: info.digest, diffId, proven: true })
    return { descriptor: { mediaType: MEDIA_TYPES[type], ...info }, diffId }
  } finally {
    await content.return()
    tar.release()
  }
}

/** Stores the compressed bytes while they pass into the decompressor, so that one pass gives both digests. */
async function storeAsItIs(
  store: Store,
  content: AsyncIterable<Uint8Array>,
  tar: CheckedTar,
  { hasher, maxBytes, signal }: ImportTarOptions,
): Promise<BlobInfo> {
  await using writer = await store.ingest(`import ${randomUUID()}`, { hasher, signal })
  async function* written() {
    for await (const chunk of content) {
      await writer.write(chunk)
      yield chunk
    }
  }
  try {
    for await (const _ of tar.pass(decompress(written(), { maxBytes, signal })));
    return await writer.commit({ signal })
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** Passes a tar through; after its end it has checked the tar and knows its digest. */
class CheckedTar {
  readonly #scanner = new TarScanner()
  readonly #digester: StreamDigester

  constructor(digester: StreamDigester) {
    this.#digester = digester
  }

  async *pass(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of tar) {
      this.#scanner.push(chunk)
      while (this.#scanner.next());
      await this.#digester.update(chunk)
      yield chunk
    }
    this.#scanner.end()
  }

  diffId(): Promise<Digest> {
    return this.#digester.digest()
  }

  release(): void {
    this.#digester.release()
  }
}
