import type { Digest } from '../../digest/index.ts'
import { FormatError, TrustError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { assertOptions } from '../../internal/assert-kind.ts'
import type { TransferSource } from '../../transfer/index.ts'
import { openPlace, repositoryOf, type SignedPlace } from '../sign/image-place.ts'
import { loadVerificationKey, type VerificationKey } from '../sign/keys/verification-key.ts'
import { describeOther, type Evidence, gatherEvidence, type OtherSignature } from './gather-evidence.ts'
import { loadCertificateVerifier } from './load-certificate-verifier.ts'
import { nameRule } from './name-rule.ts'
import type { CertificateIdentity, TrustBase, VerifiedSignature } from './trust-base.ts'

/** Options of {@link verifyImage}. At least one key or one identity is needed. */
export interface VerifyImageOptions extends AbortOptions {
  /** Public keys, as PEM texts or loaded; one of them must have signed. */
  readonly keys?: readonly (string | VerificationKey)[] | undefined
  /** Identities in certificates, one of which may have signed instead; `trustedRoot` is needed then. */
  readonly identities?: readonly CertificateIdentity[] | undefined
  /** JSON value of the `trusted_root.json` of a sigstore instance. Nothing is fetched. */
  readonly trustedRoot?: unknown
  /** Predicate types, URIs, of attestations that must exist and be signed by a trusted signer too. */
  readonly attestations?: readonly string[] | undefined
  /**
   * Repository, or full reference, that must have been signed; `false` accepts any, for an image that was copied from
   * elsewhere. A bundle without a name, as cosign 3 writes it, is accepted in any case.
   * @defaultValue the repository of the image
   */
  readonly signedName?: string | false | undefined
}

/** Result of {@link verifyImage}. */
export interface VerifiedImage {
  /** Digest of the verified manifest or index. Use the image by this digest: a tag may change. */
  readonly digest: Digest
  /** Signatures of trusted signers. */
  readonly signatures: readonly VerifiedSignature[]
  /** Attestations of trusted signers, of the wanted types. */
  readonly attestations: readonly VerifiedSignature[]
  /** Reasons for which other signatures do not count, one entry each. */
  readonly refused: readonly string[]
  /** Signatures of kinds that are not verified here, such as those of Notation. */
  readonly others: readonly OtherSignature[]
}

/**
 * Verifies that a trusted key or identity has signed an image, wherever the image is: in a registry, a store, a layout
 * or an archive. Reads signatures in both places (referrer, tag `sha256-<hex>.sig`) and in all forms of cosign 1 to 3,
 * skopeo and podman. Entries in transparency logs are verified for certificates, not for keys.
 *
 * @example
 * ```ts
 * const keys = [await readFile('cosign.pub', 'utf8')]
 * const { digest } = await verifyImage({ registry, reference: 'ghcr.io/team/app:1.0' }, { keys })
 * ```
 *
 * @throws {@link TrustError} `ERR_SIGNATURE_MISSING`, `ERR_SIGNATURE_INVALID`, `ERR_INVALID_KEY`, `ERR_TRUST_PACKAGE`;
 * {@link FormatError} `ERR_INVALID_ARGUMENT`; the errors of the registry and of the store.
 */
export async function verifyImage(place: SignedPlace, options: VerifyImageOptions): Promise<VerifiedImage> {
  assertOptions(options)
  const { attestations: wanted = [], signal } = options
  const source = openPlace(place)
  const trust = trustOf(source, options)
  const { digest } = await source.resolve({ signal })
  const evidence = await gatherEvidence(source, digest, trust, { attestations: wanted, signal })
  const signatures = evidence.verified.filter(({ predicateType }) => predicateType === undefined)
  if (signatures.length === 0) throw failure(digest, source, evidence)
  const attestations = evidence.verified.filter(({ predicateType }) => wanted.includes(predicateType ?? ''))
  const missing = wanted.filter(type => attestations.every(({ predicateType }) => predicateType !== type))
  if (missing.length > 0) {
    const reasons = [...missing.map(type => `no attestation ${type} by a trusted signer`), ...evidence.refused]
    throw new TrustError('ERR_SIGNATURE_MISSING', `attestations of ${digest} are missing`, { digest, reasons })
  }
  return { digest, signatures, attestations, refused: evidence.refused, others: evidence.others }
}

function trustOf(source: TransferSource, options: VerifyImageOptions): TrustBase {
  const { keys = [], identities = [], trustedRoot, signedName } = options
  if (keys.length + identities.length === 0)
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a key or an identity is needed to verify signatures')
  if (identities.length > 0 && trustedRoot === undefined)
    throw new FormatError('ERR_INVALID_ARGUMENT', 'identities need trustedRoot, the JSON value of a trusted_root.json')
  return {
    keys: keys.map(key => (typeof key === 'string' ? loadVerificationKey(key) : key)),
    identities,
    certificates: identities.length > 0 ? loadCertificateVerifier(trustedRoot) : undefined,
    acceptsName: nameRule(repositoryOf(source), signedName),
  }
}

function failure(digest: Digest, { label }: TransferSource, { verified, refused, others }: Evidence): TrustError {
  const found = [...refused, ...others.map(other => `not verified here: ${describeOther(other)}`)]
  const reasons = verified.length > 0 ? [...found, 'there are attestations, but no signature'] : found
  if (refused.length === 0) {
    return new TrustError('ERR_SIGNATURE_MISSING', `no signature of ${digest} was found for ${label}`, {
      digest,
      reasons,
    })
  }
  return new TrustError('ERR_SIGNATURE_INVALID', `no trusted signature of ${digest} for ${label}`, { digest, reasons })
}
