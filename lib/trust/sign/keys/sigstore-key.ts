import { randomBytes, type ScryptOptions, scrypt as scryptWithCallback } from 'node:crypto'
import { promisify } from 'node:util'
import { TrustError } from '../../../errors/index.ts'
import { canonicalJson } from '../../../internal/canonical-json.ts'
import { parseStrictJson } from '../../../internal/strict-json.ts'
import { openSecretbox, sealSecretbox } from '../nacl/secretbox.ts'

/** PEM labels of cosign's encrypted keys: since version 2, and before. */
export const SIGSTORE_LABELS: readonly string[] = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY']

/** The parameters that cosign 2 and 3 write. */
const PARAMS = { N: 65536, r: 8, p: 1 }
/** SAFETY: a file states how much memory its key derivation takes: 128 * r * (N + 2 + p) bytes. */
const MOST_MEMORY = 512 * 1024 * 1024

const scrypt = promisify<string | Uint8Array, Uint8Array, number, ScryptOptions, Uint8Array>(scryptWithCallback)

interface Envelope {
  readonly kdf: { readonly params: typeof PARAMS; readonly salt: Uint8Array }
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
}

/**
 * Decrypts the content of a key that cosign encrypted: a PKCS8 key in DER.
 *
 * @throws {@link TrustError} `ERR_INVALID_KEY`.
 * @see {@link https://github.com/secure-systems-lab/go-securesystemslib/blob/main/encrypted/encrypted.go | the format}
 */
export async function decryptSigstoreKey(content: Uint8Array, password: string | Uint8Array): Promise<Uint8Array> {
  const { kdf, nonce, ciphertext } = parseEnvelope(content)
  const opened = openSecretbox(await deriveKey(password, kdf), nonce, ciphertext)
  if (!opened) throw new TrustError('ERR_INVALID_KEY', 'the password of the encrypted key is wrong')
  return opened
}

/** Encrypts a PKCS8 key as cosign does. */
export async function encryptSigstoreKey(der: Uint8Array, password: string | Uint8Array): Promise<Uint8Array> {
  const salt = randomBytes(32)
  const nonce = randomBytes(24)
  const ciphertext = sealSecretbox(await deriveKey(password, { params: PARAMS, salt }), nonce, der)
  return canonicalJson({
    kdf: { name: 'scrypt', params: PARAMS, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(ciphertext).toString('base64'),
  })
}

async function deriveKey(password: string | Uint8Array, { params, salt }: Envelope['kdf']): Promise<Uint8Array> {
  try {
    return await scrypt(password, salt, 32, { ...params, maxmem: MOST_MEMORY + 1024 * 1024 })
  } catch (cause) {
    throw new TrustError('ERR_INVALID_KEY', 'the key cannot be derived from its password', {}, { cause })
  }
}

function parseEnvelope(content: Uint8Array): Envelope {
  const document = parseJson(content)
  const kdf = asObject(document.kdf, 'kdf')
  const cipher = asObject(document.cipher, 'cipher')
  if (kdf.name !== 'scrypt') fail('its key derivation is not scrypt')
  if (cipher.name !== 'nacl/secretbox') fail('its cipher is not nacl/secretbox')
  const { N, r, p } = asObject(kdf.params, 'kdf.params')
  const params = { N: N as number, r: r as number, p: p as number }
  if (!isSafe(params)) fail('its parameters of scrypt are invalid or need more than 512 MiB')
  const nonce = bytesOf(cipher.nonce, 'cipher.nonce')
  if (nonce.byteLength !== 24) fail('its nonce does not have 24 bytes')
  const salt = bytesOf(kdf.salt, 'kdf.salt')
  return { kdf: { params, salt }, nonce, ciphertext: bytesOf(document.ciphertext, 'ciphertext') }
}

/**
 * Checks parameters as OpenSSL does. NODE: a call that OpenSSL refuses leaves its error in a queue of the thread, and
 * `createPrivateKey` then fails for a good key. Undocumented; seen in Node 20, covered by test/trust/sign/keys.
 */
function isSafe({ N, r, p }: typeof PARAMS): boolean {
  if (![N, r, p].every(value => Number.isSafeInteger(value) && value >= 1)) return false
  const isPower = N > 1 && Math.log2(N) % 1 === 0 && Math.log2(N) < 16 * r
  return isPower && p <= 16 && 128 * r * (N + 2 + p) <= MOST_MEMORY
}

function parseJson(content: Uint8Array): Record<string, unknown> {
  try {
    return asObject(parseStrictJson(content), 'content')
  } catch (cause) {
    if (cause instanceof TrustError) throw cause
    // SAFETY: the message of a JSON parser may quote the content, so it is no cause.
    return fail('its content is not JSON')
  }
}

function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  return fail(`${name} is not an object`)
}

function bytesOf(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) return Buffer.from(value, 'base64')
  return fail(`${name} is not base64`)
}

function fail(why: string): never {
  throw new TrustError('ERR_INVALID_KEY', `the encrypted key cannot be read: ${why}`)
}
