import type { VerificationKey } from '../sign/keys/verification-key.ts'
import type { CertificateVerifier } from './load-certificate-verifier.ts'

/** The signers that are trusted. */
export interface TrustBase {
  /** Keys that may sign. */
  readonly keys: readonly VerificationKey[]
  /** Identities whose certificates may sign. */
  readonly identities: readonly CertificateIdentity[]
  /** Verifies certificates; absent if there are no identities. */
  readonly certificates?: CertificateVerifier | undefined
  /** Returns whether a signature under this name counts; a bundle may have none. */
  acceptsName(name: string | undefined): boolean
}

/** Identity in a certificate of sigstore, as Fulcio issues it to a person or a workflow. */
export interface CertificateIdentity {
  /** Subject of the certificate: an address of e-mail, or the URI of a workflow. A pattern must match all of it. */
  readonly identity: string | RegExp
  /** The service that attested the identity, such as `https://token.actions.githubusercontent.com`. */
  readonly issuer: string | RegExp
}

/** Maker of a signature. */
export type SignedBy =
  | {
      /** A trusted key. */
      readonly kind: 'key'
      /** SHA-256 of the public key in DER, base64. */
      readonly hint: string
      /** Name of the key in messages. */
      readonly label: string
    }
  | {
      /** The key of a certificate. */
      readonly kind: 'certificate'
      /** Subject of the certificate: an address of e-mail, or the URI of a workflow. */
      readonly identity: string
      /** The service that attested the identity. */
      readonly issuer: string
    }

/** A signature or attestation that was verified. */
export interface VerifiedSignature {
  /** Maker of the signature. */
  readonly by: SignedBy
  /** Digest of the manifest that holds it, or its tag. */
  readonly at: string
  /** Form in which it is kept. */
  readonly format: 'simple-signing' | 'bundle' | 'envelope'
  /** Predicate type of an attestation, a URI; absent for a signature of the image. */
  readonly predicateType?: string | undefined
  /** Claims of an attestation. */
  readonly predicate?: unknown
}

/** Writes the maker of a signature, for messages. */
export function describeSigner(by: SignedBy): string {
  return by.kind === 'key' ? by.label : `${by.identity} (${by.issuer})`
}

/** Returns whether a text is the wanted one; a pattern must match all of it. */
export function matchesWhole(wanted: string | RegExp, text: string): boolean {
  if (typeof wanted === 'string') return wanted === text
  return new RegExp(`^(?:${wanted.source})$`, wanted.flags.replace(/[gmy]/g, '')).test(text)
}
