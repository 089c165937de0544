import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { cachedStore, openObjectStore } from '../../lib/object-store/index.ts'
import type { Descriptor, ImageManifest } from '../../lib/oci/index.ts'
import { assertComplete, createMemoryStore, type Store } from '../../lib/store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { readAll } from '../helpers/read-all.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { startPlace } from '../helpers/start-place.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'

const KILLS = sweep(102, 2)
/** Processes that are killed at one moment, while one more works on. */
const AT_ONCE = sweep(3, 1)
const AT_WORK = sweep(4, 2)
/** Bytes of a cache: fewer than the load has, so that room is made while processes are killed. */
const CACHED = 30_000

let program: Awaited<ReturnType<typeof bundleChild>>
beforeAll(async () => {
  program = await bundleChild('mixed-load.mjs')
})
afterAll(() => program[Symbol.dispose]())

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

const kinds = [
  { kind: 'in a bucket', kills: KILLS, machines: 0 },
  { kind: 'behind caches of machines', kills: sweep(30, 2), machines: 2 },
]

test.each(kinds)(
  'processes killed $kills times at random moments of a mixed load $kind lose nothing and block no other',
  {
    timeout: 1_200_000,
  },
  async ({ kills, machines }) => {
    const remote = createMemoryStore()
    for (let i = 0; i < 6; i++) {
      const { manifest } = await putStoreImage(remote, Buffer.alloc(3000 * (i + 1), `base ${i % 4}`))
      await remote.references.set(`base:${i}`, manifest)
    }
    await using server = await serveStore(remote)
    await using engine = await startPlace('kill')
    await using store = await openObjectStore(engine.place)
    const caches = Array.from({ length: machines }, (_, i) => memoryDirectory(`kill-cache-${i}`))
    onTestFinished(() => {
      for (const cache of caches) cache[Symbol.dispose]()
    })
    let count = 0
    const next = () => {
      const cache = caches[count % machines]?.path
      return new Worker([JSON.stringify({ ...engine.place, cache, maxBytes: CACHED }), server.host, `p${count++}`])
    }
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
    for (let kill = 0; kill < kills; kill += AT_ONCE) {
      const places = Array.from({ length: AT_ONCE }, (_, i) => (kill + i) % AT_WORK)
      const spares = places.map(next)
      await Promise.all(spares.map(({ ready }) => ready))
      await new Promise(resolve => setTimeout(resolve, Math.random() * 400))
      const victims = places.map(at => atWork[at]!)
      await Promise.all(victims.map(victim => victim.kill()))
      dead.push(...victims)
      for (const [i, at] of places.entries()) atWork[at] = await spares[i]!.begin()
      for (const victim of victims) await expectKept(victim)
    }
    // All live on, and collections that were killed are taken over.
    const before = atWork.map(({ acts }) => acts)
    await expect.poll(() => atWork.every(({ acts }, i) => acts > before[i]!), { timeout: 600_000 }).toBe(true)
    for (const worker of atWork) await worker.kill()
    for (const worker of [...dead, ...atWork]) await expectKept(worker)
    expect(await problemsOf(store)).toEqual([])
    for (const { path } of caches) await expectGoodCache(path, store)
    await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))
    expect((await planCollection(store, { graceMs: 0, force: true })).missing).toEqual([])
    const acts = [...dead, ...atWork].reduce((sum, worker) => sum + worker.acts, 0)
    console.log(`${kills} of ${count} processes killed at work after ${acts} acts`)
  },
)

async function problemsOf(store: Store): Promise<unknown[]> {
  const { problems, faults } = await checkStore(store)
  return [...problems.filter(problem => problem.class !== 'orphan'), ...faults]
}

/** The bytes of a cache are right, and each image is read through it as it is in the bucket. */
async function expectGoodCache(path: string, shared: Store): Promise<void> {
  await using cache = await openStore(path, { durability: 'none' })
  expect(await problemsOf(cache)).toEqual([])
  const store = cachedStore(cache, shared, { maxBytes: CACHED })
  for await (const { descriptor } of store.references.list()) {
    for (const digest of await blobsBelow(store, descriptor)) await readAll(store.read(digest, { verify: 'always' }))
  }
  expect(await problemsOf(cache)).toEqual([])
}

/** The blobs of an image of the load: its manifest, configuration and layers. */
async function blobsBelow(store: Store, { digest }: Descriptor): Promise<Digest[]> {
  const { config, layers } = JSON.parse((await readAll(store.read(digest))).toString()) as ImageManifest
  return [digest, config.digest, ...layers.map(layer => layer.digest)]
}
