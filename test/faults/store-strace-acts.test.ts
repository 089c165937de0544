import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { assertComplete, createMemoryStore, type Store } from '../../lib/store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { StraceWorker } from '../helpers/strace-worker.ts'
import { FULL, places } from '../helpers/sweep.ts'

const missing = !needsProgram('strace')
const CODES = ['ENOSPC', 'EIO', 'EMFILE', 'EACCES']

type Act = 'pull' | 'push' | 'assemble'
const CHANGES = ['openat', 'pwrite64', 'fsync', 'fdatasync', 'link', 'rename', 'mkdir', 'unlink']
/** System calls of each operation on the store: a push reads blobs, records facts, and holds a lease. */
const CALLS: Record<Act, readonly string[]> = {
  pull: CHANGES,
  assemble: CHANGES,
  push: ['openat', 'pread64', 'fdatasync', 'rename', 'mkdir', 'unlink'],
}
const CASES = Object.entries(CALLS).flatMap(([act, calls]) =>
  calls.map((call, i) => [act as Act, call, act.length + i] as const),
)

let program: Awaited<ReturnType<typeof bundleChild>>
let template: ReturnType<typeof memoryDirectory>
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>
let warm: ReturnType<typeof memoryDirectory>
/** PERF: a process starts while the previous one works. */
let next: StraceWorker
beforeAll(async () => {
  program = await bundleChild('strace-child.mjs')
  template = memoryDirectory('strace-template')
  const store = await openStore(template.path)
  await sampleImage(store, [{ first: 'a' }, { second: Buffer.alloc(70_000, 'b') }], { name: 'first:1' })
  await store.close()
  remote = createMemoryStore()
  await sampleImage(remote, [{ base: 'c' }, { top: Buffer.alloc(70_000, 'd') }], { name: 'there:1' })
  server = await serveStore(remote)
  warm = memoryDirectory('strace-warm')
  next = startWorker()
})
afterAll(async () => {
  await next?.end()
  warm?.[Symbol.dispose]()
  await server?.[Symbol.asyncDispose]()
  program?.[Symbol.dispose]()
  template?.[Symbol.dispose]()
})

const startWorker = () => new StraceWorker(program.path, warm.path)
function takeWorker(): StraceWorker {
  const worker = next
  next = startWorker()
  return worker
}

let pushes = 0
/** Arguments of a child process: a push uses a repository without any of the blobs. */
const told = (directory: string, act: Act) =>
  [directory, act, act === 'pull' ? `${server.host}/there:1` : `${server.host}/pushed${++pushes}:1`].join(' ')

/**
 * Expects all content to be correct, all acknowledged content to exist, and the next process to complete the same work.
 */
async function expectSound(path: string, said: readonly string[]): Promise<void> {
  const store = await openStore(path, { hasher: 'native', durability: 'none' })
  for await (const { digest } of store.list()) for await (const _ of store.read(digest)) void _
  const names = new Set<string>()
  for await (const { name, descriptor } of store.references.list()) {
    await assertComplete(store, descriptor)
    names.add(name)
  }
  expect(names).toContain('first:1')
  for (const line of said) {
    if (line.startsWith('name ')) expect(names).toContain(line.slice(5))
    if (line.startsWith('pushed ')) {
      const pushed = await remote.references.get(line.slice(7 + server.host.length + 1))
      await assertComplete(remote, pushed!)
    }
  }
  const layer = await writeLayer(store, [{ path: 'after', type: 'file', content: 'x' }])
  await store.references.set('after:1', (await composeImage(store, { layers: [layer] })).descriptor)
  await store.close()
}

async function inCopy<T>(act: (path: string) => Promise<T>): Promise<T> {
  using directory = memoryDirectory('strace')
  cpSync(template.path, directory.path, { recursive: true, preserveTimestamps: true })
  return await act(directory.path)
}

const counted = new Map<Act, Promise<Map<string, number>>>()

/** Counts the uses of a system call by an operation, in the thread that makes them. */
async function usesOf(act: Act, call: string): Promise<number> {
  const uses = counted.get(act) ?? countUses(act)
  counted.set(act, uses)
  return (await uses).get(call) ?? 0
}

const countUses = (act: Act) =>
  inCopy(async path => {
    using logs = memoryDirectory('strace-log')
    const log = join(logs.path, 'log')
    const worker = takeWorker()
    // Counts from the moment when the process is ready, as later runs do, with a fault that never fires.
    await worker.run(told(path, act), CALLS[act].join(','), 'error=EIO', 65_535, log)
    await worker.end()
    const lines = readFileSync(log, 'utf8').split('\n')
    return new Map(CALLS[act].map(call => [call, lines.filter(line => line.includes(`${call}(`)).length]))
  })

/**
 * Selects the uses that fail: all in CI; otherwise one in four for calls that change nothing, and one for the others.
 */
const numbers = (call: string, last: number, turn: number) =>
  places(last, 1, turn).filter(n => !FULL || call !== 'openat' || n % 4 === 1)

/** The codes take turns. */
const codeAt = (n: number) => CODES[n % CODES.length]!

describe.skipIf(missing)('ST-01: a process that is killed at any system call of an act', () => {
  test.each(CASES)(
    '%s, at the n-th %s: the store keeps what it acknowledged',
    { timeout: 600_000 },
    async (act, call, turn) => {
      let killed = 0
      const uses = await usesOf(act, call)
      // strace counts the uses of each thread separately, so only the first use is certain to fail.
      for (const n of [...numbers(call, uses, turn), 1]) {
        if (killed > 0 && n === 1) break
        const worker = takeWorker()
        await inCopy(async path => {
          const run = await worker.run(told(path, act), call, 'signal=KILL', n)
          await worker.end()
          if (run.killed) killed++
          await expectSound(path, run.said)
        })
      }
      console.log(`${act}: killed at ${killed} of ${uses} uses of ${call}`)
      expect(killed).toBeGreaterThan(0)
    },
  )
})

describe.skipIf(missing)('ST-03, ST-04, ST-05: a system call of an act that fails once', () => {
  let worker: StraceWorker
  beforeAll(() => {
    worker = takeWorker()
  })
  afterAll(() => worker?.end())

  test.each(CASES)(
    '%s, the n-th %s: a typed error or none, and the store stays sound',
    { timeout: 600_000 },
    async (act, call, turn) => {
      const uses = await usesOf(act, call)
      let [runs, complaints] = [0, 0]
      for (const n of numbers(call, uses, turn)) {
        await inCopy(async path => {
          const { said, killed } = await worker.run(told(path, act), call, `error=${codeAt(n + turn)}`, n)
          expect(killed).toBe(false)
          expect(said.join('\n')).not.toContain('failed false')
          runs++
          if (said.some(line => line.startsWith('failed true'))) complaints++
          await expectSound(path, said)
        })
      }
      console.log(`${act}: ${call} made to fail ${runs} times of ${uses} uses; ${complaints} times somebody was told`)
      expect(runs).toBeGreaterThan(0)
    },
  )
})
