import { describe, expect, onTestFinished, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { BucketError, StoreError } from '../../lib/errors/index.ts'
import { createOwner, createOwnerOf } from '../../lib/internal/locks/owner.ts'
import { planCollection, readStoreUsage, runCollection } from '../../lib/maintenance/index.ts'
import type { ObjectStoreSettings } from '../../lib/object-store/index.ts'
import { driverOf, readOnlyStore, recordKnownSource, recordLayerFact, type Store } from '../../lib/store/index.ts'
import { deadPid } from '../helpers/dead-pid.ts'
import { MemoryObjects } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'

const NOW = { graceMs: 0, force: true } as const

async function open(objects = new MemoryObjects(), options: ObjectStoreSettings = {}): Promise<Store> {
  const store = await openInMemory(objects, { hasher: 'native', ...options })
  onTestFinished(() => store.close())
  return store
}

const keyOf = (digest: Digest) => `blobs/${digest.replace(':', '/')}`

/** Refuses every removal of announced blobs as too late; returns the number of removals so far. */
function refuseRemovals(objects: MemoryObjects): () => number {
  let tries = 0
  objects.before = call => {
    if (call !== 'deleteMany' || !objects.text('collection.json')?.includes('"batch":{')) return
    tries++
    throw new StoreError('ERR_STORE_LOCKED', 'too late')
  }
  return () => tries
}

/** Runs an act when a collection is about to delete blobs: after its last look. */
function beforeRemoval(objects: MemoryObjects, act: () => Promise<unknown>): { done: () => Promise<unknown> } {
  let done: Promise<unknown> | undefined
  objects.before = call => {
    if (call === 'deleteMany' && objects.text('collection.json')?.includes('"batch":{')) done ??= act()
  }
  return { done: () => done as Promise<unknown> }
}

describe('a collection', () => {
  test('removes blobs by bulk deletes, and lists a thousand objects a request', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    for (let i = 0; i < 5000; i++)
      objects.write(
        keyOf(`sha256:${i.toString(16).padStart(64, '0')}` as Digest),
        JSON.stringify({ blob: i }).padEnd(99),
      )
    objects.calls.length = 0
    const { deleted } = await runCollection(store, await planCollection(store, NOW))
    expect(deleted).toHaveLength(5000)
    expect(objects.keys('blobs/')).toEqual([])
    const count = (call: string) => objects.calls.filter(said => said.startsWith(`${call} `)).length
    // The first ones show how fast the service is; a busy machine looks like a slow service, which gets 32 at a time.
    expect(count('deleteMany')).toBeGreaterThanOrEqual(7)
    expect(count('deleteMany')).toBeLessThanOrEqual(5 * Math.ceil(1000 / 32))
    expect(count('list')).toBeLessThan(25 + 10 * count('deleteMany'))
    expect(count('get') + count('put') + count('head')).toBeLessThan(10 + 3 * count('deleteMany'))
  })

  test('knows documents from other blobs without reading them: keeps a referrer, and removes parents first', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { manifest } = await putStoreImage(store)
    const { digest: config } = await store.put(Buffer.from('{}'))
    const part = (digest: Digest, size: number) => ({ mediaType: 'application/x-test', digest, size })
    const referrerOf = (subject: object) =>
      store.put(Buffer.from(JSON.stringify({ schemaVersion: 2, config: part(config, 2), layers: [], subject })))
    const kept = await referrerOf(manifest)
    const garbage = await referrerOf(part(await digestOf(Buffer.from('absent')), 6))
    // Dates have whole seconds: what is stored within a second of a lease may count as stored since then.
    objects.age(10_000)
    await store.references.set('app:1', manifest)
    objects.calls.length = 0
    const { deleted } = await runCollection(await open(objects), await planCollection(await open(objects), NOW))
    expect(deleted).toEqual([garbage.digest])
    const read = new Set(objects.calls.flatMap(call => /^get (blobs\/.*)/.exec(call)?.[1] ?? []))
    expect(read).toEqual(new Set([manifest.digest, kept.digest, garbage.digest].map(keyOf)))
    // A store that has just set a name still has a lease of it.
    await store.close()
    const last = await open(objects)
    await last.references.delete('app:1')
    await runCollection(last, await planCollection(last, NOW))
    expect(objects.keys('blobs/')).toEqual([])
    expect(objects.keys('documents/')).toEqual([])
  })

  test('forgets the facts of removed layers by bulk deletes', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    for (let i = 0; i < 100; i++) {
      const { digest } = await store.put(Buffer.from(`layer ${i}`))
      await recordLayerFact(store, { digest, diffId: await digestOf(Buffer.from(`tar ${i}`)), proven: true })
      await recordKnownSource(store, digest, { registry: 'r.example', repository: 'app' })
    }
    expect(objects.keys('derived/facts/')).toHaveLength(300)
    const plan = await planCollection(store, NOW)
    objects.calls.length = 0
    await runCollection(store, plan)
    expect(objects.keys('derived/')).toEqual([])
    const count = (call: string) => objects.calls.filter(said => said.startsWith(`${call} `)).length
    expect(count('delete') + count('deleteMany')).toBeLessThan(40)
    // Two facts of each layer say what else to forget.
    expect(count('get') + count('put')).toBeLessThan(220)
  })

  test('knows a document that is put while it is removed', async () => {
    const objects = new MemoryObjects()
    const [store, other] = [await open(objects), await open(objects)]
    const bytes = Buffer.from(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    )
    const { digest } = await store.put(bytes)
    const plan = await planCollection(store, NOW)
    const put = beforeRemoval(objects, () => other.put(bytes))
    await runCollection(store, plan)
    await put.done()
    expect(await other.stat(digest)).toBeDefined()
    expect(objects.keys('documents/')).toHaveLength(1)
  })

  test('does not forget when a blob was last used, however long ago that was', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { digest } = await store.put(Buffer.from('used'))
    objects.age(10 * 24 * 3_600_000)
    await store.leases.touch(digest)
    objects.age(2 * 24 * 3_600_000)
    const graceMs = 3 * 24 * 3_600_000
    for (const round of ['first', 'second']) {
      const { deleted } = await runCollection(store, await planCollection(store, { graceMs, force: true }))
      expect({ round, deleted }).toEqual({ round, deleted: [] })
    }
  })

  test('keeps a blob that is acknowledged after its last look, or the acknowledgement reports that it is gone', async () => {
    const objects = new MemoryObjects()
    const [store, other] = [await open(objects), await open(objects)]
    const { digest } = await store.put(Buffer.from('garbage'))
    const plan = await planCollection(store, NOW)
    const touched = beforeRemoval(objects, () => other.leases.touch(digest))
    const { deleted } = await runCollection(store, plan)
    expect(await touched.done()).toBe((await other.stat(digest)) !== undefined)
    expect(deleted).toEqual([digest])
  })

  test('keeps a blob that was acknowledged since the plan, within one second', async () => {
    const store = await open()
    const { digest } = await store.put(Buffer.from('garbage'))
    await store.leases.touch(digest)
    const plan = await planCollection(store, NOW)
    await store.leases.touch(digest)
    const { deleted, skipped } = await runCollection(store, plan)
    expect(deleted).toEqual([])
    expect(skipped).toEqual([{ digest, why: 'stored or used again since the plan' }])
  })

  test('does not take a blob that is put while it is removed', async () => {
    const objects = new MemoryObjects()
    const [store, other] = [await open(objects), await open(objects)]
    const { digest } = await store.put(Buffer.from('garbage'))
    const plan = await planCollection(store, NOW)
    const put = beforeRemoval(objects, () => other.put(Buffer.from('garbage')))
    await runCollection(store, plan)
    expect(await put.done()).toEqual({ digest, size: 7 })
    expect(await other.stat(digest)).toBeDefined()
  })

  test('lets no name refer to an image that it removes', async () => {
    const objects = new MemoryObjects()
    const [store, other] = [await open(objects), await open(objects)]
    const { manifest } = await putStoreImage(store)
    const plan = await planCollection(store, NOW)
    const set = beforeRemoval(objects, () => other.references.set('late:1', manifest))
    const { deleted } = await runCollection(store, plan)
    expect(deleted.length).toBeGreaterThan(0)
    await expect(set.done()).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
    expect(objects.keys('references/')).toEqual([])
  })

  test('keeps the image of a name that is being set when it announces its removals', async () => {
    const objects = new MemoryObjects()
    const [store, other] = [await open(objects), await open(objects)]
    const { manifest } = await putStoreImage(store)
    const plan = await planCollection(store, NOW)
    let removal: Promise<unknown> | undefined
    objects.before = async (call, key) => {
      if (call !== 'put' || !key.startsWith('references/')) return
      objects.before = () => {}
      removal = runCollection(store, plan)
      await removal
    }
    await other.references.set('app:1', manifest)
    expect(await removal).toMatchObject({ deleted: [] })
    expect((await planCollection(store, NOW)).missing).toEqual([])
  })

  test('does not drop a name that was moved to another image meanwhile', async () => {
    const objects = new MemoryObjects()
    const [store, other] = [await open(objects), await open(objects)]
    const [{ manifest: old }, { manifest: fresh }] = [
      await putStoreImage(store, 'old'),
      await putStoreImage(store, 'new'),
    ]
    await store.references.set('app:1', old)
    await store.references.set('app:2', fresh)
    const plan = await planCollection(store, { ...NOW, keepLast: 1 })
    const [dropped] = plan.dropNames
    const moved = beforeRemoval(objects, () =>
      other.references.set(dropped!.name, dropped!.digest === old.digest ? fresh : old),
    )
    await runCollection(store, plan)
    await moved.done()
    expect(await store.references.get(dropped!.name)).toBeDefined()
  })

  test('keeps what a lease names, what was stored since it began, and young blobs', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const [leased, old] = [await store.put(Buffer.from('leased')), await store.put(Buffer.from('old'))]
    objects.age(2 * 3_600_000)
    await using lease = await store.leases.hold({ label: 'work', digests: [leased.digest] })
    const since = await store.put(Buffer.from('since'))
    const { drop } = await planCollection(store, NOW)
    expect(drop.map(({ digest }) => digest)).toEqual([old.digest])
    await lease.release()
    expect((await planCollection(store, { force: true })).drop.map(({ digest }) => digest)).toEqual([old.digest])
    expect((await readStoreUsage(store)).young.blobs).toBe(2)
    expect(since.size).toBe(5)
  })

  test('goes by the clock of the service, however wrong that of the machine is', async () => {
    const objects = new MemoryObjects()
    objects.offsetMs = 400 * 24 * 3_600_000
    const store = await open(objects)
    await store.put(Buffer.from('young'))
    expect((await planCollection(store, { force: true })).drop).toEqual([])
    objects.age(2 * 3_600_000)
    for (const view of [store, readOnlyStore(store)]) {
      expect((await planCollection(view, { force: true })).drop).toHaveLength(1)
    }
  })

  test('keeps the blobs of cache records until it drops the record', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { digest } = await store.put(Buffer.from('cached'))
    await store.derived.set('cache', 'step', Buffer.from(JSON.stringify({ blobs: [digest] })))
    await store.derived.set('cache', 'broken', Buffer.from('{"blobs":["x"]}'))
    objects.age(3 * 3_600_000)
    expect((await planCollection(store, { force: true })).drop).toEqual([])
    const plan = await planCollection(store, { force: true, maxAgeMs: 3_600_000 })
    expect(plan.dropRecords).toHaveLength(1)
    await store.derived.set('cache', 'step', Buffer.from(JSON.stringify({ blobs: [digest], again: true })))
    expect((await runCollection(store, plan)).recordsDropped).toEqual([])
    objects.age(2000)
    const again = await planCollection(store, { ...NOW, maxAgeMs: 1 })
    expect(again.dropRecords).toHaveLength(1)
    expect((await runCollection(store, again)).recordsDropped).toEqual(['step'])
  })

  test('reports blobs that the service does not remove', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { digest } = await store.put(Buffer.from('garbage'))
    const plan = await planCollection(store, NOW)
    objects.before = call => {
      if (call === 'deleteMany' && objects.text('collection.json')?.includes('"batch":{')) throw new Error('refused')
    }
    const { deleted, errors } = await runCollection(store, plan)
    expect(deleted).toEqual([])
    expect(errors).toEqual([{ digest, message: expect.stringContaining('refused') }])
  })

  test('goes on with fewer blobs if the answer to a removal is lost, and counts what was removed', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const added = Array.from({ length: 150 }, (_, i) => store.put(Buffer.from(`garbage ${i}`)))
    const digests = (await Promise.all(added)).map(({ digest }) => digest)
    const plan = await planCollection(store, NOW)
    let lost = 0
    objects.calls.length = 0
    objects.after = call => {
      if (call !== 'deleteMany' || lost > 0) return
      lost++
      throw new BucketError('ERR_BUCKET_NETWORK', 'the answer is lost', {
        method: 'POST',
        url: 'http://bucket.test',
        retryable: true,
      })
    }
    const { deleted, errors } = await runCollection(store, plan)
    expect(errors).toEqual([])
    expect([...deleted].sort()).toEqual([...digests].sort())
    expect(lost).toBe(1)
    // None of the first 100 is removed again; a busy machine looks like a slow service, which gets the rest in parts.
    const [first, ...rest] = objects.calls.flatMap(call => /^deleteMany (\d+)/.exec(call)?.[1] ?? []).map(Number)
    expect(first).toBe(100)
    expect(rest.reduce((sum, count) => sum + count, 0)).toBe(50)
  })

  test('ends with an error for each blob if the service does not even remove a few in time', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const many = Array.from({ length: 80 }, (_, i) => store.put(Buffer.from(`garbage ${i}`)))
    await Promise.all(many)
    const plan = await planCollection(store, NOW)
    const tries = refuseRemovals(objects)
    const { deleted, errors } = await runCollection(store, plan)
    expect(deleted).toEqual([])
    expect(errors).toHaveLength(80)
    expect(errors[0]!.message).toContain('too late')
    // 80 (of at most 100), 50 and 32.
    expect(tries()).toBe(3)
  })

  test('gives up on the batches after one whose fewest blobs were not removed in time, and says what stays', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const plain = Array.from({ length: 2500 }, (_, i) => `sha256:${i.toString(16).padStart(64, '0')}` as Digest)
    for (const [i, digest] of plain.entries()) objects.write(keyOf(digest), JSON.stringify({ blob: i }).padEnd(99))
    const plan = await planCollection(store, NOW)
    const tries = refuseRemovals(objects)
    const { deleted, errors } = await runCollection(store, plan)
    expect(deleted).toEqual([])
    expect(errors.map(({ digest }) => digest).sort()).toEqual(plain)
    expect(errors.filter(({ message }) => /did not try .* in time: too late/.test(message))).toHaveLength(2500 - 32)
    // 100, 50 and 32 of the first batch; nothing of the other two.
    expect(tries()).toBe(3)
    // The next collection begins anew.
    objects.before = () => undefined
    expect((await runCollection(store, await planCollection(store, NOW))).deleted).toHaveLength(2500)
  })

  test('is refused on a read-only store, and removes nothing outside of its turn', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const reader = await open(objects, { readOnly: true })
    const plan = await planCollection(reader, NOW)
    await expect(runCollection(reader, plan)).rejects.toMatchObject({ code: 'ERR_STORE_READ_ONLY' })
    const driver = driverOf(store).collection
    await expect(driver?.forgetNames([{ name: 'a:1', digest: await digestOf(Buffer.from('')) }])).rejects.toMatchObject(
      {
        code: 'ERR_STORE_LOCKED',
      },
    )
  })
})

describe('a collection that another process runs', () => {
  const blob = Buffer.from('wanted')

  /** Writes the record of a collection that was about to remove a blob. */
  async function announce(
    objects: MemoryObjects,
    holder: object,
    digest: Digest,
    lastRequestMs?: number,
  ): Promise<void> {
    const batch = { blobs: [digest], names: ['app:1'], lastRequestMs }
    objects.write('collection.json', JSON.stringify({ version: 1, generation: 7, holder, batch }))
  }
  const killed = async () => createOwnerOf(deadPid())

  test('is taken over five seconds after its process was killed, or when a slow request must be done', async () => {
    const takeOver = async (lastRequestMs: number | undefined, least: number) => {
      const objects = new MemoryObjects()
      const store = await open(objects)
      const { digest } = await store.put(blob)
      await announce(objects, await killed(), digest, lastRequestMs)
      const began = performance.now()
      expect(await store.leases.touch(digest)).toBe(true)
      expect(performance.now() - began).toBeGreaterThan(least)
      expect(JSON.parse(objects.text('collection.json')!)).toMatchObject({ generation: 8, holder: null, batch: null })
    }
    await Promise.all([takeOver(undefined, 4900), takeOver(6000, 5900)])
  })

  test('is taken over after two minutes of silence if its process cannot be seen', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { digest } = await store.put(blob)
    await announce(objects, { ...(await createOwner()), host: 'elsewhere' }, digest)
    const gaveUp = AbortSignal.timeout(300)
    const waiting = store.references.set('app:1', { mediaType: 'a/b', digest, size: 6 }, { signal: gaveUp })
    await expect(waiting).rejects.toBe(await waiting.catch(error => error))
    expect(gaveUp.aborted).toBe(true)
    // Blobs and names that it has not announced are not concerned.
    expect((await store.put(Buffer.from('another'))).size).toBe(7)
    objects.age(130_000)
    const began = driverOf(store).collection?.alone(async () => 'begun')
    await expect(began).resolves.toBe('begun')
  })

  test('that lost its turn removes nothing more', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    await store.put(blob)
    const plan = await planCollection(store, NOW)
    objects.after = (call, key) => {
      if (call !== 'put' || key !== 'collection.json') return
      objects.after = () => {}
      objects.write('collection.json', '{"version":1,"generation":9,"holder":null,"batch":null}')
    }
    await expect(runCollection(store, plan)).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
    expect(objects.keys('blobs/')).toHaveLength(1)
  })

  test('whose record is damaged stops writers until the store is repaired', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    for (const text of ['{', '{"version":1}', '{"version":1,"generation":1,"holder":null,"batch":{"blobs":1}}']) {
      objects.write('collection.json', text)
      await expect(store.put(blob)).rejects.toMatchObject({ code: 'ERR_STORE_FORMAT' })
    }
  })
})
