import { parseStrictJson } from '../../../internal/strict-json.ts'
import { type Envelope, formatEnvelope, parseEnvelope } from './envelope.ts'
import { SignatureType } from './media-types.ts'

/** A sigstore bundle with an envelope, as far as it is read here. */
export interface Bundle {
  readonly envelope: Envelope
  /** Maker of the signature: a key, or the key of a certificate. */
  readonly signer: 'key' | 'certificate'
  /** The JSON value, for the packages that verify certificates. */
  readonly document: unknown
}

/** Writes the bundle of a signature by a key. */
export function formatBundle(envelope: Envelope, hint: string): string {
  return JSON.stringify({
    mediaType: SignatureType.Bundle,
    verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    dsseEnvelope: formatEnvelope(envelope),
  })
}

/** SPEC: media types of bundles, in both spellings (sigstore_bundle.proto). */
const TYPES = [
  SignatureType.Bundle,
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
  'application/vnd.dev.sigstore.bundle+json;version=0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.1',
]

/**
 * Reads a bundle.
 *
 * @returns a text that says what is wrong, if it is malformed or not supported.
 * @see {@link https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto | sigstore bundle}
 */
export function parseBundle(bytes: Uint8Array): Bundle | string {
  let document: Record<string, unknown>
  try {
    document = parseStrictJson(bytes) as Record<string, unknown>
  } catch {
    return 'its bundle is not JSON'
  }
  if (typeof document !== 'object' || document === null) return 'its bundle is not an object'
  const { mediaType, verificationMaterial, dsseEnvelope, messageSignature } = document
  if (!TYPES.includes(mediaType as string)) return 'its bundle has an unknown media type'
  if (messageSignature !== undefined) return 'its bundle signs bytes and not a statement, which is not supported'
  const envelope = parseEnvelope(dsseEnvelope)
  if (typeof envelope === 'string') return envelope
  if (envelope.payloadType !== SignatureType.InToto) return 'its envelope holds no in-toto statement'
  const signer = signerOf(verificationMaterial)
  return signer === undefined ? 'its bundle has neither key nor certificate' : { envelope, signer, document }
}

function signerOf(material: unknown): Bundle['signer'] | undefined {
  const { publicKey, certificate, x509CertificateChain } = (material ?? {}) as Record<string, unknown>
  if (certificate !== undefined || x509CertificateChain !== undefined) return publicKey ? undefined : 'certificate'
  return publicKey === undefined ? undefined : 'key'
}
