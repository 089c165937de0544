import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../lib/disk-store/index.ts'
import { type CollectionPlan, planCollection, runCollection } from '../../../lib/maintenance/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import { ageBlobs } from '../../helpers/age-blobs.ts'
import { putStoreImage } from '../../helpers/store-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const HOUR = 3_600_000
let directory: ReturnType<typeof temporaryDirectory>
let store: Store

beforeEach(async () => {
  directory = temporaryDirectory('damaged-lease')
  store = await openStore(directory.path, { durability: 'none' })
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

const old = () => ageBlobs(directory.path, 2 * HOUR)
const put = async (text: string) => (await store.put(Buffer.from(text))).digest
const whyKept = (plan: CollectionPlan, digest: string) => plan.keep.find(kept => kept.digest === digest)?.why

describe('a damaged lease', () => {
  const file = () => join(directory.path, '.layerstore/leases/1-a.json')
  const plant = (text: string) => {
    mkdirSync(join(directory.path, '.layerstore/leases'), { recursive: true })
    writeFileSync(file(), text)
  }
  beforeEach(async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
  })

  test.each([
    ['cut off', '{"version":1'],
    ['of another shape', '{"version":1,"label":1}'],
    ['empty', ''],
    ['of other content', 'x'.repeat(100_000)],
  ])(
    'that is %s stops no collection, and protects what was stored since its file was made, for a day',
    async (_, text) => {
      const before = await put('stored before')
      old()
      plant(text)
      const since = await put('stored since')
      const plan = await planCollection(store, { graceMs: 0, force: true })
      expect(plan.drop.map(({ digest }) => digest)).toEqual([before])
      expect(whyKept(plan, since)).toBe('stored or used since a lease began (damaged lease)')
      expect((await runCollection(store, plan)).deleted).toEqual([before])
      utimesSync(file(), new Date(Date.now() - 25 * HOUR), new Date(Date.now() - 25 * HOUR))
      expect((await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))).deleted).toEqual([
        since,
      ])
      expect(existsSync(file())).toBe(false)
    },
  )

  test('protects the digests that are still readable, and the blobs stored since it began', async () => {
    const named = await put('named by the lease')
    const since = await put('stored since it began')
    const other = await put('of no concern')
    old()
    const began = Date.now() - 3 * HOUR
    for (const [text, kept] of [
      [`{"version":1,"digests":["${named}","${since.slice(0, 40)}`, [named]],
      [`{"version":1,"sinceMs":${began},"digests":[`, [named, since, other]],
    ] as const) {
      plant(text)
      const { drop } = await planCollection(store)
      expect(drop.map(({ digest }) => digest).sort()).toEqual(
        [named, since, other].filter(one => !(kept as readonly string[]).includes(one)).sort(),
      )
    }
  })

  test('is listed among the other leases', async () => {
    plant('{')
    await using held = await store.leases.hold({ label: 'sound' })
    const listed: string[] = []
    for await (const { id, label } of store.leases.list()) listed.push(`${id} ${label}`)
    expect(listed.sort()).toEqual(['1-a damaged lease', `${held.id} sound`].sort())
  })
})
