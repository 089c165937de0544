import {
  createStreamDigester,
  type Digest,
  type HasherEngine,
  type StreamDigester,
  splitDigest,
} from '../../digest/index.ts'
import { DiffIdMismatchError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { BlobReader, DerivedStore } from '../../store/index.ts'
import { LayerIndexer } from '../indexing/layer-indexer.ts'
import type { IndexedEntry, LayerIndex } from '../layer-index.ts'
import { type OpenLayerOptions, openTar } from './open-tar.ts'

/** Options of {@link LayerProof}. */
export interface LayerProofOptions extends OpenLayerOptions {
  /** Hash engine. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Whether the entry index is made in the same pass. @defaultValue `false` */
  readonly index?: boolean | undefined
}

/** Result of a verified layer. */
export interface ProvenLayer {
  /** Digest of the tar. */
  readonly diffId: Digest
  /** The entry index, if it was requested. */
  readonly index: LayerIndex | undefined
}

/** One decompression of a layer: yields its tar, then verifies it. Call `release` once. */
export class LayerProof {
  readonly #blob: AsyncIterable<Uint8Array>
  readonly #descriptor: Descriptor
  readonly #options: LayerProofOptions
  readonly #digester: StreamDigester | undefined
  readonly #indexer: LayerIndexer | undefined
  readonly #entries: IndexedEntry[] = []

  private constructor(
    blob: AsyncIterable<Uint8Array>,
    descriptor: Descriptor,
    options: LayerProofOptions,
    digester: StreamDigester | undefined,
  ) {
    this.#blob = blob
    this.#descriptor = descriptor
    this.#options = options
    this.#digester = digester
    const keep = (entry: IndexedEntry) => void this.#entries.push(entry)
    this.#indexer = options.index ? new LayerIndexer(options.hasher, keep, options) : undefined
  }

  /** Opens the layer. Reads nothing before the first request for the tar. */
  static async open(
    blob: AsyncIterable<Uint8Array>,
    descriptor: Descriptor,
    options: LayerProofOptions,
  ): Promise<LayerProof> {
    const { diffId, index, hasher } = options
    const algorithm = diffId && splitDigest(diffId).algorithm
    const digester = diffId || index ? await createStreamDigester({ algorithm, hasher }) : undefined
    return new LayerProof(blob, descriptor, options, digester)
  }

  /** Yields the tar. Read it to its end. */
  async *tar(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of openTar(this.#blob, this.#descriptor, this.#options)) {
      await this.#digester?.update(chunk)
      await this.#indexer?.take(chunk)
      yield chunk
    }
  }

  /**
   * Resolves to diffID and index after the end of the tar; `undefined` if neither was requested.
   *
   * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`.
   */
  async check(): Promise<ProvenLayer | undefined> {
    const { diffId: expected } = this.#options
    const diffId = await this.#digester?.digest()
    if (!diffId) return undefined
    if (expected && diffId !== expected) {
      throw new DiffIdMismatchError({ layer: this.#descriptor.digest, expected, actual: diffId })
    }
    return { diffId, index: this.#indexer && this.#indexOf(diffId, this.#indexer.end()) }
  }

  #indexOf(diffId: Digest, bytes: number): LayerIndex {
    return { version: 1, diffId, bytes, entries: this.#entries, duplicates: duplicatesOf(this.#entries) }
  }

  /** Releases the hasher of a layer whose tar was not read to its end. */
  release(): void {
    this.#digester?.release()
    this.#indexer?.release()
  }
}

function duplicatesOf(entries: readonly IndexedEntry[]): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { path } of entries) (seen.has(path) ? twice : seen).add(path)
  return [...twice]
}

/**
 * Opens the bytes of a stored layer.
 *
 * PERF: with a diffId the digest of the blob is not computed: the diffId verifies the decompressed bytes.
 */
export function layerBlob(
  store: Pick<BlobReader, 'read'>,
  { digest }: Descriptor,
  { diffId, signal }: OpenLayerOptions,
): AsyncIterable<Uint8Array> {
  return store.read(digest, diffId ? { signal, verify: 'never' } : { signal })
}

/** A store with or without derived data. */
export type LayerStore = Pick<BlobReader, 'read'> & {
  /** Derived data that keeps indexes; without it no index is kept. */
  readonly derived?: DerivedStore | undefined
}
