import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { TrustError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { algorithmOf, hintOf, type KeyAlgorithm, signBytes } from './key-algorithm.ts'
import { type PemBlock, parsePem } from './pem.ts'
import { decryptSigstoreKey, SIGSTORE_LABELS } from './sigstore-key.ts'

/** A private key that signs images. {@link loadSigningKey} makes one; a key in a device may implement it as well. */
export interface SigningKey {
  /** Kind of the key. */
  readonly algorithm: KeyAlgorithm
  /** The public key, as a PEM text. */
  readonly publicKey: string
  /** Tells keys apart: SHA-256 of the public key in DER, base64. It is no secret. */
  readonly hint: string
  /** Signs bytes: SHA-256 with ECDSA in DER, pure Ed25519, or SHA-256 with RSA PKCS #1 v1.5. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** Options of {@link loadSigningKey}. */
export interface LoadSigningKeyOptions {
  /** Password of an encrypted key; may be empty. */
  readonly password?: string | Uint8Array | undefined
}

/** PEM labels of keys that Node reads. */
const PLAIN_LABELS = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'ENCRYPTED PRIVATE KEY']

/**
 * Reads a private key from PEM: PKCS8, SEC1 or PKCS1, plain or encrypted, or the encrypted format of cosign
 * (`ENCRYPTED SIGSTORE PRIVATE KEY`, `ENCRYPTED COSIGN PRIVATE KEY`).
 *
 * @example
 * ```ts
 * const key = await loadSigningKey(await readFile('cosign.key', 'utf8'), { password: process.env.COSIGN_PASSWORD })
 * ```
 *
 * @throws {@link TrustError} `ERR_INVALID_KEY`; the message never quotes the key or the password.
 */
export async function loadSigningKey(pem: string, { password }: LoadSigningKeyOptions = {}): Promise<SigningKey> {
  const block = typeof pem === 'string' ? parsePem(pem) : undefined
  if (!block) throw new TrustError('ERR_INVALID_KEY', 'not a private key: the text has no PEM block')
  const key = await readKey(pem, block, password)
  const algorithm = algorithmOf(key)
  const publicKey = createPublicKey(key)
  return {
    algorithm,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    hint: hintOf(publicKey),
    sign: async bytes => signBytes(key, bytes),
  }
}

async function readKey(pem: string, block: PemBlock, password: string | Uint8Array | undefined): Promise<KeyObject> {
  const { label, bytes } = block
  if (SIGSTORE_LABELS.includes(label)) {
    if (password === undefined) throw needsPassword()
    const der = await decryptSigstoreKey(bytes, password)
    return parseKey(() => createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }))
  }
  if (!PLAIN_LABELS.includes(label)) {
    throw new TrustError('ERR_INVALID_KEY', `not a private key: the PEM block is ${JSON.stringify(label)}`)
  }
  if (password === undefined && isEncrypted(pem, label)) throw needsPassword()
  const passphrase = password === undefined || typeof password === 'string' ? password : Buffer.from(password)
  return parseKey(() =>
    createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) }),
  )
}

function isEncrypted(pem: string, label: string): boolean {
  return label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(pem)
}

function needsPassword(): TrustError {
  return new TrustError('ERR_INVALID_KEY', 'the private key is encrypted: its password is needed')
}

function parseKey(parse: () => KeyObject): KeyObject {
  try {
    return parse()
  } catch (cause) {
    const isWrong = isErrno(cause, 'ERR_OSSL_BAD_DECRYPT') || /bad decrypt/i.test((cause as Error).message)
    const why = isWrong ? 'its password is wrong' : 'it is malformed, or its password is wrong'
    throw new TrustError('ERR_INVALID_KEY', `the private key cannot be read: ${why}`, {}, { cause })
  }
}
