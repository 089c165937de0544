import { expect, test } from 'vitest'
import { poly1305 } from '../../../lib/trust/sign/nacl/poly1305.ts'
import { hsalsa20 } from '../../../lib/trust/sign/nacl/salsa20.ts'
import { openSecretbox, sealSecretbox } from '../../../lib/trust/sign/nacl/secretbox.ts'

/* The vectors of "Cryptography in NaCl" (core1, secretbox) and of RFC 8439, 2.5.2. */
const key = hex('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389')
const nonce = hex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37')
const message = hex(
  'be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f4' +
    '1db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52' +
    'f0a089bc76897040e082f937763848645e0705',
)
const box = hex(
  'f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b' +
    '4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da' +
    '99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5',
)

function hex(text: string): Uint8Array {
  return Buffer.from(text, 'hex')
}

test('the key of a nonce is that of the published vector', () => {
  const shared = hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  expect(Buffer.from(hsalsa20(shared, new Uint8Array(16)))).toEqual(key)
})

test('the tag of a message is that of the published vector', () => {
  const oneTime = hex('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b')
  const tag = poly1305(oneTime, Buffer.from('Cryptographic Forum Research Group'))
  expect(Buffer.from(tag).toString('hex')).toBe('a8061dc1305136c6c22b8baf0c0127a9')
})

test('a message is encrypted and decrypted as in the published vector', () => {
  expect(Buffer.from(sealSecretbox(key, nonce, message))).toEqual(box)
  expect(Buffer.from(openSecretbox(key, nonce, box)!)).toEqual(message)
})

test('an altered box, a box that is too short and a wrong key are refused', () => {
  for (let at = 0; at < box.byteLength; at++) {
    const altered = Uint8Array.from(box)
    altered[at]! ^= 1
    expect(openSecretbox(key, nonce, altered)).toBeUndefined()
  }
  expect(openSecretbox(key, nonce, box.subarray(0, 15))).toBeUndefined()
  expect(openSecretbox(nonceKey(), nonce, box)).toBeUndefined()
})

function nonceKey(): Uint8Array {
  return Uint8Array.from(key, byte => byte ^ 0xff)
}
