import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { LeasedBlobs, timesNow } from '../../lib/object-store/leases/held-blobs.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { assertComplete, createMemoryStore, type Store } from '../../lib/store/index.ts'
import { planPull, pullImage, runPull } from '../../lib/transfer/index.ts'
import { MemoryObjects } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'

/* A transfer asks a bucket once for each blob after its lease is visible, and names nothing incomplete. */

let objects: MemoryObjects
let store: Store
let other: Store
beforeEach(async () => {
  objects = new MemoryObjects()
  const open = async () => {
    const opened = await openInMemory(objects, { hasher: 'native' })
    onTestFinished(() => opened.close())
    return opened
  }
  store = await open()
  other = await open()
})
afterEach(() => vi.useRealTimers())

const keyOf = (digest: Digest) => `blobs/${digest.replace(':', '/')}`

/** Removes what no name and no lease needs, as another machine. */
async function collect(): Promise<readonly Digest[]> {
  return (await runCollection(other, await planCollection(other, { graceMs: 0, force: true }))).deleted
}

/** Serves the image of `putStoreImage` from a registry. */
async function served(): Promise<{ registry: RegistryClient; name: string }> {
  const remote = createMemoryStore()
  await remote.references.set('app:1', (await putStoreImage(remote)).manifest)
  const server = await serveStore(remote)
  const registry = registryClientFor()
  onTestFinished(async () => {
    await registry.close()
    await server[Symbol.asyncDispose]()
  })
  return { registry, name: `${server.host}/app:1` }
}

test('blobs that a collection removes between the plan and the run of a pull are fetched again', async () => {
  const { registry, name } = await served()
  const { manifest } = await putStoreImage(store)
  const plan = await planPull(registry, store, name)
  expect(plan.steps.map(({ need }) => need)).toEqual(['present', 'present', 'present'])
  expect(await collect()).toHaveLength(3)
  const { blobsFetched, changes } = await runPull(plan)
  expect([blobsFetched, changes.length]).toEqual([3, 3])
  expect((await other.references.get(name))?.digest).toBe(manifest.digest)
  await assertComplete(other, manifest)
})

test('a collection after the lease of a pull removes nothing that the pull counts on', async () => {
  const { registry, name } = await served()
  const { manifest } = await putStoreImage(store)
  const garbage = await store.put(Buffer.from('garbage'))
  let removed: readonly Digest[] = []
  const verify = async () => {
    objects.age(3_600_000)
    removed = await collect()
  }
  const { blobsFetched } = await pullImage(registry, store, name, { verify })
  expect(blobsFetched).toBe(0)
  expect(removed).toEqual([garbage.digest])
  await assertComplete(other, manifest)
})

test('an acknowledgement tells that a collection has removed the blob after the first look at it', async () => {
  const { digest } = await store.put(Buffer.from('blob'))
  let removed: readonly Digest[] = []
  objects.before = async (call, key) => {
    if (call !== 'put' || !key.startsWith('touched/')) return
    objects.before = () => {}
    removed = await collect()
  }
  expect(await store.leases.touch(digest)).toBe(false)
  expect(removed).toEqual([digest])
})

test('a blob that was removed under a lease of this process is missed by the name', async () => {
  const { manifest, layer } = await putStoreImage(store)
  await using lease = await store.leases.hold({ digests: [manifest.digest, layer.digest] })
  expect(lease.known?.(layer.digest)).toEqual({ digest: layer.digest, size: layer.size })
  await store.delete(layer.digest)
  expect(lease.known?.(layer.digest)).toBeUndefined()
  await expect(store.references.set('app:1', manifest)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
})

test('a lease knows what it found and what was stored under it, until it ends', async () => {
  const { digest: found } = await store.put(Buffer.from('found'))
  const absent = `sha256:${'0'.repeat(64)}` as Digest
  const lease = await store.leases.hold({ digests: [found, absent] })
  const stored = await store.put(Buffer.from('stored'))
  const elsewhere = await other.put(Buffer.from('elsewhere'))
  const known = (digest: Digest) => lease.known?.(digest)
  expect([known(found), known(absent), known(stored.digest), known(elsewhere.digest)]).toEqual([
    { digest: found, size: 5 },
    'absent',
    stored,
    undefined,
  ])
  await lease.release()
  expect([known(found), known(absent), known(stored.digest)]).toEqual([undefined, undefined, undefined])
})

test('a name does not look up blobs that a lease knows, and looks up all of them afterwards', async () => {
  const { manifest, layer, config } = await putStoreImage(store)
  const looks = async (name: string) => {
    objects.calls.length = 0
    await store.references.set(name, manifest)
    return objects.calls.filter(call => call.startsWith('head blobs/')).sort()
  }
  const all = [manifest, layer, config].map(({ digest }) => `head ${keyOf(digest)}`).sort()
  const lease = await store.leases.hold({ digests: [manifest.digest, layer.digest, config.digest] })
  expect(await looks('app:1')).toEqual([])
  await lease.release()
  expect(await looks('app:2')).toEqual(all)
})

test('nothing is known if a lease was not renewed for half of its time, as of a machine that slept', () => {
  vi.useFakeTimers({ now: 0 })
  const digest = `sha256:${'0'.repeat(64)}` as Digest
  const blobs = new LeasedBlobs(60_000)
  const blob = { digest, size: 1 }
  blobs.renewed(timesNow())
  blobs.note(digest, blob)
  vi.advanceTimersByTime(29_999)
  expect(blobs.get(digest)).toEqual(blob)
  blobs.renewed(timesNow())
  vi.advanceTimersByTime(29_999)
  expect(blobs.get(digest)).toEqual(blob)
  vi.advanceTimersByTime(1)
  expect(blobs.get(digest)).toBeUndefined()
  // A renewal after the gap does not bring the knowledge from before it back.
  blobs.renewed(timesNow())
  expect(blobs.get(digest)).toBeUndefined()
})
