import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { openObjectStore } from '../../lib/object-store/index.ts'
import { assertComplete, createMemoryStore } from '../../lib/store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { createBucket } from '../helpers/create-bucket.ts'
import { startMemoryS3 } from '../helpers/memory-s3.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { needsCephRgw, startCephRgw } from '../helpers/start-ceph-rgw.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { FULL, sweep } from '../helpers/sweep.ts'

const KILLS = sweep(100, 3)
const AT_WORK = sweep(4, 2)

let program: Awaited<ReturnType<typeof bundleChild>>
beforeAll(async () => {
  program = await bundleChild('mixed-load.mjs')
})
afterAll(() => program[Symbol.dispose]())

/** Starts the engine; in full runs the real one. */
async function startEngine() {
  const bucket = `kill-${randomUUID().slice(0, 8)}`
  if (FULL && needsCephRgw()) {
    const engine = await startCephRgw()
    await createBucket(engine, bucket)
    return { place: { ...engine, bucket }, async [Symbol.asyncDispose]() {} }
  }
  const server = await startMemoryS3()
  const { endpoint, settings } = server
  const place = { endpoint, region: settings.region, credentials: settings.key, bucket: server.bucket }
  return { place, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** A process of the mixed load, and the state of each of its names: a digest, no name, or unknown during a change. */
class Worker {
  readonly names = new Map<string, string | undefined>()
  readonly errors: string[] = []
  acts = 0
  readonly ready: Promise<void>
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [program.path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stdin?.on('error', () => undefined)
    this.#child.stderr?.on('data', chunk => this.errors.push(String(chunk)))
    this.#closed = once(this.#child, 'close')
    this.ready = new Promise((resolve, reject) => {
      void this.#closed.then(() => reject(new Error(`died before it was ready: ${this.errors}`)))
      createInterface({ input: this.#child.stdout! }).on('line', line => {
        const [word, name, digest] = line.split(' ') as [string, string, string]
        if (word === 'ready') resolve()
        if (word === 'doing') this.names.set(name, 'unknown')
        if (word === 'name') this.names.set(name, digest)
        if (word === 'gone') this.names.set(name, undefined)
        if (word === 'did') this.acts++
        if (word === 'error') this.errors.push(line)
      })
    })
    this.ready.catch(() => undefined)
  }

  async begin(): Promise<this> {
    await this.ready
    this.#child.stdin?.write('begin\n')
    return this
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

test(`processes killed ${KILLS} times at random moments of a mixed load lose nothing in a bucket and block no process`, {
  timeout: 1_200_000,
}, async () => {
  const remote = createMemoryStore()
  for (let i = 0; i < 6; i++) {
    const { manifest } = await putStoreImage(remote, Buffer.alloc(3000 * (i + 1), `base ${i % 4}`))
    await remote.references.set(`base:${i}`, manifest)
  }
  await using server = await serveStore(remote)
  await using engine = await startEngine()
  await using store = await openObjectStore(engine.place)
  let count = 0
  const next = () => new Worker([JSON.stringify(engine.place), server.host, `p${count++}`])
  const atWork = await Promise.all(Array.from({ length: AT_WORK }, () => next().begin()))
  const dead: Worker[] = []
  const expectKept = async ({ names, errors }: Worker) => {
    expect(errors).toEqual([])
    for (const [name, digest] of names) {
      const descriptor = await store.references.get(name)
      if (digest !== 'unknown') expect(descriptor?.digest, name).toBe(digest)
      if (descriptor) await assertComplete(store, descriptor)
    }
  }
  for (let kills = 0; kills < KILLS; kills++) {
    const spare = next()
    await spare.ready
    await new Promise(resolve => setTimeout(resolve, Math.random() * 400))
    const at = kills % AT_WORK
    const victim = atWork[at] as Worker
    await victim.kill()
    dead.push(victim)
    atWork[at] = await spare.begin()
    await expectKept(victim)
  }
  // All live on, and collections that were killed are taken over.
  const before = atWork.map(({ acts }) => acts)
  await expect.poll(() => atWork.every(({ acts }, i) => acts > before[i]!), { timeout: 120_000 }).toBe(true)
  for (const worker of atWork) await worker.kill()
  for (const worker of [...dead, ...atWork]) await expectKept(worker)
  const { problems, faults } = await checkStore(store)
  expect(problems.filter(problem => problem.class !== 'orphan')).toEqual([])
  expect(faults).toEqual([])
  await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))
  expect((await planCollection(store, { graceMs: 0, force: true })).missing).toEqual([])
  const acts = [...dead, ...atWork].reduce((sum, worker) => sum + worker.acts, 0)
  console.log(`${KILLS} of ${count} processes killed at work after ${acts} acts`)
})
