import type { Digest } from '../../digest/index.ts'
import { type Bundle, parseBundle } from '../sign/formats/bundle.ts'
import { decodeBase64, type Envelope, preAuthEncoding, readEnvelope } from '../sign/formats/envelope.ts'
import { SIGN_PREDICATE, SignatureAnnotation, SignatureType } from '../sign/formats/media-types.ts'
import { parseSimpleSigning } from '../sign/formats/simple-signing.ts'
import { parseStatement } from '../sign/formats/statement.ts'
import { certificateBundle } from './certificate-bundle.ts'
import type { Candidate } from './find-signatures.ts'
import { matchesWhole, type SignedBy, type TrustBase, type VerifiedSignature } from './trust-base.ts'

/**
 * Verifies one signature or attestation of an image: its signer, the digest that it names, and its name.
 *
 * @returns a text that says why it does not count.
 */
export async function verifyCandidate(
  candidate: Candidate,
  subject: Digest,
  trust: TrustBase,
): Promise<VerifiedSignature | string> {
  if (candidate.kind === 'other') return `${candidate.type} is not supported`
  const content = await candidate.read()
  if (candidate.kind === 'simple-signing') return verifySimple(candidate, content, subject, trust)
  if (candidate.kind === 'bundle') return verifyBundle(candidate, content, subject, trust)
  return verifyEnvelope(candidate, content, subject, trust)
}

function verifySimple(
  { at, annotations }: Candidate,
  payload: Uint8Array,
  subject: Digest,
  trust: TrustBase,
): VerifiedSignature | string {
  const signature = decodeBase64(annotations[SignatureAnnotation.Signature])
  if (!signature) return 'it has no signature in its annotations'
  const hasCertificate = annotations[SignatureAnnotation.Certificate] !== undefined
  const by = hasCertificate
    ? byCertificate(certificateBundle(annotations, { payload, signature }), trust, payload)
    : byKey(payload, signature, trust)
  if (typeof by === 'string') return by
  const signed = parseSimpleSigning(payload)
  if (typeof signed === 'string') return signed
  if (signed.digest !== subject) return `it signs another image, ${quote(signed.digest)}`
  if (!trust.acceptsName(signed.name)) return `it was made for another name, ${quote(signed.name)}`
  return { by, at, format: 'simple-signing' }
}

function verifyBundle(
  { at }: Candidate,
  content: Uint8Array,
  subject: Digest,
  trust: TrustBase,
): VerifiedSignature | string {
  const bundle = parseBundle(content)
  if (typeof bundle === 'string') return bundle
  const by = signerOf(bundle, trust)
  return typeof by === 'string' ? by : checkStatement(bundle.envelope, { by, at, format: 'bundle' }, subject, trust)
}

function signerOf({ envelope, signer, document }: Bundle, trust: TrustBase): SignedBy | string {
  return signer === 'certificate' ? byCertificate(document, trust) : envelopeByKey(envelope, trust)
}

function verifyEnvelope(
  { at, annotations }: Candidate,
  content: Uint8Array,
  subject: Digest,
  trust: TrustBase,
): VerifiedSignature | string {
  const envelope = readEnvelope(content)
  if (typeof envelope === 'string') return envelope
  if (envelope.payloadType !== SignatureType.InToto) return 'its envelope holds no in-toto statement'
  const hasCertificate = annotations[SignatureAnnotation.Certificate] !== undefined
  const by = hasCertificate
    ? byCertificate(certificateBundle(annotations, envelope), trust)
    : envelopeByKey(envelope, trust)
  return typeof by === 'string' ? by : checkStatement(envelope, { by, at, format: 'envelope' }, subject, trust)
}

function envelopeByKey({ payloadType, payload, signature }: Envelope, trust: TrustBase): SignedBy | string {
  return byKey(preAuthEncoding(payloadType, payload), signature, trust)
}

function byKey(bytes: Uint8Array, signature: Uint8Array, { keys }: TrustBase): SignedBy | string {
  const key = keys.find(one => one.verify(bytes, signature))
  if (key) return { kind: 'key', hint: key.hint, label: key.label }
  return keys.length === 0 ? 'it was made with a key, and no key is trusted' : 'no trusted key has made it'
}

function byCertificate(
  document: unknown,
  { identities, certificates }: TrustBase,
  payload?: Uint8Array,
): SignedBy | string {
  if (!certificates) return 'it was made with a certificate, and no identity is trusted'
  if (typeof document === 'string') return document
  const signer = certificates.verify(document, payload)
  if (typeof signer === 'string') return signer
  const fits = identities.some(
    one => matchesWhole(one.identity, signer.identity) && matchesWhole(one.issuer, signer.issuer),
  )
  if (!fits) return `its signer ${quote(signer.identity)} (${quote(signer.issuer)}) is not trusted`
  return { kind: 'certificate', ...signer }
}

/** Reads the statement of a verified envelope, and checks that it is about the image. */
function checkStatement(
  { payload }: Envelope,
  found: Pick<VerifiedSignature, 'by' | 'at' | 'format'>,
  subject: Digest,
  trust: TrustBase,
): VerifiedSignature | string {
  const statement = parseStatement(payload)
  if (typeof statement === 'string') return statement
  const named = statement.subject.filter(({ digests }) => digests.includes(subject))
  if (named.length === 0) return `it is about another image, ${statement.subject.slice(0, 2).map(shown).join(', ')}`
  const { predicateType, predicate } = statement
  if (predicateType !== SIGN_PREDICATE) return { ...found, predicateType, predicate }
  // cosign 3 writes no name; a name that is there was signed, and so counts.
  const fits = named.some(({ name }) => trust.acceptsName(name || undefined))
  return fits ? found : `it was made for another name, ${named.map(({ name }) => quote(name ?? '')).join(', ')}`
}

function shown({ digests }: { readonly digests: readonly string[] }): string {
  return quote(digests[0] ?? 'none')
}

/** SAFETY: the texts come from a registry and end in messages. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 160))
}
