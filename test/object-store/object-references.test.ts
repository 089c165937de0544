import { describe, expect, onTestFinished, test } from 'vitest'
import { BucketError } from '../../lib/errors/index.ts'
import { checkStore, repairStore } from '../../lib/maintenance/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { MemoryObjects } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'

async function open(objects = new MemoryObjects()): Promise<Store> {
  const store = await openInMemory(objects, { hasher: 'native' })
  onTestFinished(() => store.close())
  return store
}

async function listed(store: Store): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of store.references.list()) names.push(name)
  return names
}

describe('a name', () => {
  test('that many stores swap at once has one winner for each value', async () => {
    const objects = new MemoryObjects()
    const stores = await Promise.all(Array.from({ length: 6 }, () => open(objects)))
    const images = await Promise.all(stores.map((store, i) => putStoreImage(store, `image ${i}`)))
    const swaps = stores.map((store, i) => store.references.set('app:1', images[i]!.manifest, { expected: null }))
    const settled = await Promise.allSettled(swaps)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const one of settled) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_REFERENCE_CONFLICT' })
    }
  })

  test('that is moved to another image and back is not the version that a swap has compared', async () => {
    const objects = new MemoryObjects()
    const [store, other] = [await open(objects), await open(objects)]
    const [{ manifest: a }, { manifest: b }] = [await putStoreImage(store, 'a'), await putStoreImage(store, 'b')]
    await store.references.set('app:1', a)
    let swaps = 0
    objects.before = async (call, key) => {
      if (call !== 'put' || key !== 'references/app:1' || swaps++ > 0) return
      await other.references.set('app:1', b)
      await other.references.set('app:1', a)
    }
    // The first write fails; the digest is compared again and is the expected one.
    await store.references.set('app:1', b, { expected: a.digest })
    expect(swaps).toBeGreaterThan(3)
    expect(await store.references.get('app:1')).toEqual(b)
  })

  test('that is replaced while its answer is broken off is read anew', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    let breaks = 0
    objects.before = call => {
      if (call === 'get' && breaks++ < 2) throw new BucketError('ERR_BUCKET_OBJECT_CHANGED', 'replaced')
    }
    expect(await store.references.get('app:1')).toEqual(manifest)
    expect(breaks).toBe(3)
  })

  test('is read again only if it has changed', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { manifest } = await putStoreImage(store)
    for (let i = 0; i < 40; i++) await store.references.set(`app:${i}`, manifest)
    await listed(store)
    await store.references.set('app:7', manifest)
    objects.calls.length = 0
    expect(await listed(store)).toHaveLength(40)
    expect(objects.calls.filter(call => call.startsWith('get '))).toEqual(['get references/app:7'])
  })

  test('under the spelling that it was called with does not hide the new one', async () => {
    const store = await open()
    const { manifest } = await putStoreImage(store)
    await store.references.set('stable', manifest, { verbatim: true })
    await store.references.set('stable', manifest)
    expect(await listed(store)).toEqual(['stable:latest'])
    expect(await store.references.delete('stable')).toBe(true)
    expect(await listed(store)).toEqual([])
  })

  test('costs one lease for names that are set one after the other, which ends with the store', async () => {
    const objects = new MemoryObjects()
    const store = await openInMemory(objects, { hasher: 'native' })
    const { manifest } = await putStoreImage(store)
    objects.calls.length = 0
    for (let i = 0; i < 5; i++) await store.references.set(`app:${i}`, manifest)
    expect(objects.calls.filter(call => call.startsWith('put leases/'))).toHaveLength(1)
    expect(objects.keys('leases/')).toHaveLength(1)
    await store.close()
    expect(objects.keys('leases/')).toEqual([])
  })

  test('whose lease cannot be written is not set', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { manifest } = await putStoreImage(store)
    objects.before = (call, key) => {
      if (call === 'put' && key.startsWith('leases/')) throw new Error('refused')
    }
    await expect(store.references.set('app:1', manifest)).rejects.toThrow('refused')
    objects.before = () => {}
    await store.references.set('app:1', manifest)
    expect(await listed(store)).toEqual(['app:1'])
  })

  test('of a lease that has become idle ends after some seconds', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    await expect.poll(() => objects.keys('leases/')).toEqual([])
  })
})

describe('a damaged object', () => {
  test('of a name is an error for collections and listings, and repairStore moves it away and keeps its image', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { manifest } = await putStoreImage(store, 'lost')
    const { manifest: kept } = await putStoreImage(store, 'kept')
    await store.references.set('app:1', manifest)
    await store.references.set('app:2', kept)
    for (const text of [
      '{"version":1,"na',
      '{"version":1,"name":"app:1","descriptor":{}}',
      '{"version":1,"name":"b:1"}',
    ]) {
      objects.write('references/app:1', text)
      await expect(store.references.get('app:1')).rejects.toMatchObject({ code: 'ERR_STORE_FORMAT' })
      await expect(listed(store)).rejects.toMatchObject({ code: 'ERR_STORE_FORMAT' })
    }
    const report = await checkStore(store)
    expect(report.faults.map(({ path }) => path)).toEqual(['references/app:1'])
    const { mended } = await repairStore(store, report, [])
    expect(mended).toMatchObject([{ path: 'references/app:1', quarantinedTo: expect.stringMatching(/^quarantine\//) }])
    expect(await listed(store)).toEqual(['app:2', `recovered:${manifest.digest.replace(':', '-')}`])
    expect((await checkStore(store)).sound).toBe(true)
  })

  test('of a name is kept beside that of another name whose characters are spelled the same in quarantine', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    objects.write('references/app:1', 'of a colon')
    objects.write('references/app/1', 'of a slash')
    const { mended } = await repairStore(store, await checkStore(store), [])
    expect(mended).toHaveLength(2)
    const kept = mended.map(({ quarantinedTo }) => objects.text(quarantinedTo!))
    expect(kept.sort()).toEqual(['of a colon', 'of a slash'])
  })

  test('of a lease, the marker or the record of collections is found, and repaired', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    await using _lease = await store.leases.hold({ label: 'work' })
    const [lease] = objects.keys('leases/')
    objects.write(lease!, '{"version":1')
    objects.write('collection.json', '{}')
    objects.write('layerstore.json', '{}')
    objects.write('blobs/sha256/stray', 'x')
    const report = await checkStore(store)
    expect(report.faults.map(({ path }) => path).sort()).toEqual(['collection.json', 'layerstore.json', lease].sort())
    expect(report.problems.map(({ class: kind, path }) => [kind, path])).toEqual([['stray', 'blobs/sha256/stray']])
    const { mended, unrepaired } = await repairStore(store, report, [])
    expect(mended).toHaveLength(3)
    expect(unrepaired).toEqual([])
    expect((await checkStore(store)).faults).toEqual([])
    // A second repair by the same report changes nothing.
    expect((await repairStore(store, report, [])).mended).toEqual([])
    await (await open(objects)).put(Buffer.from('usable again'))
  })

  test('that is missing, as the marker, is written anew', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    objects.objects.delete('layerstore.json')
    const report = await checkStore(store)
    expect((await repairStore(store, report, [])).mended).toEqual([
      { path: 'layerstore.json', outcome: 'written anew' },
    ])
  })

  test('of a lease protects the digests that are readable, for a day', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { digest } = await store.put(Buffer.from('leased'))
    objects.write('leases/torn.json', `{"version":1,"sinceMs":1234,"digests":["${digest}"`)
    const leases = []
    for await (const lease of store.leases.list()) leases.push(lease)
    expect(leases).toMatchObject([{ id: 'torn', label: 'damaged lease', sinceMs: 1234, digests: [digest] }])
  })

  test('of a blob is moved to quarantine if the reader asks for it', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { digest } = await store.put(Buffer.from('right'))
    const key = `blobs/${digest.replace(':', '/')}`
    objects.write(key, 'wrong')
    const read = async () => {
      for await (const _ of store.read(digest, { onCorrupt: 'quarantine' }));
    }
    await expect(read()).rejects.toMatchObject({
      code: 'ERR_BLOB_CORRUPT',
      quarantinedTo: expect.stringMatching(/^quar/),
    })
    expect(objects.keys('blobs/')).toEqual([])
    expect(objects.text(objects.keys('quarantine/')[0]!)).toBe('wrong')
  })

  test('of a blob with another size is replaced by a put', async () => {
    const objects = new MemoryObjects()
    const store = await open(objects)
    const { digest } = await store.put(Buffer.from('right'))
    objects.write(`blobs/${digest.replace(':', '/')}`, 'short')
    objects.write(`blobs/${digest.replace(':', '/')}`, 'too long')
    await store.put(Buffer.from('right'))
    expect(objects.text(`blobs/${digest.replace(':', '/')}`)).toBe('right')
  })
})
