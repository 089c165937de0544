import { parseStrictJson } from '../../../internal/strict-json.ts'

/** A DSSE envelope with one signature. */
export interface Envelope {
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/**
 * The bytes that a signature of an envelope signs.
 *
 * @see {@link https://github.com/secure-systems-lab/dsse/blob/master/protocol.md | DSSE: signature definition}
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType)
  const head = `DSSEv1 ${type.byteLength} ${payloadType} ${payload.byteLength} `
  return Buffer.concat([Buffer.from(head), payload])
}

/** Writes an envelope as the JSON value that bundles and `.att` tags hold. */
export function formatEnvelope({ payloadType, payload, signature }: Envelope) {
  return { payload: base64(payload), payloadType, signatures: [{ sig: base64(signature) }] }
}

/**
 * Reads the JSON value of an envelope.
 *
 * @returns a text that says what is wrong, if it is malformed.
 */
export function parseEnvelope(value: unknown): Envelope | string {
  const { payload, payloadType, signatures } = (value ?? {}) as Record<string, unknown>
  const [only, ...more] = Array.isArray(signatures) ? (signatures as { sig?: unknown }[]) : []
  if (typeof payloadType !== 'string') return 'its envelope has no payload type'
  // SPEC: an envelope in a bundle has exactly one signature.
  if (more.length > 0) return 'its envelope has several signatures'
  const [bytes, signature] = [decodeBase64(payload), decodeBase64(only?.sig)]
  if (!bytes || !signature) return 'its envelope is malformed'
  return { payloadType, payload: bytes, signature }
}

/** Reads an envelope from bytes. */
export function readEnvelope(bytes: Uint8Array): Envelope | string {
  try {
    return parseEnvelope(parseStrictJson(bytes))
  } catch {
    return 'its envelope is not JSON'
  }
}

/** Decodes base64; `undefined` for anything else. SAFETY: Node skips characters that do not belong there. */
export function decodeBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? bytes : undefined
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
