import { randomBytes } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { splitDigest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const SIZE = 3_000_001

test('a borrowed read gives the same bytes, in memory that is reused from chunk to chunk', async () => {
  using directory = temporaryDirectory()
  await using store = await openStore(directory.path)
  const bytes = randomBytes(SIZE)
  const { digest } = await store.put(bytes)
  for (const range of [{}, { verify: 'never' as const }, { offset: 700_001 }, { offset: 5, length: 1_500_000 }]) {
    const { offset = 0, length = SIZE } = { offset: 0, ...range }
    const copies: Buffer[] = []
    const memories = new Set<ArrayBufferLike>()
    for await (const chunk of store.read(digest, { ...range, borrow: true })) {
      memories.add(chunk.buffer)
      copies.push(Buffer.from(chunk))
    }
    expect(Buffer.concat(copies).equals(bytes.subarray(offset, offset + length))).toBe(true)
    expect(memories.size).toBe(2)
  }
})

test('a read that borrows nothing keeps its chunks while others borrow', async () => {
  using directory = temporaryDirectory()
  await using store = await openStore(directory.path)
  const blobs = Array.from({ length: 6 }, () => randomBytes(SIZE))
  const digests = await Promise.all(blobs.map(async bytes => (await store.put(bytes)).digest))
  const readings = digests.map(async (digest, i) => {
    const chunks: Uint8Array[] = []
    const borrow = i % 2 === 0
    for await (const chunk of store.read(digest, { borrow })) chunks.push(borrow ? Buffer.from(chunk) : chunk)
    return Buffer.concat(chunks)
  })
  const read = await Promise.all(readings)
  expect(read.map((bytes, i) => bytes.equals(blobs[i] as Buffer))).toEqual(blobs.map(() => true))
})

test('a borrowed read of a damaged blob fails, and one that is left early gives its memory back', async () => {
  using directory = temporaryDirectory()
  await using store = await openStore(directory.path)
  const bytes = randomBytes(SIZE)
  const { digest } = await store.put(bytes)
  for await (const _ of store.read(digest, { borrow: true })) break
  const drain = async () => {
    for await (const _ of store.read(digest, { borrow: true }));
  }
  await drain()
  const { algorithm, hex } = splitDigest(digest)
  const path = join(directory.path, 'blobs', algorithm, hex)
  bytes[SIZE - 1]! ^= 1
  await chmod(path, 0o600)
  await writeFile(path, bytes)
  expect(await thrownBy(drain)).toMatchObject({ code: 'ERR_BLOB_CORRUPT', digest })
})
