import {
  type AsymmetricKeyDetails,
  constants,
  createHash,
  type KeyObject,
  sign,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto'
import { TrustError } from '../../../errors/index.ts'

/** Kind of a key. It signs with SHA-256 and ECDSA in DER, with pure Ed25519, or with SHA-256 and RSA PKCS #1 v1.5. */
export type KeyAlgorithm = 'ecdsa-p256' | 'ed25519' | 'rsa'

/** SPEC: shorter RSA keys are not accepted by cosign either. */
const LEAST_RSA_BITS = 2048
/** SPEC: OpenSSL verifies with no longer one (`OPENSSL_RSA_MAX_MODULUS_BITS`), so its signatures would never count. */
const MOST_RSA_BITS = 16_384
/** The exponent of every key that is made today; FIPS 186-5 accepts no smaller one. */
const LEAST_RSA_EXPONENT = 65_537n

/**
 * Returns the kind of a key.
 *
 * @throws {@link TrustError} `ERR_INVALID_KEY` for a kind that is not supported.
 */
export function algorithmOf(key: KeyObject): KeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  if (type === 'ed25519') return 'ed25519'
  if (type === 'ec' && details.namedCurve === 'prime256v1') return 'ecdsa-p256'
  if (type === 'rsa' && isStrong(details)) return 'rsa'
  const kind = type === 'ec' ? `EC key on the curve ${details.namedCurve}` : describeKind(type, details)
  const others = 'RSA of 2048 to 16384 bits with an odd exponent from 65537 on'
  throw new TrustError('ERR_INVALID_KEY', `unsupported ${kind}: use ECDSA P-256, Ed25519, or ${others}`)
}

/**
 * SAFETY: with the exponent 1 a signature is the padded message itself, which needs no private key; an even exponent
 * has no private key; with 3, errors of programs that compare the padding have made forgeries possible.
 */
function isStrong({ modulusLength: bits = 0, publicExponent: exponent = 0n }: AsymmetricKeyDetails): boolean {
  const isFair = exponent >= LEAST_RSA_EXPONENT && exponent % 2n === 1n && exponent < 1n << 64n
  return isFair && bits >= LEAST_RSA_BITS && bits <= MOST_RSA_BITS
}

function describeKind(type: string | undefined, details: AsymmetricKeyDetails): string {
  const { modulusLength, publicExponent } = details
  return type === 'rsa'
    ? `RSA key of ${modulusLength} bits with the exponent ${publicExponent}`
    : `key of the kind ${type}`
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
