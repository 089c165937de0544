import { type Digest, verifyBytes } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { type Descriptor, type ImageDocument, Limits, MediaType, parseImageDocument } from '../../oci/index.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'

/** The image that a transfer is about to move, for {@link RunOptions.verify}. */
export interface ImageToVerify {
  /** Place of the image, which also has its signatures. */
  readonly source: TransferSource
  /** Descriptor that is about to get the name. Verify this digest: nothing is looked up again. */
  readonly root: Descriptor
  /** Digest of the index that the root was taken from, if it is part of one. */
  readonly index?: Digest | undefined
  /**
   * Manifests that are about to get tags beside the image, such as its signatures. They are not signed themselves, so
   * refuse those that can be run.
   */
  readonly attached?: readonly Descriptor[] | undefined
  /**
   * Reads the root, the index or what is attached, and compares it with its digest. An index that was made of some
   * platforms exists at no source.
   */
  read(digest: Digest): Promise<ImageDocument>
  /** Aborts the verification. */
  readonly signal?: AbortSignal | undefined
}

/** Options of {@link imageToVerify}. */
export interface ImageToVerifyOptions extends AbortOptions {
  /** Digest of the index that the root was taken from, or of the root itself. */
  readonly index?: Digest | undefined
  /** Manifests that get tags beside the image. @defaultValue none */
  readonly attached?: readonly Descriptor[] | undefined
  /** Returns a document that is known already, so that the source is not asked for it. */
  readonly known?: ((digest: Digest) => Uint8Array | undefined) | undefined
}

/**
 * Describes an image to the function that verifies it ({@link RunOptions.verify}). Documents are compared with their
 * digests, wherever they come from.
 *
 * @example
 * ```ts
 * const policy = await loadPolicy('policy.json')
 * const source = registrySourceEndpoint(registry, 'ghcr.io/team/app:1.0')
 * await policy.verify(imageToVerify(source, await source.resolve()))
 * ```
 */
export function imageToVerify(
  source: TransferSource,
  root: Descriptor,
  { index, attached, known, signal }: ImageToVerifyOptions = {},
): ImageToVerify {
  return {
    source,
    root,
    index: index === root.digest ? undefined : index,
    attached,
    signal,
    async read(digest) {
      const content = known?.(digest) ?? (await readFrom(source, digest, signal))
      // SAFETY: a stored plan has the text of documents, and a source may read another document than the wanted one.
      const bytes = await collectBytes(verifyBytes(content, { digest }), Limits.manifestBytes, `document ${digest}`)
      return parseImageDocument(bytes)
    },
  }
}

/** A registry reads documents by their digests. Another source wants the size, and reads blobs without it. */
async function readFrom(source: TransferSource, digest: Digest, signal: AbortSignal | undefined) {
  const descriptor = { mediaType: MediaType.OciIndex, digest, size: 0 }
  if (source.repository) return source.readDocument(descriptor, { signal })
  return source.readBlob(descriptor, { offset: 0, signal })
}
