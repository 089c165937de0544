import { mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Digest } from '../../../lib/digest/index.ts'
import { openStore } from '../../../lib/disk-store/index.ts'
import { planCollection, readStoreUsage, runCollection } from '../../../lib/maintenance/index.ts'
import { MediaType } from '../../../lib/oci/index.ts'
import { driverOf } from '../../../lib/store/drivers/store-driver.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { ageBlobs } from '../../helpers/age-blobs.ts'
import { blobsOf } from '../../helpers/blobs-of.ts'
import { putStoreDocument, putStoreImage } from '../../helpers/store-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const HOUR = 3_600_000
const START = 1_800_000_000_000
afterEach(() => void vi.useRealTimers())

describe('a memory store', () => {
  let store: Store
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    store = createMemoryStore()
  })
  const later = () => vi.setSystemTime(START + 2 * HOUR)

  test('drops names by the policy, unless they refer to another image by then', async () => {
    const [one, two] = [await putStoreImage(store, 'one'), await putStoreImage(store, 'two')]
    for (const name of ['app:1', 'other:1', 'third:1']) await store.references.set(name, one.manifest)
    later()
    await store.references.set('new:1', two.manifest)
    const plan = await planCollection(store, { maxAgeMs: HOUR })
    expect(plan.dropNames.map(({ name }) => name).sort()).toEqual(['app:1', 'new:1', 'other:1', 'third:1'])
    await store.references.set('other:1', two.manifest)
    await store.references.delete('third:1')
    expect([...(await runCollection(store, plan)).namesDropped].sort()).toEqual(['app:1', 'new:1'])
    expect(await blobsOf(store)).toEqual([two.layer, two.config, two.manifest].map(({ digest }) => digest).sort())
  })

  test('counts unfinished ingests, and keeps the blobs that they expect', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'one')).manifest)
    const { digest } = await store.put(Buffer.from('expected'))
    for (const key of [digest, 'no digest']) {
      await using writer = await store.ingest(key)
      await writer.write(Buffer.from('exp'))
    }
    later()
    expect((await planCollection(store)).drop).toEqual([])
    expect((await readStoreUsage(store)).unfinished).toEqual({ count: 2, bytes: 6 })
  })

  test('does not read blobs that are too large for a document', async () => {
    const { digest } = await store.put(Buffer.alloc(5 * 1024 * 1024, '{'))
    expect(await driverOf(store).collection!.document(digest)).toHaveLength(0)
    expect(await driverOf(store).collection!.document(`sha256:${'0'.repeat(64)}` as Digest)).toBeUndefined()
  })

  test('removes only existing blobs that are unchanged and not needed', async () => {
    const driver = driverOf(store).collection!
    const blobs = []
    for (const text of ['removed', 'changed', 'needed', 'gone']) {
      const info = await store.put(Buffer.from(text))
      blobs.push({ ...info, modifiedMs: START })
    }
    const [, changed, needed, gone] = blobs
    await store.leases.touch(changed!.digest)
    await store.delete(gone!.digest)
    const outcomes = await driver.remove(
      blobs,
      async () =>
        ({ digest }) =>
          digest === needed!.digest,
    )
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['removed', 'changed', 'needed', 'gone'])
    expect(await driver.forgetRecords([])).toEqual([])
  })

  test('sees a name that is set during the asynchronous check', async () => {
    const { layer, config, manifest } = await putStoreImage(store, 'late')
    let asked = 0
    const going = [layer, config, manifest].map(({ digest, size }) => ({ digest, size, modifiedMs: START }))
    await driverOf(store).collection!.remove(going, async roots => {
      if (asked++ === 0) await store.references.set('late:1', manifest)
      return () => roots.names.length > 0
    })
    expect(asked).toBe(2)
    expect(await blobsOf(store)).toHaveLength(3)
  })

  test('refuses a name whose blobs are removed while it is set', async () => {
    const { layer, config, manifest } = await putStoreImage(store, 'going')
    const going = [layer, config, manifest].map(({ digest, size }) => ({ digest, size, modifiedMs: START }))
    const setting = thrownBy(() => store.references.set('going:1', manifest))
    await driverOf(store).collection!.remove(going, async () => () => false)
    expect(await setting).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
    expect(await store.references.get('going:1')).toBeUndefined()
  })
})

describe('a directory', () => {
  let directory: ReturnType<typeof temporaryDirectory>
  let store: Store
  beforeEach(async () => {
    directory = temporaryDirectory('gc-odd')
    store = await openStore(directory.path, { durability: 'none' })
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
  })
  afterEach(async () => {
    await store.close()
    directory[Symbol.dispose]()
  })
  const path = (...parts: string[]) => join(directory.path, ...parts)

  test('manifests of more than 16 KiB are read to their end', async () => {
    const { config, layer } = await putStoreImage(store, 'x')
    const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, annotations: { a: 'a'.repeat(300_000) } }
    const large = await putStoreDocument(store, MediaType.OciManifest, { ...document, config, layers: [layer] })
    await store.references.set('large:1', large)
    ageBlobs(directory.path, 2 * HOUR)
    const plan = await planCollection(store)
    expect(plan.keep.map(({ digest }) => digest)).toContain(layer.digest)
  })

  test('an entry under the name of a blob that is no file is neither followed nor removed', async () => {
    const [folder, link, spaces] = ['a', 'b', 'c'].map(letter => letter.repeat(64))
    mkdirSync(path('blobs/sha256', folder!))
    const { symlinkSync } = await import('node:fs')
    symlinkSync('/etc/passwd', path('blobs/sha256', link!))
    writeFileSync(path('blobs/sha256', spaces!), `\n\t {"subject":{"digest":"nonsense"}} ${' '.repeat(100)}`)
    for (const hex of [folder, link]) {
      expect((await driverOf(store).collection!.document(`sha256:${hex}` as Digest))?.byteLength ?? 0).toBe(0)
    }
    ageBlobs(directory.path, 2 * HOUR)
    const plan = await planCollection(store)
    expect(plan.drop.map(({ digest }) => digest)).toEqual([`sha256:${spaces}`])
    await runCollection(store, plan)
    expect(readdirSync(path('blobs/sha256'))).toEqual(expect.arrayContaining([folder, link]))
  })

  test('large blobs and blobs of a few bytes are not searched for a subject', async () => {
    await store.put(Buffer.alloc(5 * 1024 * 1024, '{ '))
    await store.put(Buffer.from('{}'))
    ageBlobs(directory.path, 2 * HOUR)
    expect((await planCollection(store)).drop).toHaveLength(2)
  })

  test('a lease above the size limit is not read, and stops no collection', async () => {
    mkdirSync(path('.layerstore/leases'))
    writeFileSync(path('.layerstore/leases/1-big.json'), '')
    truncateSync(path('.layerstore/leases/1-big.json'), 65 * 1024 * 1024)
    expect((await planCollection(store)).drop).toEqual([])
    expect((await driverOf(store).collection!.roots()).leases).toMatchObject([{ id: '1-big', digests: [] }])
  })

  test('ingests without a state, or with a broken one, expect nothing', async () => {
    mkdirSync(path('.layerstore/ingests/one'))
    mkdirSync(path('.layerstore/ingests/two'))
    writeFileSync(path('.layerstore/ingests/two/state.json'), '{"key":')
    writeFileSync(path('.layerstore/ingests/two/data'), '12345')
    writeFileSync(path('.layerstore/ingests/stray'), '')
    expect((await driverOf(store).collection!.roots()).ingests).toEqual([])
    expect((await readStoreUsage(store)).unfinished).toEqual({ count: 1, bytes: 5 })
  })

  test('cache records too large, too deep or of another shape keep nothing', async () => {
    const { digest } = await store.put(Buffer.from('cached'))
    const record = JSON.stringify({ blobs: [digest] })
    mkdirSync(path('.layerstore/cache/a/b'), { recursive: true })
    writeFileSync(path('.layerstore/cache/a/b/deep.json'), record)
    writeFileSync(path('.layerstore/cache/a/note.txt'), record)
    writeFileSync(path('.layerstore/cache/null.json'), 'null')
    writeFileSync(path('.layerstore/cache/large.json'), `${record}${' '.repeat(5 * 1024 * 1024)}`)
    expect((await driverOf(store).collection!.roots()).records).toEqual([])
  })

  test('trash is restored also if the blob was stored again meanwhile', async () => {
    const { digest } = await store.put(Buffer.from('twice'))
    const away = path('.layerstore/trash', digest.replace(':', '-'))
    mkdirSync(path('.layerstore/trash'))
    renameSync(path('blobs', digest.replace(':', '/')), away)
    await (await openStore(directory.path, { readOnly: true })).close()
    expect(readdirSync(path('.layerstore/trash'))).toHaveLength(1)
    const reading = await openStore(directory.path, { readOnly: true })
    expect(await reading.stat(digest)).toBeUndefined()
    await reading.close()
    await store.put(Buffer.from('twice'))
    await driverOf(store).collection!.alone(async () => expect(readdirSync(path('.layerstore/trash'))).toEqual([]))
    expect(await store.stat(digest)).toEqual({ digest, size: 5 })
  })

  test('a plan and a run stop on abort', async () => {
    await store.put(Buffer.from('garbage'))
    ageBlobs(directory.path, 2 * HOUR)
    const plan = await planCollection(store)
    const signal = AbortSignal.abort(new Error('enough'))
    expect((await thrownBy(() => planCollection(store, { signal }))).message).toBe('enough')
    expect((await thrownBy(() => runCollection(store, plan, { signal }))).message).toBe('enough')
    expect(await blobsOf(store)).toHaveLength(4)
  })

  test('a blob that another process removes meanwhile is reported as gone', async () => {
    const { digest } = await store.put(Buffer.from('garbage'))
    ageBlobs(directory.path, 2 * HOUR)
    const plan = await planCollection(store)
    rmSync(path('blobs', digest.replace(':', '/')))
    expect((await runCollection(store, plan)).skipped).toEqual([{ digest, why: 'removed by another process' }])
    expect(
      await driverOf(store).collection!.alone(() =>
        driverOf(store).collection!.remove(plan.drop, async () => () => false),
      ),
    ).toEqual([{ digest, outcome: 'gone' }])
  })

  test('names with two digest algorithms are supported', async () => {
    const { digest, size } = await store.put(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] })), {
      digest: await sha512(JSON.stringify({ schemaVersion: 2, manifests: [] })),
    })
    await store.references.set('long:1', { mediaType: MediaType.OciIndex, digest, size })
    ageBlobs(directory.path, 2 * HOUR)
    expect((await planCollection(store)).keep.find(kept => kept.digest === digest)?.why).toBe('tag long:1 → index')
  })
})

async function sha512(text: string): Promise<Digest> {
  const { createHash } = await import('node:crypto')
  return `sha512:${createHash('sha512').update(text).digest('hex')}` as Digest
}
