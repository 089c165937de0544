import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CacheMountSpec, collectCacheMounts, listCacheMounts, openCacheMount } from '../../lib/sandbox/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let place: ReturnType<typeof temporaryDirectory>
let caches: string
beforeEach(() => {
  place = temporaryDirectory('caches')
  caches = join(place.path, 'caches')
})
afterEach(() => place[Symbol.dispose]())

function open(sharing: CacheMountSpec['sharing'], spec: Partial<CacheMountSpec> = {}, signal?: AbortSignal) {
  return openCacheMount(caches, { id: 'x', sharing, create: path => mkdir(path), ...spec }, { signal })
}

/** Opens a mount with a file in it and releases it, so that it was last used some hours ago. */
async function usedHoursAgo(id: string, hours: number): Promise<string> {
  const { path, release } = await open('shared', { id })
  writeFileSync(join(path, 'f'), 'x'.repeat(8192))
  await release()
  const then = new Date(Date.now() - hours * 3_600_000)
  utimesSync(join(path, '../about.json'), then, then)
  return path
}

describe('a cache mount', () => {
  test('keeps its files, and is created once', async () => {
    const first = await open('shared')
    writeFileSync(join(first.path, 'f'), '1')
    await first.release()
    await first.release()
    const again = await open('shared', { create: () => Promise.reject(new Error('created again')) })
    expect(readFileSync(join(again.path, 'f'), 'utf8')).toBe('1')
    await again.release()
  })

  test('that is shared is one directory for all', async () => {
    const both = await Promise.all([open('shared'), open('shared')])
    expect(both[0].path).toBe(both[1].path)
    const alone = await open('private')
    expect(alone.path).not.toBe(both[0].path)
    for (const one of [...both, alone]) await one.release()
  })

  test('that is private is another directory only while another step uses the first', async () => {
    const [one, two] = [await open('private'), await open('private')]
    expect(one.path).not.toBe(two.path)
    const shared = await open('shared')
    expect([one.path, two.path]).not.toContain(shared.path)
    for (const each of [one, two, shared]) await each.release()
    const again = await open('private')
    expect(again.path).toBe(one.path)
    await again.release()
  })

  test('that is locked lets the second step wait', async () => {
    const events: string[] = []
    const one = await open('locked')
    const waiting = open('locked').then(async two => {
      events.push('second')
      expect(two.path).toBe(one.path)
      await two.release()
    })
    // The second one has looked at least once when a third one, which comes later, has been refused a look.
    await expect(open('locked', {}, AbortSignal.timeout(50))).rejects.toThrow('timeout')
    events.push('released')
    await one.release()
    await waiting
    expect(events).toEqual(['released', 'second'])
  })

  test.each(['locked', 'private'] as const)('that is %s is free at once if its process is killed', async sharing => {
    using child = await bundleChild('cache-mount-child.mjs')
    const holder = spawn(process.execPath, [child.path, caches, sharing], { stdio: ['ignore', 'pipe', 'inherit'] })
    const path = String((await once(holder.stdout, 'data'))[0]).trim()
    const other = await open('private')
    expect(other.path).not.toBe(path)
    const waiting = open(sharing === 'locked' ? 'locked' : 'shared')
    holder.kill('SIGKILL')
    await once(holder, 'close')
    const mine = await waiting
    if (sharing === 'locked') expect(mine.path).toBe(path)
    await mine.release()
    await other.release()
    expect((await listCacheMounts(caches)).map(({ inUse }) => inUse)).toEqual([false])
  })

  test('with other files to begin with is another one', async () => {
    const seeded = (seed: string) =>
      open('shared', {
        seed,
        create: async path => {
          mkdirSync(path)
          writeFileSync(join(path, 'f'), seed)
        },
      })
    const mounts = [await seeded('1'), await seeded('2'), await seeded('1')]
    expect(mounts.map(({ path }) => readFileSync(join(path, 'f'), 'utf8'))).toEqual(['1', '2', '1'])
    expect(mounts[2]!.path).toBe(mounts[0]!.path)
    for (const one of mounts) await one.release()
  })

  test('that could not be created leaves nothing, and the next step creates it', async () => {
    const create = async (path: string) => {
      mkdirSync(path)
      writeFileSync(join(path, 'half'), '')
      throw new Error('disk full')
    }
    await expect(open('locked', { create })).rejects.toThrow('disk full')
    const next = await open('locked')
    expect(readdirSync(next.path)).toEqual([])
    await next.release()
  })

  test.each(['..', '/', '../../etc', 'x'.repeat(5000), '\0'])('with the id %j stays in its directory', async id => {
    const one = await open('shared', { id })
    expect(join(one.path, '../..')).toBe(caches)
    await one.release()
    expect((await listCacheMounts(caches)).map(({ about }) => about)).toEqual([id])
  })

  test('does not follow a link in the place of its directory', async () => {
    const { path, release } = await open('shared')
    await release()
    const outside = join(place.path, 'outside')
    mkdirSync(outside)
    for (const at of ['caches', 'other']) {
      const directory = join(place.path, `linked-${at}`)
      if (at === 'caches') symlinkSync(outside, directory)
      else {
        mkdirSync(directory)
        symlinkSync(outside, join(directory, path.split('/').at(-2)!))
      }
      const spec = { id: 'x', sharing: 'shared', create: (to: string) => mkdir(to) } as const
      expect(await thrownBy(() => openCacheMount(directory, spec))).toMatchObject({ code: 'ERR_SANDBOX_DIRECTORY' })
    }
    expect(readdirSync(outside)).toEqual([])
  })
})

describe('a collection of cache mounts', () => {
  test('removes what was not used for long, and the least recently used until the rest fits', async () => {
    const [old, middle, young] = [
      await usedHoursAgo('old', 3),
      await usedHoursAgo('middle', 2),
      await usedHoursAgo('young', 1),
    ]
    const hours = 3_600_000
    const planned = await collectCacheMounts(caches, { maxAgeMs: 2.5 * hours, dryRun: true })
    expect(planned.dropped).toMatchObject([{ about: 'old', why: 'not used for longer than 150 minutes' }])
    expect(existsSync(old)).toBe(true)
    const { dropped, kept, bytesFreed } = await collectCacheMounts(caches, { maxAgeMs: 2.5 * hours })
    expect(dropped.map(({ about }) => about)).toEqual(['old'])
    expect(kept.map(({ about }) => about)).toEqual(['young', 'middle'])
    expect(bytesFreed).toBeGreaterThanOrEqual(8192)
    const fit = kept[0]!.bytes
    expect((await collectCacheMounts(caches, { maxBytes: fit })).dropped).toMatchObject([{ about: 'middle' }])
    expect([old, middle, young].map(existsSync)).toEqual([false, false, true])
    expect((await collectCacheMounts(caches)).dropped).toEqual([])
    expect(readdirSync(caches).filter(name => name !== 'locks')).toHaveLength(1)
  })

  test('keeps a mount that a step uses, and one that was used since it was listed', async () => {
    await usedHoursAgo('held', 3)
    const held = await open('shared', { id: 'held' })
    const then = new Date(Date.now() - 10_000_000)
    utimesSync(join(held.path, '../about.json'), then, then)
    expect((await collectCacheMounts(caches, { maxBytes: 0 })).dropped).toEqual([])
    await held.release()
    expect((await collectCacheMounts(caches, { maxBytes: 0 })).dropped).toHaveLength(1)
    expect(await listCacheMounts(caches)).toEqual([])
  })

  test('refuses a limit that is no number, and has nothing to do where there are none', async () => {
    expect(await thrownBy(() => collectCacheMounts(caches, { maxBytes: -1 }))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
    expect(await collectCacheMounts(caches, { maxBytes: 0 })).toEqual({ dropped: [], kept: [], bytesFreed: 0 })
    expect(existsSync(caches)).toBe(false)
  })
})

test('a mount whose holders cannot be read is not removed: the collection fails', async () => {
  const path = await usedHoursAgo('x', 5)
  const holders = join(path, '../holders')
  rmSync(holders, { recursive: true })
  writeFileSync(holders, '')
  await expect(collectCacheMounts(caches, { maxBytes: 0 })).rejects.toMatchObject({ code: 'ENOTDIR' })
  expect(readdirSync(path)).toEqual(['f'])
})
