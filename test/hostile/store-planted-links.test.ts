import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import type { Descriptor } from '../../lib/oci/index.ts'
import { everyStoreAct } from '../helpers/every-store-act.ts'
import { listTree } from '../helpers/list-tree.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { needs } from '../helpers/needs.ts'
import { descriptorIn, makeUsedStore, moveAway, pathsIn, SWEPT_LAST } from '../helpers/used-store.ts'

let directory: ReturnType<typeof memoryDirectory>
let manifest: Descriptor
let paths: string[]
let cases = 0
const at = (...parts: string[]) => join(directory.path, ...parts)
const THREE_DAYS_AGO = new Date(Date.now() - 3 * 86_400_000)

beforeAll(async () => {
  directory = memoryDirectory('planted')
  await makeUsedStore(at('used'))
  manifest = descriptorIn(at('used'), 'app:1') as unknown as Descriptor
  paths = pathsIn(at('used'))
  needs(keepsAccessTimes(), 'reads through a link are not seen: this file system records no times of access')
})
afterAll(() => directory[Symbol.dispose]())

/** Replaces a path with a link. The original becomes the victim, among files whose loss the test detects. */
function plant(path: string): { store: string; victim: string; plantNow: () => void } {
  const [store, victim] = [at(`store-${++cases}`), at(`victim-${cases}`)]
  cpSync(at('used'), store, { recursive: true, preserveTimestamps: true })
  mkdirSync(join(victim, 'project/sub'), { recursive: true })
  writeFileSync(join(victim, 'project/sub/thesis.txt'), 'precious')
  const plantNow = () => {
    const target = join(victim, basename(path))
    moveAway(store, path, target)
    if (lstatSync(target).isDirectory()) {
      mkdirSync(join(target, 'home/docs'), { recursive: true })
      writeFileSync(join(target, 'home/docs/letter'), 'precious')
      writeFileSync(join(target, `data.1-${'ab'.repeat(6)}.tmp`), 'precious')
      writeFileSync(join(target, 'data'), 'precious')
    }
    symlinkSync(target, join(store, path))
  }
  return { store, victim, plantNow }
}

/** Makes a tree old enough for any sweep; a later read of a file or directory then changes its time of access. */
function age(path: string): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) age(join(path, name))
  utimesSync(path, THREE_DAYS_AGO, THREE_DAYS_AGO)
}

/** Times and link counts that a read, write, link or removal changes. Reads no content. */
function timesIn(victim: string, paths: readonly string[]): string[] {
  return ['.', ...paths].map(path => {
    const { atimeMs, mtimeMs, ctimeMs, nlink } = lstatSync(join(victim, path))
    return `${path} ${atimeMs} ${mtimeMs} ${ctimeMs} ${nlink}`
  })
}

/** True if a read of a file changes its time of access, which these tests use to detect a read through a link. */
function keepsAccessTimes(): boolean {
  writeFileSync(at('probe'), 'x')
  age(at('probe'))
  readFileSync(at('probe'))
  return lstatSync(at('probe')).atimeMs > THREE_DAYS_AGO.getTime()
}

function expectTyped(what: string, error: unknown): void {
  if (error !== undefined) expect(LayerStoreError.is(error), `${what}: ${(error as Error).stack}`).toBe(true)
}

test('a used store has every directory that a store can have, and does all acts', async () => {
  const names = readdirSync(at('used/.layerstore')).sort()
  expect(names).toEqual(
    ['ballast', 'cache', 'facts', 'format.json', 'indexes', 'ingests', 'leases', 'locks', 'quarantine'].concat(
      'removals',
      'trash',
      'unsynced',
    ),
  )
  cpSync(at('used'), at('sound'), { recursive: true, preserveTimestamps: true })
  const outcomes = await everyStoreAct(await openStore(at('sound')), manifest)
  for (const [act, { error }] of Object.entries(outcomes)) expect(error, act).toBeUndefined()
})

test('the store itself may be reached through a link: that is the choice of the user', async () => {
  cpSync(at('used'), at('elsewhere'), { recursive: true })
  symlinkSync(at('elsewhere'), at('link'))
  const outcomes = await everyStoreAct(await openStore(at('link')), manifest)
  for (const [act, { error }] of Object.entries(outcomes)) expect(error, act).toBeUndefined()
})

describe.each(['before the store is opened', 'while the store is open'])('a link that is planted %s', when => {
  test('at any path of the store is not followed by any act, for reading, writing or removing', async () => {
    for (const path of paths) {
      const { store, victim, plantNow } = plant(path)
      if (when === 'before the store is opened') plantNow()
      const opened = await openStore(store, { durability: 'batch', onCorrupt: 'quarantine' }).catch(error => {
        expectTyped(`open ${path}`, error)
        return undefined
      })
      if (when === 'while the store is open') {
        await opened?.put(Buffer.from('before'))
        await expect.poll(() => existsSync(join(store, '.layerstore', SWEPT_LAST))).toBe(false)
        // The sweep has removed this old leftover.
        if (!existsSync(join(store, path))) continue
        plantNow()
      }
      age(victim)
      const [known, tree] = [pathsIn(victim), listTree(victim)]
      age(victim)
      const times = timesIn(victim, known)
      const outcomes = opened ? await everyStoreAct(opened, manifest) : {}
      for (const [act, { error }] of Object.entries(outcomes)) expectTyped(`${act} ${path}`, error)
      expect(timesIn(victim, known), path).toEqual(times)
      expect(listTree(victim), path).toEqual(tree)
    }
  })
})
