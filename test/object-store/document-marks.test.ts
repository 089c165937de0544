import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { driverOf, type Store } from '../../lib/store/index.ts'
import { MemoryObjects } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'

/* A collection and a server know a manifest only by its mark, so no manifest may be without one. */

const NOW = { graceMs: 0, force: true } as const
const INDEX = Buffer.from('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}')
const DAY_MS = 24 * 3_600_000

const markOf = (digest: Digest) => `documents/${digest.replace(':', '/')}`
const keyOf = (digest: Digest) => `blobs/${digest.replace(':', '/')}`

async function open(objects: MemoryObjects): Promise<Store> {
  const store = await openInMemory(objects, { hasher: 'native' })
  onTestFinished(() => store.close())
  return store
}

test('a manifest has a mark if a whole collection removes it between its mark and its bytes', async () => {
  const objects = new MemoryObjects()
  const [store, other] = [await open(objects), await open(objects)]
  const { digest } = await store.put(INDEX)
  const plan = await planCollection(store, NOW)
  let deleted: readonly Digest[] = []
  objects.before = async (call, key) => {
    if (call !== 'put' || key !== keyOf(digest)) return
    objects.before = () => {}
    deleted = (await runCollection(store, plan)).deleted
  }
  await other.put(INDEX)
  expect(deleted).toEqual([digest])
  expect(objects.keys().filter(key => [keyOf(digest), markOf(digest)].includes(key))).toHaveLength(2)
})

test('a manifest that the service does not remove keeps its mark', async () => {
  const objects = new MemoryObjects()
  const store = await open(objects)
  const { digest } = await store.put(INDEX)
  objects.locked.add(keyOf(digest))
  const { errors } = await runCollection(store, await planCollection(store, NOW))
  expect(errors).toMatchObject([{ digest }])
  await expect(store.delete(digest)).rejects.toMatchObject({ code: 'ERR_STORE_IO' })
  expect(objects.keys('documents/')).toEqual([markOf(digest)])
})

test('a manifest that is stored again while it is deleted keeps its mark', async () => {
  const objects = new MemoryObjects()
  const [store, other] = [await open(objects), await open(objects)]
  const { digest } = await store.put(INDEX)
  objects.after = async call => {
    if (call !== 'deleteMany') return
    objects.after = () => {}
    await other.put(INDEX)
  }
  await store.delete(digest)
  expect(await store.stat(digest)).toBeDefined()
  expect(objects.keys('documents/')).toEqual([markOf(digest)])
})

test('a manifest that is stored while the blobs are listed is listed as one', async () => {
  const objects = new MemoryObjects()
  const store = await open(objects)
  for (let i = 0; i < 1000; i++) objects.write(keyOf(`sha256:${String(i).padStart(64, '0')}` as Digest), 'x')
  let pages = 0
  objects.before = async (call, key) => {
    if (call === 'list' && key === 'blobs/' && ++pages === 2) await store.put(INDEX)
  }
  const digests: Digest[] = []
  for await (const { digest } of driverOf(store).documents?.() ?? []) digests.push(digest)
  expect(digests).toEqual([await digestOf(INDEX)])
})

test('a collection removes old marks without a manifest, and no mark of a manifest that is stored meanwhile', async () => {
  const objects = new MemoryObjects()
  const [store, other] = [await open(objects), await open(objects)]
  const left = await digestOf(Buffer.from('left'))
  const again = await digestOf(INDEX)
  for (const digest of [left, again]) objects.write(markOf(digest), '')
  objects.age(2 * DAY_MS)
  const young = await digestOf(Buffer.from('young'))
  objects.write(markOf(young), '')
  let put: Promise<unknown> | undefined
  objects.before = async call => {
    if (call !== 'deleteMany' || put) return
    put = other.put(INDEX)
    // It waits for the announced removal; else it would be over.
    await Promise.race([put, setTimeout(300)])
  }
  await driverOf(store).collection?.alone(async () => {})
  await put
  expect(objects.keys('documents/')).toEqual([markOf(again), markOf(young)].sort())
})
