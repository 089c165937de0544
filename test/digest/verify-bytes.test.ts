import { expect, test } from 'vitest'
import { type Digest, digestOf, type ExpectedBytes, verifyBytes } from '../../lib/digest/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const bytes = Buffer.from('some bytes to verify')
const wrong = `sha256:${'0'.repeat(64)}` as Digest

/** Resolves to the verified bytes and the error that ended the verification. */
async function verified(chunks: Uint8Array[], expected: ExpectedBytes) {
  const out: Uint8Array[] = []
  let error: unknown
  try {
    for await (const chunk of verifyBytes(chunks, expected)) out.push(chunk)
  } catch (thrown) {
    error = thrown
  }
  return { out: Buffer.concat(out).toString(), error }
}

test.each(['wasm', 'native'] as const)('bytes that are the expected ones pass through (%s)', async hasher => {
  const expected = { digest: await digestOf(bytes), size: bytes.length }
  const out: Uint8Array[] = []
  for await (const chunk of verifyBytes(bytes, expected, { hasher })) out.push(chunk)
  expect(Buffer.concat(out)).toEqual(bytes)
})

test('without a size only the digest is proven', async () => {
  expect(await verified([bytes], { digest: await digestOf(bytes) })).toEqual({
    out: bytes.toString(),
    error: undefined,
  })
  expect(await verified([bytes], { digest: wrong })).toMatchObject({ error: { code: 'ERR_DIGEST_MISMATCH' } })
})

test('a wrong size is reported before a wrong digest', async () => {
  expect(await verified([bytes], { digest: wrong, size: 3 })).toMatchObject({
    error: { code: 'ERR_SIZE_MISMATCH', expected: 3 },
  })
  expect(await verified([bytes], { digest: wrong, size: 300 })).toMatchObject({
    error: { code: 'ERR_SIZE_MISMATCH', expected: 300, actual: bytes.length },
  })
})

test('surplus bytes are not passed on and not read to their end', async () => {
  let read = 0
  const endless = function* () {
    while (true) {
      read++
      yield bytes
    }
  }
  const out: Uint8Array[] = []
  const run = async () => {
    for await (const chunk of verifyBytes(endless(), { digest: wrong, size: bytes.length + 1 })) out.push(chunk)
  }
  expect(await thrownBy(run)).toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
  expect([read, out.length]).toEqual([2, 1])
})

test('an error names the digest that came and what the bytes are', async () => {
  const run = async () => {
    for await (const _ of verifyBytes([bytes], { digest: wrong }, { what: 'layer 3' }));
  }
  const error = await thrownBy(run)
  expect(error).toMatchObject({ expected: wrong, actual: await digestOf(bytes) })
  expect(error.message).toContain('layer 3')
})

test('leaving the loop early closes the source', async () => {
  let closed = false
  const source = async function* () {
    try {
      while (true) yield bytes
    } finally {
      closed = true
    }
  }
  for await (const _ of verifyBytes(source(), { digest: wrong })) break
  expect(closed).toBe(true)
})

test('nothing is opened before the first byte is asked for', async () => {
  let opened = false
  const source = async function* () {
    opened = true
    yield bytes
  }
  const verification = verifyBytes(source(), { digest: wrong })
  await new Promise(resolve => setImmediate(resolve))
  expect(opened).toBe(false)
  await verification.return()
  expect(opened).toBe(false)
})

test('a failing source fails the verification with its own error', async () => {
  const reason = new Error('cable cut')
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes
    throw reason
  }
  const run = async () => {
    for await (const _ of verifyBytes(source(), { digest: wrong }));
  }
  expect(await thrownBy(run)).toBe(reason)
})

test('an empty source is right only for the digest of nothing', async () => {
  expect((await verified([], { digest: await digestOf([]), size: 0 })).error).toBeUndefined()
  expect(await verified([], { digest: wrong, size: 0 })).toMatchObject({ error: { code: 'ERR_DIGEST_MISMATCH' } })
})
