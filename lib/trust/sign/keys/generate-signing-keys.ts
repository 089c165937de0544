import { generateKeyPair as generate, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { invalidArgument } from '../../../internal/invalid-argument.ts'
import type { KeyAlgorithm } from './key-algorithm.ts'
import { formatPem } from './pem.ts'
import { encryptSigstoreKey, SIGSTORE_LABELS } from './sigstore-key.ts'

/** Options of {@link generateSigningKeys}. */
export interface GenerateSigningKeysOptions {
  /** Kind of the keys; RSA keys have 3072 bits. @defaultValue `'ecdsa-p256'`, which every tool reads */
  readonly algorithm?: KeyAlgorithm | undefined
  /** Password that encrypts the private key, as cosign does. Absent: the private key is plain PKCS8. */
  readonly password?: string | Uint8Array | undefined
}

/** A pair of keys, both as PEM. */
export interface GeneratedKeys {
  /** The private key: cosign's encrypted format, or plain PKCS8. */
  readonly privateKey: string
  /** The public key (SPKI). */
  readonly publicKey: string
}

const pairOf = promisify(generate) as unknown as (
  type: string,
  options: object,
) => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>

/**
 * Makes a pair of keys to sign with, in the formats of `cosign generate-key-pair`.
 *
 * @example
 * ```ts
 * const { privateKey, publicKey } = await generateSigningKeys({ password: process.env.COSIGN_PASSWORD })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export async function generateSigningKeys(options: GenerateSigningKeysOptions = {}): Promise<GeneratedKeys> {
  const { algorithm = 'ecdsa-p256', password } = options
  const pair = await pairFor(algorithm)
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  if (password === undefined) {
    return { privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey }
  }
  const der = pair.privateKey.export({ type: 'pkcs8', format: 'der' })
  const bytes = await encryptSigstoreKey(der, password)
  return { privateKey: formatPem({ label: SIGSTORE_LABELS[0]!, bytes }), publicKey }
}

function pairFor(algorithm: KeyAlgorithm): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  if (algorithm === 'ecdsa-p256') return pairOf('ec', { namedCurve: 'prime256v1' })
  if (algorithm === 'ed25519') return pairOf('ed25519', {})
  if (algorithm === 'rsa') return pairOf('rsa', { modulusLength: 3072 })
  throw invalidArgument('algorithm', 'ecdsa-p256, ed25519 or rsa', algorithm)
}
