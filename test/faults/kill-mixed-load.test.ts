import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { assertComplete, createMemoryStore } from '../../lib/store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'

/** Number of processes that are killed. */
const KILLS = sweep(100, 5)
const AT_WORK = 4
const ACTS = ['pull', 'assemble', 'tag', 'untag', 'collect']
/** Processes that wait to replace a killed one. */
const SPARE = 3

let program: Awaited<ReturnType<typeof bundleChild>>
beforeAll(async () => {
  program = await bundleChild('mixed-load.mjs')
})
afterAll(() => program[Symbol.dispose]())

/** Acknowledged state of each name of a process: a digest, no name, or unknown (killed while changing it). */
type Promises = Map<string, string | undefined | 'unknown'>

class Worker {
  readonly errors: string[] = []
  readonly did = new Map<string, number>()
  readonly ready: Promise<void>
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>

  constructor(args: readonly string[], promises: Promises) {
    this.#child = spawn(process.execPath, [program.path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stderr?.on('data', chunk => this.errors.push(String(chunk)))
    // The process may be killed before it has read the command to begin.
    this.#child.stdin?.on('error', () => undefined)
    this.#closed = once(this.#child, 'close')
    this.ready = new Promise((resolve, reject) => {
      void this.#closed.then(() => reject(new Error(`died before it was ready: ${this.errors}`)))
      createInterface({ input: this.#child.stdout! }).on('line', line => {
        const [word, name, digest] = line.split(' ') as [string, string, string]
        if (word === 'ready') resolve()
        if (word === 'doing') promises.set(name, 'unknown')
        if (word === 'name') promises.set(name, digest)
        if (word === 'gone') promises.set(name, undefined)
        if (word === 'did') this.did.set(name, (this.did.get(name) ?? 0) + 1)
        if (word === 'error') this.errors.push(line)
      })
    })
    // A spare process may end before the test awaits it.
    this.ready.catch(() => undefined)
  }

  async begin(): Promise<void> {
    await this.ready
    this.#child.stdin?.write('begin\n')
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

/** Expects the acknowledged state of one process to hold while all other processes run. */
async function expectKept(path: string, promises: Promises): Promise<number> {
  await using store = await openStore(path)
  let checked = 0
  for (const [name, promised] of promises) {
    const descriptor = await store.references.get(name)
    if (promised !== 'unknown') expect(descriptor?.digest, name).toBe(promised)
    if (!descriptor) continue
    // The graph of the name is complete. No live process changes names of a killed one, so none of its blobs may be
    // removed.
    await assertComplete(store, descriptor)
    checked++
  }
  return checked
}

test(`killed ${KILLS} times at random moments of a mixed load of four processes, the store loses nothing and blocks no process`, {
  timeout: 600_000,
}, async () => {
  using directory = memoryDirectory('mixed')
  const remote = createMemoryStore()
  for (let i = 0; i < 6; i++) {
    const { manifest } = await putStoreImage(remote, Buffer.alloc(3000 * (i + 1), `base ${i % 4}`))
    await remote.references.set(`base:${i}`, manifest)
  }
  await using server = await serveStore(remote)
  await (await openStore(directory.path)).close()
  const promises: Promises[] = []
  const done = new Map<string, number>()
  const start = (me: string) => {
    const mine: Promises = new Map()
    const worker = new Worker([directory.path, server.host, me], mine)
    return { me, mine, worker }
  }
  const end = async ({ worker, mine }: ReturnType<typeof start>) => {
    await worker.kill()
    expect(worker.errors).toEqual([])
    for (const [act, count] of worker.did) done.set(act, (done.get(act) ?? 0) + count)
    promises.push(mine)
  }

  let names = 0
  let count = 0
  const next = () => start(`p${count++}`)
  const atWork = Array.from({ length: AT_WORK }, next)
  await Promise.all(atWork.map(({ worker }) => worker.begin()))
  const spares = Array.from({ length: SPARE }, next)
  for (let kills = 0; kills < KILLS; kills++) {
    const spare = spares.shift()!
    await spare.worker.ready
    await new Promise(resolve => setTimeout(resolve, Math.random() * 40))
    const at = Math.floor(Math.random() * AT_WORK)
    const victim = atWork[at]!
    await end(victim)
    atWork[at] = spare
    await spare.worker.begin()
    spares.push(next())
    names += await expectKept(directory.path, victim.mine)
  }
  // On a busy machine the killed ones may not have come to every act.
  const hasDone = (act: string) => done.has(act) || atWork.some(({ worker }) => worker.did.has(act))
  await expect.poll(() => ACTS.filter(act => !hasDone(act))).toEqual([])
  await Promise.all([...atWork, ...spares].map(end))

  for (const mine of promises) names += await expectKept(directory.path, mine)
  const store = await openStore(directory.path)
  const report = await checkStore(store)
  expect(report.problems.filter(problem => problem.class !== 'orphan')).toEqual([])
  expect(report.faults).toEqual([])
  const before = report.blobs
  // Leftovers of killed processes block no operation: names can be set, garbage and unfinished uploads can be removed.
  const { manifest } = await putStoreImage(store, 'after')
  await store.references.set('after:1', manifest)
  await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))
  expect(readdirSync(join(directory.path, '.layerstore/trash'))).toEqual([])
  await store.close()
  expect(readdirSync(join(directory.path, '.layerstore/locks')).filter(name => !name.endsWith('.tmp'))).toEqual([])
  const acts = [...done].map(([act, times]) => `${act} ${times}`).join(', ')
  console.log(`${KILLS} of ${count} processes killed at work (${acts}); ${names} names and ${before} blobs were right`)
})
