import { type Digest, verifyBytes } from '../../digest/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { type Descriptor, type ImageDocument, Limits, MediaType, parseImageDocument } from '../../oci/index.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { AnyPlan } from '../plan.ts'

/** The image that a transfer is about to move, for {@link RunOptions.verify}. */
export interface ImageToVerify {
  /** Place of the image, which also has its signatures. */
  readonly source: TransferSource
  /** Descriptor that is about to get the name. Verify this digest: nothing is looked up again. */
  readonly root: Descriptor
  /** Digest of the index that the root was taken from, if it is part of one. */
  readonly index?: Digest | undefined
  /**
   * Reads the root or the index, and compares it with its digest. An index that was made of some platforms exists at no
   * source.
   */
  read(digest: Digest): Promise<ImageDocument>
  /** Aborts the verification. */
  readonly signal?: AbortSignal | undefined
}

/** Makes what {@link RunOptions.verify} gets. */
export function imageToVerify(
  plan: AnyPlan,
  source: TransferSource,
  documents: ReadonlyMap<string, Uint8Array>,
  signal: AbortSignal | undefined,
): ImageToVerify {
  const { root, index, steps } = plan
  return {
    source,
    root,
    index,
    signal,
    async read(digest) {
      const text = steps.find(({ descriptor }) => descriptor.digest === digest)?.content
      const content =
        text === undefined ? (documents.get(digest) ?? (await readFrom(source, digest, signal))) : Buffer.from(text)
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
