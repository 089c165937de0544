import {
  createStreamDigester,
  type Digest,
  type HasherEngine,
  type StreamDigester,
  splitDigest,
} from '../digest/index.ts'
import { DiffIdMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../spec/index.ts'
import type { BlobReader } from '../store/index.ts'
import { readTar, type TarEntry, type TarLimits } from '../tar/index.ts'
import { openLayer } from './open-layer.ts'

/** How much a layer may hold, as a tar and as what decompresses to one. */
export interface LayerLimits extends TarLimits {
  /** Bytes of the tar that may come out, and of content in it. @defaultValue no limit for the one, 1 TiB for the other */
  readonly maxBytes?: number | undefined
  /**
   * Bytes of the tar for each byte of the blob, beyond the first 64 MiB; and bytes of holes for each byte of the tar, beyond
   * the first GiB. @defaultValue `1000`
   */
  readonly maxRatio?: number | undefined
}

/** How to read a layer, and what to prove. */
export interface ReadLayerOptions extends AbortOptions, LayerLimits {
  /** Digest that the tar must have, from the image config. */
  readonly diffId?: Digest | undefined
  /** What computes the diffId. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/**
 * The entries of a stored layer, in their order, as {@link readTar} gives them.
 *
 * Entries handed out before the end are not proven yet: the loop ends only if the blob had its digest, was whole, and its
 * tar had the diffId. A blob whose bytes are compressed in another way than its media type says is read if a diffId is
 * given, for that proves it.
 *
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`, {@link SizeMismatchError} `ERR_SIZE_MISMATCH`.
 * @throws {@link FormatError} `ERR_UNSUPPORTED_MEDIA_TYPE` for types that are no layer, for foreign layers, and for a type
 * that does not fit the bytes; `ERR_INVALID_TAR`, `ERR_INVALID_COMPRESSION`, `ERR_UNSUPPORTED_COMPRESSION`.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED`, and the errors of {@link BlobReader.read}.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md | image-spec: layers}
 */
export async function* readLayer(
  store: Pick<BlobReader, 'read'>,
  descriptor: Descriptor,
  options: ReadLayerOptions = {},
): AsyncGenerator<TarEntry, void, undefined> {
  const { diffId } = options
  const tar = openLayer(store, descriptor, options)
  const digester = diffId && (await createStreamDigester({ ...splitDigest(diffId), hasher: options.hasher }))
  try {
    yield* readTar(digester ? hashed(tar, digester) : tar, options)
    const actual = await digester?.digest()
    if (diffId && actual && actual !== diffId) {
      throw new DiffIdMismatchError({ layer: descriptor.digest, expected: diffId, actual })
    }
  } finally {
    digester?.release()
  }
}

/**
 * The diffId of a stored layer: the digest of its tar, whose entries are not looked at. The bytes are opened as
 * {@link readLayer} does it without a diffId, so media type and content must agree.
 *
 * @throws as {@link readLayer}, but for `ERR_INVALID_TAR` and `ERR_DIFF_ID_MISMATCH`.
 */
export async function diffIdOf(
  store: Pick<BlobReader, 'read'>,
  descriptor: Descriptor,
  options: Omit<ReadLayerOptions, 'diffId'> = {},
): Promise<Digest> {
  const { hasher, maxBytes, maxRatio, signal } = options
  const digester = await createStreamDigester({ hasher })
  try {
    for await (const chunk of openLayer(store, descriptor, { maxBytes, maxRatio, signal })) await digester.update(chunk)
    return await digester.digest()
  } finally {
    digester.release()
  }
}

async function* hashed(
  tar: AsyncIterable<Uint8Array>,
  digester: StreamDigester,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of tar) {
    await digester.update(chunk)
    yield chunk
  }
}
