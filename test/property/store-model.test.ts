import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

type Step =
  | { act: 'put' | 'delete' | 'read'; blob: number }
  | { act: 'begin' | 'leave' | 'abort' | 'commit'; key: number }
  | { act: 'write'; key: number; bytes: Uint8Array }

const keyed = fc.record({ act: fc.constantFrom('begin', 'leave', 'abort', 'commit'), key: fc.nat(1) })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ act: fc.constantFrom('put', 'delete', 'read'), blob: fc.nat(4) }) as fc.Arbitrary<Step>,
  { arbitrary: keyed as fc.Arbitrary<Step>, weight: 2 },
  { arbitrary: fc.record({ act: fc.constant('write' as const), key: fc.nat(1), bytes: fc.uint8Array() }), weight: 2 },
)

/** The expected behaviour of a store, as a map of blobs and the bytes of each key so far. */
async function follow(store: Store, steps: readonly Step[]): Promise<void> {
  const blobs = new Map<string, Buffer>()
  const kept = new Map<number, Buffer>()
  const open = new Map<number, { writer: Awaited<ReturnType<Store['ingest']>>; bytes: Buffer }>()
  for (const one of steps) {
    if ('blob' in one) {
      const bytes = Buffer.from(`blob ${one.blob}`)
      const digest = await digestOf(bytes)
      if (one.act === 'put') blobs.set((await store.put(bytes)).digest, bytes)
      if (one.act === 'delete') await store.delete(digest)
      if (one.act === 'delete') blobs.delete(digest)
      expect((await store.stat(digest))?.size).toBe(blobs.get(digest)?.byteLength)
      continue
    }
    const current = open.get(one.key)
    if (one.act === 'begin') {
      if (current) {
        expect((await thrownBy(() => store.ingest(String(one.key)))).code).toBe('ERR_INGEST_BUSY')
        continue
      }
      const writer = await store.ingest(String(one.key))
      const bytes = kept.get(one.key) ?? Buffer.alloc(0)
      expect(writer.offset).toBe(bytes.byteLength)
      open.set(one.key, { writer, bytes })
    } else if (current && one.act === 'write') {
      await current.writer.write(one.bytes)
      current.bytes = Buffer.concat([current.bytes, one.bytes])
    } else if (current) {
      open.delete(one.key)
      kept.delete(one.key)
      if (one.act === 'leave') await current.writer[Symbol.asyncDispose]()
      if (one.act === 'leave') kept.set(one.key, current.bytes)
      if (one.act === 'abort') await current.writer.abort()
      if (one.act === 'commit') blobs.set((await current.writer.commit()).digest, current.bytes)
    }
  }
  for (const { writer } of open.values()) await writer.abort()
  expect(await blobsOf(store)).toEqual([...blobs.keys()].sort())
  for (const [digest, bytes] of blobs) {
    const chunks: Uint8Array[] = []
    for await (const chunk of store.read(digest as Digest)) chunks.push(chunk)
    expect(Buffer.concat(chunks)).toEqual(bytes)
  }
}

test('any sequence of acts leaves a memory store as the model says', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
    await using store = createMemoryStore()
    await follow(store, steps)
  })
  await fc.assert(property, { numRuns: cases(200) })
})

test('any sequence of acts leaves a disk store as the model says', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
    using directory = temporaryDirectory('model')
    await using store = await openStore(directory.path, { durability: 'none' })
    await follow(store, steps)
  })
  await fc.assert(property, { numRuns: cases(60) })
})

test('any bit flipped anywhere in a stored blob is found', async () => {
  using directory = temporaryDirectory('flip')
  await using store = await openStore(directory.path)
  const bytes = Buffer.alloc(700_000, 'some bytes of a blob')
  const { digest } = await store.put(bytes)
  const path = join(directory.path, 'blobs/sha256', digest.slice(7))
  const property = fc.asyncProperty(fc.nat(bytes.byteLength - 1), fc.nat(7), async (at, bit) => {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1 << bit
    chmodSync(path, 0o644)
    writeFileSync(path, flipped)
    const error = await thrownBy(async () => {
      for await (const _ of store.read(digest)) void _
    })
    expect(error.code).toBe('ERR_BLOB_CORRUPT')
  })
  await fc.assert(property, { numRuns: cases(50) })
})

test('a file of the store with any bit flipped gives a typed error or a store, never another one', async () => {
  using directory = temporaryDirectory('flip-json')
  await (await openStore(directory.path)).close()
  const files = ['oci-layout', 'index.json', '.layerstore/format.json']
  const property = fc.asyncProperty(fc.constantFrom(...files), fc.nat(), fc.nat(7), async (file, at, bit) => {
    const path = join(directory.path, file)
    const before = readFileSync(path)
    const flipped = Buffer.from(before)
    flipped[at % before.byteLength]! ^= 1 << bit
    writeFileSync(path, flipped)
    try {
      const error = await openStore(directory.path).then(
        store => store.close(),
        (thrown: { code: string }) => thrown,
      )
      if (error) expect(['ERR_STORE_FORMAT', 'ERR_STORE_VERSION']).toContain(error.code)
    } finally {
      rmSync(path)
      writeFileSync(path, before)
    }
  })
  await fc.assert(property, { numRuns: cases(150) })
})
