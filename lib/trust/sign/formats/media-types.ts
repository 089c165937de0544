/**
 * Media types and annotations of signatures.
 *
 * @see {@link https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md | cosign: signature}
 * @see {@link https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md | cosign: bundle}
 */
export const SignatureType = {
  /** Payload of simple signing; also the layer that holds it. */
  SimpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  /** Artifact type of a referrer with payloads of simple signing (cosign 2 with OCI 1.1). */
  SimpleSigningArtifact: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  /** A sigstore bundle, as cosign 3 and GitHub write it. */
  Bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  /** An envelope of an attestation, as cosign 2 writes it under the tag `sha256-….att`. */
  Dsse: 'application/vnd.dsse.envelope.v1+json',
  /** A signature of Notation. */
  Notation: 'application/vnd.cncf.notary.signature',
  /** Payload of a DSSE envelope that holds a statement. */
  InToto: 'application/vnd.in-toto+json',
} as const

/** Annotations of signatures. */
export const SignatureAnnotation = {
  /** Signature over the payload of the layer, base64. */
  Signature: 'dev.cosignproject.cosign/signature',
  /** Certificate of the signer, PEM. */
  Certificate: 'dev.sigstore.cosign/certificate',
  /** Entry in the transparency log, JSON. */
  LogEntry: 'dev.sigstore.cosign/bundle',
  /** Kind of the content of a bundle: `dsse-envelope` or `message-signature`. */
  BundleContent: 'dev.sigstore.bundle.content',
  /** Predicate type of the statement in a bundle. */
  BundlePredicate: 'dev.sigstore.bundle.predicateType',
  /** The bundle itself, if it is small: the list of referrers shows it, and nothing else has to be fetched. */
  InlineBundle: 'layerstore.signature.bundle',
} as const

/** Predicate type of the statement that a signature of an image is, since cosign 3. */
export const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1'

/** Longest bundle that is repeated in the annotations of its manifest, in characters. */
export const MOST_INLINE = 8 * 1024
