import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { TrustError } from '../../../lib/errors/index.ts'
import { generateSigningKeys, loadSigningKey, loadVerificationKey } from '../../../lib/trust/index.ts'
import { formatPem, parsePem } from '../../../lib/trust/sign/keys/pem.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const password = 'canary-password'
const bytes = Buffer.from('what is signed')

const pairs = {
  ec: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  ed25519: generateKeyPairSync('ed25519'),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

/** Keys of each kind, in each form in which programs write them. */
const forms: readonly (readonly [string, string, string | undefined])[] = [
  ['ECDSA P-256 in PKCS8', pem('ec', 'pkcs8'), undefined],
  ['ECDSA P-256 in SEC1', pem('ec', 'sec1'), undefined],
  ['ECDSA P-256 in encrypted PKCS8', pem('ec', 'pkcs8', password), password],
  ['ECDSA P-256 in encrypted SEC1', pem('ec', 'sec1', password), password],
  ['Ed25519 in PKCS8', pem('ed25519', 'pkcs8'), undefined],
  ['Ed25519 in encrypted PKCS8', pem('ed25519', 'pkcs8', password), password],
  ['RSA in PKCS8', pem('rsa', 'pkcs8'), undefined],
  ['RSA in PKCS1', pem('rsa', 'pkcs1'), undefined],
  ['RSA in encrypted PKCS8', pem('rsa', 'pkcs8', password), password],
]

function pem(kind: keyof typeof pairs, type: string, secret?: string): string {
  const { privateKey } = pairs[kind]
  const cipher = secret === undefined ? {} : { cipher: 'aes-256-cbc', passphrase: secret }
  return privateKey.export({ type, format: 'pem', ...cipher } as never).toString()
}

test.each(forms)('a key signs and its public half verifies: %s', async (_, text, secret) => {
  const key = await loadSigningKey(text, { password: secret })
  const verifier = loadVerificationKey(key.publicKey)
  const signature = await key.sign(bytes)
  expect(verifier.verify(bytes, signature)).toBe(true)
  expect(verifier.verify(Buffer.from('other'), signature)).toBe(false)
  expect(verifier.verify(bytes, signature.subarray(1))).toBe(false)
  expect([verifier.hint, verifier.algorithm]).toEqual([key.hint, key.algorithm])
})

test('keys are made in the encrypted format of cosign, and in plain PKCS8 without a password', async () => {
  for (const algorithm of ['ecdsa-p256', 'ed25519'] as const) {
    const { privateKey, publicKey } = await generateSigningKeys({ algorithm, password })
    expect(privateKey).toMatch(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/)
    const key = await loadSigningKey(privateKey, { password })
    expect([key.publicKey, key.algorithm]).toEqual([publicKey, algorithm])
  }
  const plain = await generateSigningKeys({ algorithm: 'rsa' })
  expect(plain.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  expect((await loadSigningKey(plain.privateKey)).algorithm).toBe('rsa')
  await expect(generateSigningKeys({ algorithm: 'dsa' as 'rsa' })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})

/* Made by `skopeo generate-sigstore-key` of skopeo 1.22, with the password `canary-pass`. */
const SKOPEO_KEY = `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiI4ZFZJSkhkblplaU51QldaK1E3T2lKWjRYbGhia3Nm
QU9QT0w3eEdjdE5jPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJIYzU2akVyazc1WUdud3NLSzkvd2hTK290SEdEV2VLSSJ9LCJj
aXBoZXJ0ZXh0IjoiL3RvK0RpS3MzV3lTZVZHSXJEUmh6bFhoRGJoQ0I3QlJSTmpo
WVEvSTlOTkhlbVFIelVIVVAzQXY0eTJ5ekNmUk9RZVJ6STNnbWtlODRGaVNKeGpC
SFFPdWxKSmZRSUVORmV1Uk9FNnUxdFpTZnJsUWxYUi9NZnBJc1NveEtCR1JodzVw
bzVTK1N0QUtwSG5XbldoZVdlTm5uT1dqeS9VUkJYVHgvRUcva0N6VDhPeVZIZ1Ny
R0VCWHRyK3FGN0hXMFFudlhjMEJhRyt6WEE9PSJ9
-----END ENCRYPTED COSIGN PRIVATE KEY-----
`
const SKOPEO_PUBLIC = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0KGGGmG9FmimwrtdeHuHGKQBe2l1
prJzBmlbzvQ8nDTRxeBZSGs+4830SqJaxlV0AQlVXrn+wvdEPkd+8dnzbg==
-----END PUBLIC KEY-----
`

test('a key that skopeo made is read, also under the label of cosign 2', async () => {
  const key = await loadSigningKey(SKOPEO_KEY, { password: 'canary-pass' })
  expect(key.publicKey).toBe(SKOPEO_PUBLIC)
  const newer = SKOPEO_KEY.replaceAll('ENCRYPTED COSIGN', 'ENCRYPTED SIGSTORE')
  expect((await loadSigningKey(newer, { password: Buffer.from('canary-pass') })).hint).toBe(key.hint)
})

test('a text of many beginnings without an end is refused at once', () => {
  const before = process.cpuUsage()
  expect(parsePem('-----BEGIN A-----\n'.repeat(14_000))).toBeUndefined()
  expect(process.cpuUsage(before).user).toBeLessThan(10_000_000)
})

describe('keys that are refused', () => {
  const envelope = (change: object) =>
    formatPem({
      label: 'ENCRYPTED SIGSTORE PRIVATE KEY',
      bytes: Buffer.from(
        JSON.stringify({
          kdf: { name: 'scrypt', params: { N: 1024, r: 8, p: 1 }, salt: 'c2FsdA==' },
          cipher: { name: 'nacl/secretbox', nonce: Buffer.alloc(24).toString('base64') },
          ciphertext: Buffer.alloc(48).toString('base64'),
          ...change,
        }),
      ),
    })
  const scrypt = (params: object) => envelope({ kdf: { name: 'scrypt', params, salt: 'c2FsdA==' } })
  const privateOf = (text: string) => () => loadSigningKey(text, { password })
  const publicOf = (text: string) => async () => loadVerificationKey(text)
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const dsa = generateKeyPairSync('ed448')
  const pkcs8 = (key: typeof p384.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

  const spki = (key: typeof p384.publicKey) => key.export({ type: 'spki', format: 'pem' }).toString()
  /** The public key of a good pair with another exponent, base64url. */
  const rsaWith = (e: string) =>
    spki(createPublicKey({ key: { ...pairs.rsa.publicKey.export({ format: 'jwk' }), e }, format: 'jwk' }))

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['a text that is no PEM', privateOf('canary-key'), /has no PEM block/],
    [
      'a huge text',
      privateOf(`-----BEGIN PRIVATE KEY-----\n${'A'.repeat(300_000)}\n-----END PRIVATE KEY-----`),
      /no PEM/,
    ],
    ['a public key as a private one', privateOf(SKOPEO_PUBLIC), /the PEM block is "PUBLIC KEY"/],
    ['a private key as a public one', publicOf(forms[0]![1]), /the PEM block is "PRIVATE KEY"/],
    ['a value that is no text', publicOf(undefined as never), /has no PEM block/],
    ['a malformed public key', publicOf(formatPem({ label: 'PUBLIC KEY', bytes: Buffer.from('x') })), /is malformed/],
    ['a malformed private key', privateOf(formatPem({ label: 'PRIVATE KEY', bytes: Buffer.from('x') })), /malformed/],
    ['an encrypted key without password', () => loadSigningKey(forms[2]![1]), /its password is needed/],
    ['an encrypted SEC1 key without password', () => loadSigningKey(forms[3]![1]), /its password is needed/],
    ['a key of skopeo without password', () => loadSigningKey(SKOPEO_KEY), /its password is needed/],
    [
      'an encrypted key with a wrong password',
      () => loadSigningKey(forms[2]![1], { password: 'no' }),
      /password is wrong/,
    ],
    ['a key of skopeo with a wrong password', privateOf(SKOPEO_KEY), /password of the encrypted key is wrong/],
    ['the curve P-384', privateOf(pkcs8(p384.privateKey)), /EC key on the curve secp384r1/],
    ['RSA of 1024 bits', privateOf(pkcs8(rsa1024.privateKey)), /RSA key of 1024 bits/],
    ['RSA with the exponent 1', publicOf(rsaWith('AQ')), /2048 bits with the exponent 1:/],
    ['RSA with the exponent 3', publicOf(rsaWith('Aw')), /with the exponent 3:/],
    ['RSA with an even exponent', publicOf(rsaWith('AQAC')), /with the exponent 65538:/],
    ['a public RSA key of 1024 bits', publicOf(spki(rsa1024.publicKey)), /RSA key of 1024 bits/],
    ['another kind', privateOf(pkcs8(dsa.privateKey)), /key of the kind ed448/],
    [
      'an envelope that is no JSON',
      privateOf(formatPem({ label: 'ENCRYPTED COSIGN PRIVATE KEY', bytes: bytes })),
      /not JSON/,
    ],
    [
      'an envelope that is no object',
      privateOf(formatPem({ label: 'ENCRYPTED COSIGN PRIVATE KEY', bytes: Buffer.from('[]') })),
      /not an object/,
    ],
    ['another key derivation', privateOf(envelope({ kdf: { name: 'argon2' } })), /not scrypt/],
    ['another cipher', privateOf(envelope({ cipher: { name: 'aes' } })), /not nacl\/secretbox/],
    ['no cipher', privateOf(envelope({ cipher: undefined })), /cipher is not an object/],
    [
      'a nonce of another length',
      privateOf(envelope({ cipher: { name: 'nacl/secretbox', nonce: 'AAAA' } })),
      /24 bytes/,
    ],
    ['a ciphertext that is no base64', privateOf(envelope({ ciphertext: '?' })), /not base64/],
    [
      'a ciphertext that is too short',
      privateOf(envelope({ ciphertext: 'AAAA' })),
      /password of the encrypted key is wrong/,
    ],
    ['scrypt with too much memory', privateOf(scrypt({ N: 2 ** 24, r: 8, p: 1 })), /more than 512 MiB/],
    ['scrypt with too many rounds', privateOf(scrypt({ N: 1024, r: 8, p: 1000 })), /parameters of scrypt/],
    ['scrypt with too much memory for all rounds', privateOf(scrypt({ N: 2, r: 2 ** 21, p: 16 })), /more than 512 MiB/],
    ['scrypt with an N that is too large for r', privateOf(scrypt({ N: 2 ** 16, r: 1, p: 1 })), /parameters of scrypt/],
    ['scrypt with a wrong N', privateOf(scrypt({ N: 1000, r: 8, p: 1 })), /parameters of scrypt/],
  ])('%s', async (_, load, message) => {
    const error = (await thrownBy(load)) as TrustError
    expect(error).toBeInstanceOf(TrustError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_KEY', message: expect.stringMatching(message) })
    expect(`${error.message} ${error.stack} ${error.cause}`).not.toMatch(/canary/)
    // OpenSSL keeps errors by thread: a refused key must not spoil the next one.
    expect((await loadSigningKey(forms[0]![1])).algorithm).toBe('ecdsa-p256')
  })
})
