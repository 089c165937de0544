import { createPublicKey, type KeyObject } from 'node:crypto'
import { TrustError } from '../../../errors/index.ts'
import { algorithmOf, hintOf, type KeyAlgorithm, verifyBytesBy } from './key-algorithm.ts'
import { parsePem } from './pem.ts'

/** A public key that verifies signatures. */
export interface VerificationKey {
  /** Kind of the key. */
  readonly algorithm: KeyAlgorithm
  /** Tells keys apart: SHA-256 of the public key in DER, base64. */
  readonly hint: string
  /** Name of the key in messages: the file it came from, or its hint. */
  readonly label: string
  /** Returns whether a signature over bytes is by this key. */
  verify(bytes: Uint8Array, signature: Uint8Array): boolean
}

/** Options of {@link loadVerificationKey}. */
export interface LoadVerificationKeyOptions {
  /** Name of the key in messages. @defaultValue its hint */
  readonly label?: string | undefined
}

/**
 * Reads a public key from PEM: SPKI (`PUBLIC KEY`), PKCS1 (`RSA PUBLIC KEY`), or the key of a certificate.
 *
 * SAFETY: of a certificate only the key is used; neither its chain nor its dates are checked.
 *
 * @example
 * ```ts
 * const key = loadVerificationKey(await readFile('cosign.pub', 'utf8'))
 * ```
 *
 * @throws {@link TrustError} `ERR_INVALID_KEY`.
 */
export function loadVerificationKey(pem: string, { label }: LoadVerificationKeyOptions = {}): VerificationKey {
  const key = readKey(pem)
  const hint = hintOf(key)
  return {
    algorithm: algorithmOf(key),
    hint,
    label: label ?? `key ${hint}`,
    verify: (bytes, signature) => verifyBytesBy(key, bytes, signature),
  }
}

function readKey(pem: string): KeyObject {
  const block = typeof pem === 'string' ? parsePem(pem) : undefined
  if (!block) throw new TrustError('ERR_INVALID_KEY', 'not a public key: the text has no PEM block')
  // SAFETY: Node would take the public half of a private key; a private key does not belong among those that verify.
  if (!['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE'].includes(block.label)) {
    throw new TrustError('ERR_INVALID_KEY', `not a public key: the PEM block is ${JSON.stringify(block.label)}`)
  }
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new TrustError('ERR_INVALID_KEY', 'the public key is malformed', {}, { cause })
  }
}
