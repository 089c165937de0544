import { createHash } from 'node:crypto'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { type Envelope, formatEnvelope } from '../sign/formats/envelope.ts'
import { SignatureAnnotation } from '../sign/formats/media-types.ts'
import { parsePem } from '../sign/keys/pem.ts'

/** Signed bytes, as simple signing has them. */
interface SignedBytes {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Makes a sigstore bundle of the annotations in which cosign 1 and 2 keep the certificate and the log entry of a
 * signature, so that the packages for bundles verify it.
 *
 * @returns a text that says what is wrong, if the annotations are malformed or incomplete.
 */
export function certificateBundle(
  annotations: Readonly<Record<string, string>>,
  signed: SignedBytes | Envelope,
): object | string {
  const certificate = parsePem(annotations[SignatureAnnotation.Certificate] ?? '')
  if (certificate?.label !== 'CERTIFICATE') return 'its certificate is malformed'
  const entry = logEntryOf(annotations[SignatureAnnotation.LogEntry])
  if (typeof entry === 'string') return entry
  const chain = { certificates: [{ rawBytes: base64(certificate.bytes) }] }
  const content =
    'payloadType' in signed ? { dsseEnvelope: formatEnvelope(signed) } : { messageSignature: messageOf(signed) }
  return {
    // SPEC: bundles of version 0.1 have a promise of the log in place of a proof, as these annotations do.
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: { x509CertificateChain: chain, tlogEntries: [entry] },
    ...content,
  }
}

function messageOf({ payload, signature }: SignedBytes) {
  const digest = createHash('sha256').update(payload).digest('base64')
  return { messageDigest: { algorithm: 'SHA2_256', digest }, signature: base64(signature) }
}

function logEntryOf(text: string | undefined): object | string {
  if (text === undefined) return 'it has a certificate but no log entry'
  try {
    const { SignedEntryTimestamp: promise, Payload: payload } = parseStrictJson(Buffer.from(text)) as LogAnnotation
    const { kind, apiVersion } = parseStrictJson(Buffer.from(payload.body, 'base64')) as Record<string, string>
    return {
      logIndex: `${payload.logIndex}`,
      logId: { keyId: base64(bytesOfHex(payload.logID)) },
      kindVersion: { kind, version: apiVersion },
      integratedTime: `${payload.integratedTime}`,
      inclusionPromise: { signedEntryTimestamp: promise },
      canonicalizedBody: payload.body,
    }
  } catch {
    return 'its log entry is malformed'
  }
}

interface LogAnnotation {
  readonly SignedEntryTimestamp: string
  readonly Payload: {
    readonly body: string
    readonly integratedTime: number
    readonly logIndex: number
    readonly logID: string
  }
}

/** SAFETY: `Buffer.from` ends at the first character that is no digit: half an identity would count as a whole one. */
function bytesOfHex(text: string): Uint8Array {
  if (!/^([0-9a-f]{2})+$/i.test(text)) throw new TypeError('not hexadecimal')
  return Buffer.from(text, 'hex')
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
