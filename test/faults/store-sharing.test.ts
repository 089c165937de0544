import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { tryLock } from '../../lib/internal/locks/lock.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const PROCESSES = sweep(8, 4)
const NAMES = sweep(500, 50)
const PUTS = sweep(40, 12)

let program: Awaited<ReturnType<typeof bundleChild>>
beforeAll(async () => {
  program = await bundleChild('sharing-child.mjs')
})
afterAll(() => program[Symbol.dispose]())

/** Starts a process that runs the named act, step by step as the test tells it; its output arrives line by line. */
function start(act: string, directory: string, ...args: (string | number)[]) {
  const child = spawn(process.execPath, [program.path, act, directory, ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    ended: once(child, 'close').then(([code]) => code as number),
    async hear(): Promise<string> {
      const { value } = await lines.next()
      return value as string
    },
    tell: () => child.stdin.write('go\n'),
  }
}

/** Rewrites a lock or lease as one of another machine that has been silent for two days. */
function makeForeign(path: string): void {
  const record = JSON.parse(readFileSync(path, 'utf8'))
  const foreign = (owner: object) => ({ ...owner, host: 'elsewhere', boot: 'another' })
  writeFileSync(path, JSON.stringify(record.owner ? { ...record, owner: foreign(record.owner) } : foreign(record)))
  const before = new Date(Date.now() - 2 * 86_400_000)
  utimesSync(path, before, before)
}

test(`${PROCESSES} processes set ${NAMES} names each at the same time: all of them are there, and skopeo reads any`, {
  timeout: 240_000,
}, async () => {
  using directory = memoryDirectory('names')
  await using store = await openStore(directory.path)
  const { manifest } = await putStoreImage(store)
  const children = Array.from({ length: PROCESSES }, (_, i) =>
    start('names', directory.path, `p${i}`, NAMES, JSON.stringify(manifest)),
  )
  for (const child of children) expect(await child.hear()).toBe('ready')
  for (const child of children) child.tell()
  const said = await Promise.all(children.map(child => child.hear()))
  for (const child of children) expect(await child.ended).toBe(0)
  const names = new Set<string>()
  for await (const { name, descriptor } of store.references.list()) {
    expect(descriptor.digest).toBe(manifest.digest)
    names.add(name)
  }
  for (let i = 0; i < PROCESSES; i++) for (let n = 0; n < NAMES; n++) expect(names.has(`p${i}:${n}`)).toBe(true)
  expect(names.size).toBe(PROCESSES * NAMES)
  console.log(`${names.size} names in ${said.reduce((sum, line) => sum + Number(line), 0)} rewrites of index.json`)
  if (!needsProgram('skopeo')) return
  for (const name of ['p0:0', `p3:${NAMES / 2}`, `p${PROCESSES - 1}:${NAMES - 1}`]) {
    const { stdout } = await readWithSkopeo(directory.path, name)
    expect(await digestOf(Buffer.from(stdout))).toBe(manifest.digest)
  }
})

async function readWithSkopeo(path: string, name: string): Promise<{ stdout: string }> {
  return { stdout: execFileSync('skopeo', ['inspect', '--raw', `oci:${path}:${name}`], { encoding: 'utf8' }) }
}

test(`ST-09: ${PROCESSES} processes put the same ${PUTS} blobs at once, and a reader never sees one that is not whole`, {
  timeout: 240_000,
}, async () => {
  using directory = memoryDirectory('same')
  await using store = await openStore(directory.path)
  const children = Array.from({ length: PROCESSES }, () => start('puts', directory.path, PUTS))
  for (const child of children) await child.hear()
  const digests = await Promise.all(
    Array.from({ length: PUTS }, (_, i) => digestOf(Buffer.alloc(100_000, `same ${i}`))),
  )
  for (const child of children) child.tell()
  let [running, seen] = [true, 0]
  const ended = Promise.all(children.map(child => child.ended)).then(codes => {
    running = false
    return codes
  })
  while (running) {
    for (const digest of digests) {
      const info = await store.stat(digest)
      if (!info) continue
      expect(info.size).toBe(100_000)
      // The read verifies the bytes.
      expect((await readAll(store.read(digest))).byteLength).toBe(100_000)
      seen++
    }
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(await ended).toEqual(Array(PROCESSES).fill(0))
  expect(new Set(readdirSync(join(directory.path, 'blobs/sha256')))).toEqual(new Set(digests.map(d => d.slice(7))))
  expect(readdirSync(join(directory.path, '.layerstore/ingests')).filter(name => !name.startsWith('put-'))).toEqual([])
  console.log(`ST-09: ${PROCESSES * PUTS} puts of ${PUTS} blobs, read ${seen} times meanwhile`)
  expect(seen).toBeGreaterThan(0)
})

test('ST-10: of two processes that change the same name, each from the digest it saw, one gets ERR_REFERENCE_CONFLICT', async () => {
  using directory = memoryDirectory('swap')
  await using store = await openStore(directory.path)
  const images = await Promise.all(['a', 'b', 'c'].map(text => putStoreImage(store, text)))
  const [first, second, third] = images.map(({ manifest }) => manifest)
  await store.references.set('app:1', first!, { expected: null })
  const others = [second!, third!].map(descriptor =>
    start('swap', directory.path, 'app:1', first!.digest, JSON.stringify(descriptor)),
  )
  for (const child of others) await child.hear()
  for (const child of others) child.tell()
  const said = await Promise.all(others.map(child => child.hear()))
  for (const child of others) await child.ended
  expect(said.sort()).toEqual(['ERR_REFERENCE_CONFLICT', 'app:1'])
  expect([second!.digest, third!.digest]).toContain((await store.references.get('app:1'))?.digest)
  for (const expected of [null, first!.digest]) {
    expect(await thrownBy(() => store.references.set('docker.io/library/app:1', first!, { expected }))).toMatchObject({
      code: 'ERR_REFERENCE_CONFLICT',
    })
  }
  // One refused change must not affect the others of its batch.
  const set = (name: string, expected?: null) => store.references.set(name, first!, { expected })
  const all = await Promise.allSettled([set('x:1'), set('app:1', null), set('x:2', null), set('x:2', null)])
  const [one, taken, ...same] = all.map(({ status }) => status)
  expect([one, taken]).toEqual(['fulfilled', 'rejected'])
  // The two may finish in either order.
  expect(same.sort()).toEqual(['fulfilled', 'rejected'])
})

describe('ST-17: a process that is stopped and continues later', () => {
  const stop = async (pid: number) => {
    process.kill(pid, 'SIGSTOP')
    while (!/\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await new Promise(resolve => setTimeout(resolve, 1))
  }

  test('keeps its lease and everything below, however long that takes, on the same machine', async () => {
    using directory = memoryDirectory('stopped')
    const child = start('lease-then-name', directory.path)
    await child.hear()
    await stop(child.child.pid as number)
    const [lease] = readdirSync(join(directory.path, '.layerstore/leases'))
    const before = new Date(Date.now() - 30 * 86_400_000)
    utimesSync(join(directory.path, '.layerstore/leases', lease!), before, before)
    await using store = await openStore(directory.path)
    const plan = await planCollection(store, { graceMs: 0, force: true })
    expect(plan.drop).toEqual([])
    await runCollection(store, plan)
    process.kill(child.child.pid as number, 'SIGCONT')
    child.tell()
    expect(await child.hear()).toBe('named')
    await child.ended
    expect(await store.references.get('app:1')).toBeDefined()
  })

  test('and was taken for dead by another machine: it names nothing that is gone', async () => {
    using directory = memoryDirectory('stopped')
    const child = start('lease-then-name', directory.path)
    await child.hear()
    await stop(child.child.pid as number)
    const [lease] = readdirSync(join(directory.path, '.layerstore/leases'))
    makeForeign(join(directory.path, '.layerstore/leases', lease!))
    await using store = await openStore(directory.path)
    const { deleted } = await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))
    expect(deleted).toHaveLength(3)
    process.kill(child.child.pid as number, 'SIGCONT')
    child.tell()
    expect(await child.hear()).toBe('ERR_BLOB_NOT_FOUND')
    await child.ended
    expect(await store.references.get('app:1')).toBeUndefined()
  })

  test('finds that its lock was taken, writes nothing under it, and leaves the lock of the other alone', async () => {
    using directory = memoryDirectory('stopped')
    await using store = await openStore(directory.path)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    const child = start('lock', directory.path)
    expect(await child.hear()).toBe('locked')
    await stop(child.child.pid as number)
    const lockPath = join(directory.path, '.layerstore/locks/index')
    expect(await tryLock(lockPath)).toHaveProperty('holder')
    makeForeign(lockPath)
    const mine = await tryLock(lockPath)
    if ('holder' in mine) return expect.unreachable()
    const { ino } = statSync(lockPath)
    process.kill(child.child.pid as number, 'SIGCONT')
    child.tell()
    expect(await child.hear()).toBe('ERR_STORE_LOCKED')
    await child.ended
    expect(statSync(lockPath).ino).toBe(ino)
    expect(await mine.isHeld()).toBe(true)
    await mine.release()
  })
})
