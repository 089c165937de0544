import type { TransferSource } from '../../transfer/index.ts'
import type { VerificationKey } from '../sign/keys/verification-key.ts'
import type { CertificateVerifier } from '../verify/load-certificate-verifier.ts'
import type { CertificateIdentity } from '../verify/trust-base.ts'

/** Decision of a policy about an image: allowed, refused, or allowed if every requirement holds. */
export type PolicyRule =
  | { readonly kind: 'accept' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'require'; readonly requirements: readonly PolicyRequirement[] }

/** One requirement: enough of these signers have signed, and one of them has attested each type. */
export interface PolicyRequirement {
  readonly keys: readonly VerificationKey[]
  readonly identities: readonly CertificateIdentity[]
  readonly certificates?: CertificateVerifier | undefined
  /** Number of different signers that are needed. */
  readonly threshold: number
  /** Predicate types of attestations that are needed too. */
  readonly attestations: readonly string[]
  /** Makes the rule for signed names. */
  nameRule(source: TransferSource): (name: string | undefined) => boolean
}

/** Chooses the rule for an image. */
export type RuleChoice = (source: TransferSource) => PolicyRule
