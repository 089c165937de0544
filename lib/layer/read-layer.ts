import { createStreamDigester, type Digest, type HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { BlobReader } from '../store/index.ts'
import { readTar, type TarEntry } from '../tar/index.ts'
import { keepIndex } from './indexing/keep-index.ts'
import { layerFault } from './reading/layer-fault.ts'
import type { LayerLimits } from './reading/layer-limits.ts'
import { LayerProof, type LayerStore, layerBlob } from './reading/layer-proof.ts'

/** Options of {@link readLayer}. */
export interface ReadLayerOptions extends AbortOptions, LayerLimits {
  /** Expected digest of the tar, from the image config. */
  readonly diffId?: Digest | undefined
  /** Hash engine for the diffId. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /**
   * Make the entry index in the same pass and keep it, so that {@link readLayerIndex} and views need not open the layer
   * later. Needs a diffId and a store with derived data, and costs one more digest of every file. @defaultValue `false`
   */
  readonly index?: boolean | undefined
}

/**
 * Yields the entries of a stored layer in their order, like {@link readTar}.
 *
 * Entries are not verified before the end: the loop ends without error only if the blob was complete and its tar had
 * the diffId. Without a diffId the digest of the blob is verified instead. With a diffId the digest of the blob is
 * computed only after a failure, to distinguish a damaged blob (`ERR_BLOB_CORRUPT`) from a layer that was made wrong.
 * If the compression contradicts the media type, the blob is read only with a diffId, which verifies the result.
 *
 * @example
 * ```ts
 * for await (const entry of readLayer(store, layer.descriptor, { diffId: layer.diffId })) {
 *   console.log(entry.type, entry.path, entry.size)
 * }
 * ```
 *
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`, {@link SizeMismatchError} `ERR_SIZE_MISMATCH`.
 * @throws {@link FormatError} `ERR_UNSUPPORTED_MEDIA_TYPE` for types that are no layer, for foreign layers, and for a
 * type that contradicts the bytes; `ERR_INVALID_TAR`, `ERR_INVALID_COMPRESSION`, `ERR_UNSUPPORTED_COMPRESSION`.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED`, and the errors of {@link BlobReader.read}.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md | image-spec: layers}
 */
export async function* readLayer(
  store: LayerStore,
  descriptor: Descriptor,
  options: ReadLayerOptions = {},
): AsyncGenerator<TarEntry, void, undefined> {
  const { signal, diffId } = options
  const { derived } = store
  const index = options.index === true && diffId !== undefined && derived !== undefined
  const proof = await LayerProof.open(layerBlob(store, descriptor, options), descriptor, { ...options, index })
  const explain = async (error: unknown) => (diffId ? layerFault(store, descriptor, error, options) : error)
  try {
    for await (const entry of readTar(proof.tar(), options)) {
      // A reader of the content gets a failure before this loop does, so the content explains it too.
      yield diffId && entry.size > 0 ? { ...entry, content: explained(entry.content, explain) } : entry
    }
    const proven = await proof.check()
    if (derived && proven?.index) await keepIndex(derived, proven.index, { signal })
  } catch (error) {
    throw await explain(error)
  } finally {
    proof.release()
  }
}

async function* explained(
  content: AsyncIterable<Uint8Array>,
  explain: (error: unknown) => Promise<unknown>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of content) yield chunk
  } catch (error) {
    throw await explain(error)
  }
}

/**
 * Yields the tar of a stored layer, uncompressed and byte for byte, without parsing its entries. As with
 * {@link readLayer}, the loop ends without error only if everything was verified.
 *
 * @throws as {@link readLayer}, except `ERR_INVALID_TAR`.
 */
export async function* readLayerTar(
  store: Pick<BlobReader, 'read'>,
  descriptor: Descriptor,
  options: Omit<ReadLayerOptions, 'index'> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const proof = await LayerProof.open(layerBlob(store, descriptor, options), descriptor, { ...options, index: false })
  try {
    yield* proof.tar()
    await proof.check()
  } catch (error) {
    throw options.diffId ? await layerFault(store, descriptor, error, options) : error
  } finally {
    proof.release()
  }
}

/**
 * Computes the diffId of a stored layer: the digest of its tar, without parsing its entries. The blob is opened like
 * {@link readLayer} without a diffId, so media type and content must agree.
 *
 * @throws as {@link readLayer}, except `ERR_INVALID_TAR` and `ERR_DIFF_ID_MISMATCH`.
 */
export async function diffIdOf(
  store: Pick<BlobReader, 'read'>,
  descriptor: Descriptor,
  options: Omit<ReadLayerOptions, 'diffId' | 'index'> = {},
): Promise<Digest> {
  const digester = await createStreamDigester({ hasher: options.hasher })
  try {
    for await (const chunk of readLayerTar(store, descriptor, { ...options, diffId: undefined })) {
      await digester.update(chunk)
    }
    return await digester.digest()
  } finally {
    digester.release()
  }
}
