import { closeSync, existsSync, futimesSync, lutimesSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Digest } from '../../../lib/digest/index.ts'
import { openStore } from '../../../lib/disk-store/index.ts'
import { type CollectionPlan, planCollection, runCollection } from '../../../lib/maintenance/index.ts'
import { assertComplete, type Store } from '../../../lib/store/index.ts'
import { ageBlobs } from '../../helpers/age-blobs.ts'
import { faults, systemError } from '../../helpers/faulty-fs.ts'
import { readAll } from '../../helpers/read-all.ts'
import { putStoreImage } from '../../helpers/store-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
vi.mock('../../../lib/disk-store/blobs/calls-at-once.ts', async original => {
  const { faultyFs } = await import('../../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

const HOUR = 3_600_000
let directory: ReturnType<typeof temporaryDirectory>
/** The store that collects, and the store that relies on a blob meanwhile. */
let [collector, user]: [Store, Store] = [] as never
let image: Awaited<ReturnType<typeof putStoreImage>>
let plan: CollectionPlan

beforeEach(async () => {
  directory = temporaryDirectory('moments')
  collector = await openStore(directory.path)
  user = await openStore(directory.path)
  await user.references.set('app:1', (await putStoreImage(user, 'named')).manifest)
  image = await putStoreImage(user, 'going')
  ageBlobs(directory.path, 2 * HOUR)
  plan = await planCollection(collector)
  expect(plan.drop).toHaveLength(3)
})
afterEach(async () => {
  faults.reset()
  await user.close()
  await collector.close()
  directory[Symbol.dispose]()
})

const placeOf = (digest: Digest) => join(directory.path, 'blobs', digest.replace(':', '/'))
const trashOf = (digest: Digest) => join(directory.path, '.layerstore/trash', digest.replace(':', '-'))
const touchNow = (digest: Digest) => lutimesSync(placeOf(digest), new Date(), new Date())

describe('GC-08: a look-up finds a blob that is being restored at that moment', () => {
  test.each<[string, (digest: Digest) => Promise<unknown>]>([
    ['stat', digest => user.stat(digest)],
    ['read', digest => readAll(user.read(digest))],
    ['touch', digest => user.leases.touch(digest)],
    ['put by digest', digest => user.put([], { digest })],
    ['set a name', () => user.references.set('app:2', image.manifest)],
  ])('%s', async (_, act) => {
    const { digest } = image.layer
    let collection: Promise<unknown> | undefined
    let [isAway, goOn]: [() => void, () => void] = [] as never
    const away = new Promise<void>(resolve => (isAway = resolve))
    const mayGoOn = new Promise<void>(resolve => (goOn = resolve))
    const done = { away: false, asked: false }
    const endOf = () => {
      done.asked = true
      goOn()
      return collection
    }
    faults.before = (name, args) => {
      // Touches each part after the collection has looked at it and before it is moved: the collection must restore all
      // of them.
      const leaving = Object.values(image).find(part => name === 'rename' && args[1] === trashOf(part.digest))
      if (leaving) touchNow(leaving.digest)
      if (name === 'lstat' && args[0] === trashOf(digest) && !done.away) {
        done.away = true
        isAway()
        return mayGoOn
      }
      // The reader has missed the blob in its place; before it looks in the trash, the collection ends and empties it.
      if (name === 'link' && args[0] === trashOf(digest) && !done.asked) return endOf()
      return undefined
    }
    collection = runCollection(collector, plan)
    await away
    expect(existsSync(placeOf(digest))).toBe(false)
    const found = act(digest)
    expect(await found).toBeTruthy()
    expect(await collection).toMatchObject({ deleted: [], errors: [] })
  })
})

test('GC-08: a touch of a file that has just been removed does not count', async () => {
  const { digest } = image.layer
  faults.instead = (name, args) => {
    if (name !== 'lutimes' || args[0] !== placeOf(digest)) return undefined
    faults.reset()
    return (async () => {
      // Like the kernel: finds the file by its path first, and changes its time later.
      const file = openSync(placeOf(digest), 'r')
      rmSync(placeOf(digest))
      futimesSync(file, new Date(), new Date())
      closeSync(file)
    })()
  }
  expect(await user.leases.touch(digest)).toBe(false)
})

test('GC-03: an image that was verified while its blobs were being removed is verified again before it is named', async () => {
  let named: Promise<unknown> | undefined
  const isProven = new Promise<void>(resolve => {
    faults.before = (name, args) => {
      // `set` waits for the lock after it has looked up every blob.
      if (named && name === 'link' && String(args[1]).endsWith('/locks/index')) resolve()
      if (named || name !== 'rename' || args[0] !== placeOf(image.manifest.digest)) return undefined
      named = user.references.set('app:2', image.manifest).catch(error => error)
      return isProven
    }
  })
  await runCollection(collector, plan)
  const outcome = await named
  if (outcome === 'app:2') await assertComplete(user, image.manifest)
  else expect(outcome).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
})

describe('GC-08: a process that reads a manifest while its image is removed keeps the whole image', () => {
  const parts = () => Object.values(image).map(({ digest }) => digest)
  const stillThere = async () => {
    for (const digest of parts()) expect(await user.stat(digest)).toBeDefined()
  }
  /** Before the collection does this to the manifest, or to its trash. */
  const at = (call: string, path: (digest: Digest) => string, act: () => Promise<unknown>) => {
    let done = false
    faults.before = (name, args) => {
      if (done || name !== call || args[0] !== path(image.manifest.digest)) return undefined
      done = true
      return act()
    }
  }

  test.each([
    ['looks at it', 'lstat', placeOf],
    ['moves it away', 'rename', placeOf],
    ['looks at it again', 'lstat', trashOf],
    ['removes it', 'unlink', trashOf],
  ])('touched before the collection %s', async (_, call, path) => {
    await using lease = await user.leases.hold()
    let kept: boolean | undefined
    at(call, path, async () => {
      kept = await lease.add(image.manifest.digest)
    })
    const { deleted } = await runCollection(collector, plan)
    expect(kept).toBe(true)
    expect(deleted).toEqual([])
    await stillThere()
  })

  test('a process that may not change its times leases it after the leases were read', async () => {
    at('rename', placeOf, async () => {
      faults.next = (name, _, path) =>
        name === 'lutimes' && String(path).includes('/blobs/') ? systemError('EPERM') : undefined
      await user.leases.hold({ digests: [image.manifest.digest] })
    })
    const { deleted } = await runCollection(collector, plan)
    expect(deleted).toEqual([])
    await stillThere()
  })

  test('nothing below it is removed while it can be found, whatever the order of the plan', async () => {
    const order: string[] = []
    faults.before = (name, args) => {
      if (name === 'unlink' && String(args[0]).includes('/trash/')) order.push(String(args[0]))
      return undefined
    }
    const drop = [image.layer, image.config, image.manifest].map(
      ({ digest }) => plan.drop.find(dropped => dropped.digest === digest)!,
    )
    expect((await runCollection(collector, { ...plan, drop })).deleted).toHaveLength(3)
    expect(order).toHaveLength(3)
    expect(order[0]).toBe(trashOf(image.manifest.digest))
  })
})

test('many blobs are removed at the same time, but none before all that refer to it are gone', async () => {
  const images: (typeof image)[] = []
  for (let i = 0; i < 40; i++) images.push(await putStoreImage(user, `one of many ${i}`))
  ageBlobs(directory.path, 2 * HOUR)
  const many = await planCollection(collector)
  const [removed, running] = [[] as string[], new Set<string>()]
  let most = 0
  faults.before = (name, args) => {
    const path = String(args[0])
    if (name !== 'unlink' || !path.includes('/trash/')) return undefined
    running.add(path)
    most = Math.max(most, running.size)
    return new Promise<void>(resolve => {
      setImmediate(() => {
        running.delete(path)
        removed.push(path)
        resolve()
      })
    })
  }
  expect((await runCollection(collector, many)).deleted.length).toBeGreaterThanOrEqual(120)
  expect(most).toBeGreaterThan(10)
  const placesOf = (kind: 'manifest' | 'config' | 'layer') =>
    images.map(one => removed.indexOf(trashOf(one[kind].digest)))
  const lastManifest = Math.max(...placesOf('manifest'))
  expect(Math.min(...placesOf('config'), ...placesOf('layer'))).toBeGreaterThan(lastManifest)
})
