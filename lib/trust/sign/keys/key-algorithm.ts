import { constants, createHash, type KeyObject, sign, type VerifyKeyObjectInput, verify } from 'node:crypto'
import { TrustError } from '../../../errors/index.ts'

/** Kind of a key. It signs with SHA-256 and ECDSA in DER, with pure Ed25519, or with SHA-256 and RSA PKCS #1 v1.5. */
export type KeyAlgorithm = 'ecdsa-p256' | 'ed25519' | 'rsa'

/** SPEC: shorter RSA keys are not accepted by cosign either. */
const LEAST_RSA_BITS = 2048

/**
 * Returns the kind of a key.
 *
 * @throws {@link TrustError} `ERR_INVALID_KEY` for a kind that is not supported.
 */
export function algorithmOf(key: KeyObject): KeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  if (type === 'ed25519') return 'ed25519'
  if (type === 'ec' && details.namedCurve === 'prime256v1') return 'ecdsa-p256'
  if (type === 'rsa' && (details.modulusLength ?? 0) >= LEAST_RSA_BITS) return 'rsa'
  const kind = type === 'ec' ? `EC key on the curve ${details.namedCurve}` : describeKind(type, details.modulusLength)
  throw new TrustError('ERR_INVALID_KEY', `unsupported ${kind}: use ECDSA P-256, Ed25519, or RSA of 2048 bits or more`)
}

function describeKind(type: string | undefined, bits: number | undefined): string {
  return type === 'rsa' ? `RSA key of ${bits} bits` : `key of the kind ${type}`
}

/** Signs bytes. */
export function signBytes(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign(algorithmOf(key) === 'ed25519' ? null : 'sha256', bytes, paddedKey(key))
}

/** Returns whether a signature over bytes is by this key. Never throws for a malformed signature. */
export function verifyBytesBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(algorithmOf(key) === 'ed25519' ? null : 'sha256', bytes, paddedKey(key), signature)
  } catch {
    return false
  }
}

function paddedKey(key: KeyObject): VerifyKeyObjectInput {
  return key.asymmetricKeyType === 'rsa' ? { key, padding: constants.RSA_PKCS1_PADDING } : { key }
}

/** The hint that cosign puts into bundles: SHA-256 of the public key in DER, base64. */
export function hintOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
}
