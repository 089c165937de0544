import type { Digest } from '../../digest/index.ts'
import {
  BlobCorruptError,
  BlobNotFoundError,
  DigestMismatchError,
  FormatError,
  LayerStoreError,
  LimitError,
  SizeMismatchError,
} from '../../errors/index.ts'
import type { TransferSource } from '../../transfer/index.ts'
import { SignatureType } from '../sign/formats/media-types.ts'
import { type FindSignaturesOptions, findSignatures } from './find-signatures.ts'
import type { TrustBase, VerifiedSignature } from './trust-base.ts'
import { verifyCandidate } from './verify-candidate.ts'

/** Signatures of one image that were found. */
export interface Evidence {
  /** Signatures and attestations that were verified. */
  readonly verified: readonly VerifiedSignature[]
  /** Reasons for which the others do not count, one entry each. */
  readonly refused: readonly string[]
  /** Signatures of kinds that are not verified here, such as those of Notation. */
  readonly others: readonly OtherSignature[]
}

/** A signature of a kind that is not verified here. It is copied with the image like any referrer. */
export interface OtherSignature {
  /** Digest of the manifest that holds it, or its tag. */
  readonly at: string
  /** Its media type. */
  readonly type: string
}

/** Options of {@link gatherEvidence}. */
export interface GatherEvidenceOptions extends FindSignaturesOptions {
  /** Ends the search early. */
  readonly isEnough?: ((verified: readonly VerifiedSignature[]) => boolean) | undefined
}

/** Verifies what is attached to an image, until it is enough. One that cannot be read does not hide the others. */
export async function gatherEvidence(
  source: TransferSource,
  subject: Digest,
  trust: TrustBase,
  options: GatherEvidenceOptions,
): Promise<Evidence> {
  const verified: VerifiedSignature[] = []
  const refused: string[] = []
  const others: OtherSignature[] = []
  const search = await readable(async () => {
    for await (const candidate of findSignatures(source, subject, options)) {
      const { at, type, kind } = candidate
      if (kind === 'other') others.push({ at, type })
      else {
        const result = await readable(() => verifyCandidate(candidate, subject, trust))
        if (typeof result === 'string') refused.push(`${at}: ${result}`)
        else verified.push(result)
      }
      if (options.isEnough?.(verified)) break
    }
  })
  if (typeof search === 'string') refused.push(search)
  return { verified, refused, others }
}

/** Writes the signatures of kinds that are not verified here, for messages. */
export function describeOther({ at, type }: OtherSignature): string {
  return type === SignatureType.Notation ? `a signature of Notation, ${at}` : `${type}, ${at}`
}

const BROKEN = [
  FormatError,
  LimitError,
  DigestMismatchError,
  SizeMismatchError,
  BlobNotFoundError,
  BlobCorruptError,
] as const
const ABSENT = ['ERR_MANIFEST_NOT_FOUND', 'ERR_REMOTE_BLOB_NOT_FOUND']

/** Turns the failure of a broken signature into a reason. A failure of the network stays one. */
async function readable<T>(read: () => Promise<T>): Promise<T | string> {
  try {
    return await read()
  } catch (error) {
    const isBroken = BROKEN.some(kind => error instanceof kind)
    if (isBroken || (LayerStoreError.is(error) && ABSENT.includes(error.code))) return (error as Error).message
    throw error
  }
}
