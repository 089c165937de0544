import { randomUUID } from 'node:crypto'
import { type CompressionType, compress, decompress, sniffCompression } from '../compression/index.ts'
import { createStreamDigester, type Digest, type HasherEngine, type StreamDigester } from '../digest/index.ts'
import { composeImage, type Image } from '../image/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { ByteSource } from '../internal/byte-source.ts'
import { type HistoryEntry, MediaType, type Platform, type RunConfig } from '../oci/index.ts'
import { type BlobInfo, recordLayerFact, type Store } from '../store/index.ts'
import { TarScanner } from '../tar/index.ts'
import { ArchiveFile } from './members/archive-file.ts'

/** How a root filesystem becomes an image. */
export interface ImportTarOptions extends AbortOptions {
  /** What a tar that is not compressed is compressed with. One that is stays byte for byte what it is. @defaultValue `'gzip'` */
  readonly compression?: CompressionType | undefined
  /** How a container runs. */
  readonly config?: RunConfig | undefined
  /** @defaultValue linux/amd64 */
  readonly platform?: Platform | undefined
  /** When, RFC 3339. @defaultValue `SOURCE_DATE_EPOCH`, else the start of 1970 */
  readonly created?: string | undefined
  /** Who. */
  readonly author?: string | undefined
  /** What the history says of the layer. */
  readonly history?: HistoryEntry | undefined
  /** Bytes of the tar that may come out. @defaultValue no limit but the ratio of {@link decompress} */
  readonly maxBytes?: number | undefined
  /** What computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

const MEDIA_TYPES: Readonly<Record<CompressionType, string>> = {
  none: MediaType.OciLayer,
  gzip: MediaType.OciLayerGzip,
  zstd: MediaType.OciLayerZstd,
}

/**
 * Makes an image of one layer out of the tar of a root filesystem, plain or compressed with gzip or zstd, in one pass. The
 * tar is kept as it is, order, times and owners included, and checked as {@link readTar} checks it: nothing is stored of one
 * that cannot be read. Nothing is named.
 *
 * @param source - A path, or the bytes.
 * @throws {@link FormatError} `ERR_INVALID_TAR`, `ERR_INVALID_COMPRESSION`, `ERR_UNSUPPORTED_COMPRESSION`.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED`, {@link StoreError} `ERR_STORE_IO`.
 */
export async function importTar(
  store: Store,
  source: string | ByteSource,
  options: ImportTarOptions = {},
): Promise<Image> {
  await using _lease = await store.leases.hold({ label: 'import a tar', signal: options.signal })
  const file = typeof source === 'string' ? await ArchiveFile.open(source) : undefined
  try {
    const layer = await storeLayer(store, file?.stream(options) ?? (source as ByteSource), options)
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

/** The bytes go to the store on their way into the decompressor, so that one pass is enough to know both digests. */
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

/** Lets a tar through, and knows afterwards that it is one, and its digest. */
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
