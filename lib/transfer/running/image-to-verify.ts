import type { Digest } from '../../digest/index.ts'
import { type Descriptor, type ImageDocument, MediaType, parseImageDocument } from '../../oci/index.ts'
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
      const content = steps.find(({ descriptor }) => descriptor.digest === digest)?.content
      const known = content === undefined ? documents.get(digest) : Buffer.from(content)
      const descriptor = digest === root.digest ? root : { mediaType: MediaType.OciIndex, digest, size: 0 }
      return parseImageDocument(known ?? (await readFrom(source, descriptor, signal)))
    },
  }
}

/** A registry reads by digest alone. Another source needs the size, which its own name tells. */
async function readFrom(source: TransferSource, descriptor: Descriptor, signal: AbortSignal | undefined) {
  if (descriptor.size > 0 || source.repository) return source.readDocument(descriptor, { signal })
  return source.readDocument(await source.resolve({ signal }), { signal })
}
