import { randomBytes } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { copyImage, planPull, runPull } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let remote: Store
let registry: FaultyRegistry
let client: RegistryClient

beforeAll(async () => {
  remote = createMemoryStore()
  // Long enough for their chunks to be borrowed, and more of them than come at a time.
  const layers = Array.from({ length: 6 }, (_, i) => ({ file: randomBytes(3_000_000 + i), [`${i}`]: 'x' }))
  await sampleImage(remote, layers, { name: 'app:1' })
})
beforeEach(async () => {
  registry = await createFaultyRegistry({ store: remote })
  client = registryClientFor()
})
afterEach(async () => {
  await client.close()
  await registry.close()
})
const pullInto = async (store: Store, verifyDiffIds = false) =>
  runPull(await planPull(client, store, `${registry.host}/app:1`), { verifyDiffIds })
async function expectSame(store: Store) {
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  for (const digest of (await blobsOf(remote)) as Parameters<Store['read']>[0][]) {
    // Compares the bytes on the disk, which no digester has hashed since.
    const [got, sent] = await Promise.all([readAll(store.read(digest)), readAll(remote.read(digest))])
    expect(got.equals(sent)).toBe(true)
  }
}

test.each([
  ['native', false],
  ['wasm', false],
  ['wasm', true],
] as const)('long layers arrive on the disk as they were sent (%s, diffIDs proven: %s)', async (hasher, proven) => {
  using directory = temporaryDirectory('borrowed')
  await using store = await openStore(directory.path, { hasher })
  await pullInto(store, proven)
  await expectSame(store)
})

test('long layers arrive intact even if every connection breaks', async () => {
  using directory = temporaryDirectory('borrowed')
  await using store = await openStore(directory.path)
  registry.misbehave({ kind: 'cut', after: 1_700_000 }, { method: 'GET', path: /blobs/, times: 6 })
  await pullInto(store)
  await expectSame(store)
})

test('long layers arrive intact in a memory store and in another registry', async () => {
  const store = createMemoryStore()
  await pullInto(store, true)
  await expectSame(store)
  const right = createMemoryStore()
  await using other = await createFaultyRegistry({ store: right })
  const at = (host: string) => ({ registry: client, reference: `${host}/app:1` })
  await copyImage(at(registry.host), at(other.host))
  await expectSame(right)
})
