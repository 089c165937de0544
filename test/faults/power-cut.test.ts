import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
import { beforeThisBoot } from '../helpers/before-this-boot.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { mount } from '../helpers/mount.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'

/** Number of power cuts per durability. */
const CUTS = sweep(12, 3)
const canRun = needsRoot() && needsProgram('mkfs.ext4') && needsProgram('losetup')

let program: Awaited<ReturnType<typeof bundleChild>>
beforeAll(async () => {
  program = await bundleChild('power-cut-load.mjs')
})
afterAll(() => program[Symbol.dispose]())

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
/** Checks every thread: a thread in the middle of a sync finishes it first. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every(task => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
  })
}

/** Acknowledged operations at the time of the power cut. */
interface Cut {
  readonly image: string
  readonly said: readonly string[]
}

/**
 * Runs a process on a file system in a file, and copies that file at random moments. The copy has what the disk would
 * have, and nothing that the system still holds in memory. The process is stopped during the copy, so that the copy
 * shows one moment.
 */
async function cutPower(directory: string, durability: string): Promise<Cut[]> {
  const disk = join(directory, 'disk.img')
  execFileSync('truncate', ['-s', '64M', disk])
  execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0,nodiscard', disk])
  // Disables ext4's rescue of programs that do not sync (`auto_da_alloc`) and its commit every five seconds.
  using mounted = mount(join(directory, 'mnt'), '-o', 'loop,commit=1000,noauto_da_alloc', disk)
  const child = spawn(process.execPath, [program.path, join(mounted.path, 'store'), durability])
  const closed = once(child, 'close')
  const said: string[] = []
  let rest = ''
  let errors = ''
  child.stdout.on('data', chunk => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    said.push(...lines)
  })
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const cuts: Cut[] = []
  // Each cut then finds a name, however slow the machine is.
  while (!said.some(line => line.startsWith('name ')) && child.exitCode === null) await pause(5)
  for (let i = 0; i < CUTS && child.exitCode === null; i++) {
    await pause(20 + Math.random() * 150)
    child.kill('SIGSTOP')
    while (!isStopped(child.pid as number)) await pause(1)
    // The output of the process is in the pipe; after this pause all of it has been read.
    await pause(10)
    const image = join(directory, `cut${i}.img`)
    execFileSync('cp', ['--sparse=always', disk, image])
    cuts.push({ image, said: [...said] })
    child.kill('SIGCONT')
  }
  child.kill('SIGKILL')
  await closed
  expect(errors).toBe('')
  return cuts
}

/** Derives the expected names from the output; the state of a name that was being changed is unknown. */
function promisesOf(said: readonly string[]) {
  const names = new Map<string, string | undefined>()
  const doubtful = new Set<string>()
  for (const [word, name, digest] of said.map(line => line.split(' ') as [string, string, string])) {
    if (word === 'doing') doubtful.add(name)
    if (word === 'name') names.set(name, digest)
    if (word === 'gone') names.delete(name)
  }
  return { names, doubtful, blobs: said.flatMap(line => (line.startsWith('blob ') ? [line.slice(5)] : [])) }
}

/** Reads everything. Resolves to the digests of intact blobs and the number of damaged ones. */
async function readEverything(store: Store): Promise<{ right: Set<string>; torn: number }> {
  const right = new Set<string>()
  let torn = 0
  for await (const { digest } of store.list()) {
    try {
      for await (const _ of store.read(digest, { onCorrupt: 'report' })) void _
      right.add(digest)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_BLOB_CORRUPT' })
      torn++
    }
  }
  return { right, torn }
}

/** Blobs acknowledged since the last possible collection. */
function blobsThatStay(said: readonly string[]): string[] {
  const since = said.findLastIndex(line => line.startsWith('doing') || line.startsWith('gone') || line === 'collected')
  const collecting = since >= 0 && said[since] !== 'collected'
  return collecting ? [] : promisesOf(said.slice(since + 1)).blobs
}

/**
 * Changes the boot id and times in the records: a machine has another boot id after a power cut, and here it is the
 * same machine.
 */
function rewriteBoot(path: string): void {
  const markers = join(path, '.layerstore/unsynced')
  for (const name of existsSync(markers) ? readdirSync(markers) : []) {
    const text = readFileSync(join(markers, name), 'utf8')
    writeFileSync(join(markers, name), JSON.stringify({ ...JSON.parse(text), boot: 'before the power cut' }))
    utimesSync(join(markers, name), beforeThisBoot(), beforeThisBoot())
  }
}

async function expectNames(store: Store, said: readonly string[]): Promise<number> {
  const { names, doubtful } = promisesOf(said)
  for (const [name, digest] of names) {
    if (doubtful.has(name)) continue
    expect((await store.references.get(name))?.digest, name).toBe(digest)
  }
  let count = 0
  for await (const { descriptor } of store.references.list()) {
    await assertComplete(store, descriptor)
    count++
  }
  return count
}

/**
 * Makes files older by the minute that a restart takes: a lock whose content never reached the disk is respected for
 * that time.
 */
function letTimePass(path: string): void {
  const locks = join(path, '.layerstore/locks')
  const before = new Date(Date.now() - 120_000)
  for (const name of existsSync(locks) ? readdirSync(locks) : []) utimesSync(join(locks, name), before, before)
}

/** Mounts a copy, so that the file system replays its journal, and runs `look` in it. */
async function afterwards<T>(directory: string, { image }: Cut, look: (path: string) => Promise<T>): Promise<T> {
  using mounted = mount(join(directory, 'after'), '-o', 'loop', image)
  const path = join(mounted.path, 'store')
  letTimePass(path)
  return await look(path)
}

describe.skipIf(!canRun)('ST-02: after a power cut', () => {
  test('acknowledged blobs are whole, no name leads to a partial blob, and no name outlives its blobs', async () => {
    using directory = memoryDirectory('power')
    const cuts = await cutPower(directory.path, 'full')
    expect(cuts).toHaveLength(CUTS)
    let [blobs, names] = [0, 0]
    for (const cut of cuts) {
      await afterwards(directory.path, cut, async path => {
        const store = await openStore(path)
        const { right, torn } = await readEverything(store)
        expect(torn).toBe(0)
        names += await expectNames(store, cut.said)
        blobs += right.size
        for (const digest of blobsThatStay(cut.said)) expect(right).toContain(digest)
        // No leftover blocks a new image.
        const { manifest } = await putStoreImage(store, 'after')
        await store.references.set('after:1', manifest)
        await store.close()
      })
    }
    console.log(`${CUTS} power cuts: ${names} names and ${blobs} blobs were there and right`)
    expect(blobs).toBeGreaterThan(CUTS)
  })

  test('with durability batch every name that was acknowledged is there with its blobs, and torn blobs are moved to quarantine', async () => {
    using directory = memoryDirectory('power')
    const cuts = await cutPower(directory.path, 'batch')
    let names = 0
    for (const cut of cuts) {
      await afterwards(directory.path, cut, async path => {
        rewriteBoot(path)
        const store = await openStore(path)
        expect((await readEverything(store)).torn).toBe(0)
        names += await expectNames(store, cut.said)
        await store.close()
      })
    }
    console.log(`${CUTS} power cuts in batches: ${names} names were there and right`)
    expect(names).toBeGreaterThanOrEqual(CUTS)
  })

  test('without durability something is lost: the cut is a real one', async () => {
    using directory = memoryDirectory('power')
    const cuts = await cutPower(directory.path, 'none')
    let lost = 0
    for (const cut of cuts) {
      lost += await afterwards(directory.path, cut, async path => {
        const store = await openStore(path).catch(() => undefined)
        if (!store) return 1
        const { right, torn } = await readEverything(store)
        await store.close()
        return torn + promisesOf(cut.said).blobs.filter(digest => !right.has(digest)).length
      })
    }
    expect(lost).toBeGreaterThan(0)
  })
})
