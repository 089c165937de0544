import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../lib/disk-store/index.ts'
import {
  type CollectionPlan,
  type CollectionPolicy,
  planCollection,
  readStoreUsage,
  runCollection,
} from '../../../lib/maintenance/index.ts'
import { MediaType } from '../../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { ageBlobs } from '../../helpers/age-blobs.ts'
import { putStoreDocument, putStoreImage } from '../../helpers/store-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
let directory: ReturnType<typeof temporaryDirectory>
let store: Store

beforeEach(async () => {
  directory = temporaryDirectory('policy')
  store = await openStore(directory.path, { durability: 'none' })
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

/** Images of 1000 bytes and a little, named, each so many days old. */
async function images(ages: Record<string, number>) {
  const made: Record<string, Awaited<ReturnType<typeof putStoreImage>>> = {}
  for (const [name, days] of Object.entries(ages)) {
    const image = await putStoreImage(store, name.padEnd(1000))
    made[name] = image
    await store.references.set(name, image.manifest)
    ageBlobs(
      directory.path,
      days * DAY,
      Object.values(image).map(({ digest }) => digest),
    )
  }
  return made
}
const droppedNames = (plan: CollectionPlan) => plan.dropNames.map(({ name }) => name).sort()
const namesLeft = async () => {
  const names: string[] = []
  for await (const { name } of store.references.list()) names.push(name)
  return names
}

describe('keepLast', () => {
  test('keeps the most recently used images of each repository, and drops the blobs that only the others need', async () => {
    const made = await images({ 'app:1': 5, 'app:2': 4, 'app:3': 3, 'other:1': 9 })
    const plan = await planCollection(store, { keepLast: 2 })
    expect(plan.dropNames).toEqual([
      { name: 'app:1', digest: made['app:1']!.manifest.digest, why: 'not among the last 2 of its repository' },
    ])
    expect(plan.drop).toHaveLength(3)
    expect(plan.drop.map(({ why }) => why)).toContain('was kept by tag app:1 → manifest → layer, which is dropped')
    const result = await runCollection(store, plan)
    expect(result).toMatchObject({ namesDropped: ['app:1'], errors: [] })
    expect(result.deleted).toHaveLength(3)
    expect(await namesLeft()).toEqual(['app:2', 'app:3', 'other:1'])
  })

  test('counts images, not tags', async () => {
    const made = await images({ 'app:1': 5, 'app:2': 4 })
    await store.references.set('app:latest', made['app:2']!.manifest)
    await store.references.set('app:stable', made['app:2']!.manifest)
    expect(droppedNames(await planCollection(store, { keepLast: 1 }))).toEqual(['app:1'])
    expect(droppedNames(await planCollection(store, { keepLast: 2 }))).toEqual([])
  })

  test('does not count referrers with a digest tag, and drops them with their image', async () => {
    const made = await images({ 'app:1': 5, 'app:2': 4, 'sig:1': 1, 'sig:2': 1 })
    const tag = (name: string) => `app:${made[name]!.manifest.digest.replace(':', '-')}.sig`
    await store.references.set(tag('app:1'), made['sig:1']!.manifest)
    await store.references.set(tag('app:2'), made['sig:2']!.manifest)
    const plan = await planCollection(store, { keepLast: 1 })
    expect(droppedNames(plan)).toEqual(['app:1', 'sig:1', tag('app:1')].sort())
  })

  test('a name of another tool that is no reference is a repository of its own', async () => {
    const { manifest } = await putStoreImage(store, 'x')
    const other = await putStoreImage(store, 'y')
    const entry = (name: string, descriptor: object) => ({
      ...descriptor,
      annotations: { 'org.opencontainers.image.ref.name': name },
    })
    const manifests = [entry('NOT A REFERENCE', manifest), entry('NOR THIS', other.manifest)]
    writeFileSync(join(directory.path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
    expect(droppedNames(await planCollection(store, { keepLast: 1 }))).toEqual([])
  })
})

describe('maxAgeMs', () => {
  test('a missing image keeps its name, because a repair may need it', async () => {
    const made = await images({ 'app:1': 31, 'app:2': 31 })
    await store.delete(made['app:1']!.manifest.digest)
    expect(await thrownBy(() => planCollection(store, { maxAgeMs: DAY }))).toMatchObject({
      code: 'ERR_COLLECTION_REFUSED',
    })
    const plan = await planCollection(store, { keepLast: 1, maxAgeMs: DAY, maxBytes: 0, unknown: 'keep' })
    expect(droppedNames(plan)).toEqual(['app:2'])
  })

  test('drops names that were not used for longer', async () => {
    await images({ 'app:1': 31, 'app:2': 29 })
    const plan = await planCollection(store, { maxAgeMs: 30 * DAY })
    expect(droppedNames(plan)).toEqual(['app:1'])
    expect(plan.dropNames[0]?.why).toBe('not used for longer than 43200 minutes')
  })

  test('drops all names if all are old, without force', async () => {
    await images({ 'app:1': 31 })
    const plan = await planCollection(store, { maxAgeMs: DAY })
    expect((await runCollection(store, plan)).deleted).toHaveLength(3)
    expect(await namesLeft()).toEqual([])
  })

  test('a pull or an acknowledgement is a use', async () => {
    const made = await images({ 'app:1': 31 })
    await store.leases.touch(made['app:1']!.manifest.digest)
    expect(droppedNames(await planCollection(store, { maxAgeMs: DAY }))).toEqual([])
  })

  test('a name that was moved to another image since the plan stays', async () => {
    const made = await images({ 'app:1': 31, 'app:2': 1 })
    const plan = await planCollection(store, { maxAgeMs: 30 * DAY })
    await store.references.set('app:1', made['app:2']!.manifest)
    const result = await runCollection(store, plan)
    expect(result.namesDropped).toEqual([])
    expect(result.deleted).toHaveLength(3)
    expect(await namesLeft()).toEqual(['app:1', 'app:2'])
  })
})

describe('maxBytes', () => {
  test('drops the least recently used until the rest fits', async () => {
    await images({ 'a:1': 3, 'b:1': 9, 'c:1': 5, 'd:1': 1 })
    const { total } = await readStoreUsage(store)
    expect(droppedNames(await planCollection(store, { maxBytes: total.bytes }))).toEqual([])
    expect(droppedNames(await planCollection(store, { maxBytes: total.bytes - 1 }))).toEqual(['b:1'])
    const plan = await planCollection(store, { maxBytes: total.bytes / 2 })
    expect(droppedNames(plan)).toEqual(['b:1', 'c:1'])
    expect(plan.bytesKept).toBeLessThanOrEqual(total.bytes / 2)
    expect(plan.bytesKept + plan.bytesFreed).toBe(total.bytes)
  })

  test('counts shared blobs once, and subtracts the blobs that no drop can free', async () => {
    const made = await images({ 'a:1': 9, 'b:1': 5, 'c:1': 1 })
    await store.references.set('copy:1', made['a:1']!.manifest)
    ageBlobs(directory.path, 0, [made['c:1']!.manifest.digest])
    const plan = await planCollection(store, { maxBytes: 0 })
    // Images used within the grace period would free nothing.
    expect(droppedNames(plan)).toEqual(['a:1', 'b:1', 'copy:1'])
    expect(plan.drop).toHaveLength(6)
  })

  test('drops referrers with their image, by subject and by digest tag', async () => {
    const made = await images({ 'a:1': 9, 'sig:1': 2 })
    const { config, layer, manifest } = made['a:1']!
    const about = await putStoreDocument(store, MediaType.OciManifest, {
      schemaVersion: 2,
      mediaType: MediaType.OciManifest,
      config,
      layers: [layer],
      subject: manifest,
    })
    await store.references.set(`a:${manifest.digest.replace(':', '-')}`, made['sig:1']!.manifest)
    await store.references.delete('sig:1')
    ageBlobs(directory.path, 9 * DAY)
    const plan = await planCollection(store, { maxBytes: 0 })
    expect(droppedNames(plan)).toHaveLength(2)
    expect(plan.drop.map(({ digest }) => digest)).toContain(about.digest)
    expect(plan.bytesKept).toBe(0)
  })
})

describe('cache records', () => {
  const record = (name: string, digest: string, days: number) => {
    const path = join(directory.path, '.layerstore/cache', name)
    mkdirSync(join(directory.path, '.layerstore/cache'), { recursive: true })
    writeFileSync(path, JSON.stringify({ blobs: [digest], anything: 'else' }))
    utimesSync(path, new Date(Date.now() - days * DAY), new Date(Date.now() - days * DAY))
  }

  test('are dropped by age and by budget, as images are, unless they were used since the plan', async () => {
    await images({ 'app:1': 1 })
    const [one, two] = [await store.put(Buffer.from('1'.repeat(5000))), await store.put(Buffer.from('2'.repeat(5000)))]
    record('one.json', one.digest, 40)
    record('two.json', two.digest, 20)
    ageBlobs(directory.path, 2 * DAY)
    const byAge = await planCollection(store, { maxAgeMs: 30 * DAY })
    expect(byAge.dropRecords).toMatchObject([{ record: 'one.json' }])
    expect(byAge.drop).toMatchObject([
      { digest: one.digest, why: 'was kept by cache record one.json, which is dropped' },
    ])
    const byBudget = await planCollection(store, { maxBytes: 2000 })
    expect(byBudget.dropRecords.map(dropped => dropped.record)).toEqual(['one.json', 'two.json'])
    expect(byBudget.dropNames).toEqual([])
    record('two.json', two.digest, 1)
    const result = await runCollection(store, byBudget)
    expect(result.recordsDropped).toEqual(['one.json'])
    expect(result.deleted).toEqual([one.digest])
    expect(statSync(join(directory.path, '.layerstore/cache/two.json')).isFile()).toBe(true)
  })

  test('a forged plan cannot remove other files', async () => {
    await images({ 'app:1': 1 })
    const { mtimeMs } = statSync(join(directory.path, 'index.json'))
    const plan = await planCollection(store)
    const evil = { ...plan, dropRecords: [{ record: '../../index.json', modifiedMs: mtimeMs, why: '' }] }
    expect((await runCollection(store, evil)).recordsDropped).toEqual([])
    expect(await namesLeft()).toEqual(['app:1'])
  })
})

test.each<[CollectionPolicy]>([
  [{ keepLast: 0 }],
  [{ keepLast: 1.5 }],
  [{ maxAgeMs: 0 }],
  [{ maxAgeMs: Number.POSITIVE_INFINITY }],
  [{ maxBytes: -1 }],
  [{ graceMs: -1, force: true }],
  [{ graceMs: Number.NaN }],
  [{ unknown: 'maybe' as 'keep' }],
  [{ keepLast: '3' as unknown as number }],
])('the policy %j cannot be meant', async policy => {
  expect(await thrownBy(() => planCollection(store, policy))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

test('a store without a collection driver is refused', async () => {
  const plain = { ...createMemoryStore(), collection: undefined } as unknown as Store
  expect(await thrownBy(() => planCollection(plain))).toMatchObject({ code: 'ERR_COLLECTION_UNSUPPORTED' })
})

test('readStoreUsage computes the disk usage, and the bytes that a collection would free', async () => {
  const made = await images({ 'app:1': 1, 'app:2': 1 })
  await store.references.set('copy:1', made['app:1']!.manifest)
  const garbage = await store.put(Buffer.from('garbage'))
  ageBlobs(directory.path, DAY, [garbage.digest])
  await store.put(Buffer.from('young'))
  {
    await using writer = await store.ingest('key')
    await writer.write(Buffer.from('unfinished'))
  }
  const usage = await readStoreUsage(store)
  expect(usage).toMatchObject({
    total: { blobs: 8 },
    named: { blobs: 6 },
    cached: { blobs: 0, bytes: 0 },
    leased: { blobs: 0, bytes: 0 },
    young: { blobs: 1, bytes: 5 },
    reclaimable: { blobs: 1, bytes: 7 },
    unfinished: { count: 1, bytes: 10 },
    leases: [],
  })
  expect(usage.images.map(({ name, uniqueBytes, bytes }) => [name, uniqueBytes === bytes])).toEqual([
    ['app:1', true],
    ['app:2', true],
    ['copy:1', true],
  ])
})
