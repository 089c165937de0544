import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { createRegistryClient } from '../../lib/registry/index.ts'
import { assertComplete, createMemoryStore, type Lease, type Store } from '../../lib/store/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { ageBlobs } from '../helpers/age-blobs.ts'
import { faults } from '../helpers/faulty-fs.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
vi.mock('../../lib/disk-store/blobs/calls-at-once.ts', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

/**
 * Distance between the calls at which one party is stopped; a collection makes more calls than an act. The acts begin
 * at different calls, so that together they meet a collection at each of its calls.
 */
const STEPS = { act: sweep(1, 8), collection: sweep(2, 48) }
/** Time after which the stopped party resumes although the other waits for its lock. */
const PATIENCE_MS = 20
const HOUR = 3_600_000
const file = { path: 'f', type: 'file', content: 'what was stored before' } as const

type Image = Awaited<ReturnType<typeof putStoreImage>>
interface Scene {
  readonly user: Store
  readonly image: Image
  readonly lease: Lease
}

/** Serves the image that the collection removes. */
let server: Awaited<ReturnType<typeof serveStore>>

/** Acts that hold a lease. Each resolves to the digests that it may rely on from then on. */
const ACTS: Record<string, (scene: Scene) => Promise<readonly string[]>> = {
  'put again': async ({ user }) => [(await user.put(Buffer.from('going'))).digest],
  'put by digest': async ({ user, image }) => {
    return [(await user.put(Buffer.from('going'), { digest: image.layer.digest })).digest]
  },
  'commit again': async ({ user }) => {
    const writer = await user.ingest('key')
    await writer.write(Buffer.from('going'))
    return [(await writer.commit()).digest]
  },
  'lease what is there': async ({ user, image, lease }) => {
    const kept = await lease.add(image.manifest.digest)
    if (!kept) return []
    await assertComplete(user, image.manifest)
    return Object.values(image).map(({ digest }) => digest)
  },
  'hold and name': async ({ user, image }) => {
    const digests = Object.values(image).map(({ digest }) => digest)
    await using _ = await user.leases.hold({ digests })
    return nameIfWhole(user, image.manifest)
  },
  name: ({ user, image }) => nameIfWhole(user, image.manifest),
  pull: async ({ user, image }) => {
    await using registry = createRegistryClient({ credentials: false })
    const plan = await planPull(registry, user, `${server.host}/app:1`, { name: 'pulled:1' })
    await runPull(plan)
    return Object.values(image).map(({ digest }) => digest)
  },
  // The plan finds the name, compares the digests, and reads the manifest of an image that the collection removes.
  'pull over a name': async ({ user, image }) => {
    await using registry = createRegistryClient({ credentials: false })
    await runPull(await planPull(registry, user, `${server.host}/app:1`, { name: 'app:1' }))
    return Object.values(image).map(({ digest }) => digest)
  },
  assemble: async ({ user }) => {
    const layers = [await writeLayer(user, [file]), await writeLayer(user, [{ ...file, path: 'g' }])]
    const { descriptor, manifest } = await composeImage(user, { layers })
    await user.references.set('made:1', descriptor)
    return [descriptor, manifest.config, ...manifest.layers].map(({ digest }) => digest)
  },
}

/** Setting a name may fail, because the image was garbage; a name never refers to an incomplete image. */
async function nameIfWhole(user: Store, descriptor: Image['manifest']): Promise<string[]> {
  try {
    await user.references.set('named:1', descriptor)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
    return []
  }
  await assertComplete(user, descriptor)
  return [descriptor.digest]
}

/**
 * Runs one party, and starts the other at the n-th file system call of the first. Resolves to whether that call came.
 */
async function meet(act: (scene: Scene) => Promise<readonly string[]>, first: 'act' | 'collection', n: number) {
  using directory = memoryDirectory('interleavings')
  const user = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  const collector = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  await user.references.set('app:1', (await putStoreImage(user, 'named')).manifest)
  const image = await putStoreImage(user, 'going')
  await writeLayer(user, [file])
  ageBlobs(directory.path, 2 * HOUR)
  const plan = await planCollection(collector)
  expect(plan.drop.length).toBeGreaterThan(3)
  const lease = await user.leases.hold()
  const doAct = () => act({ user, image, lease })
  const collect = () => runCollection(collector, plan)
  let second: Promise<unknown> | undefined
  let count = 0
  faults.before = () => {
    count++
    if (count !== n) return undefined
    faults.before = () => undefined
    second = first === 'act' ? collect() : doAct()
    second.catch(() => undefined)
    return Promise.race([second.catch(() => undefined), new Promise(resolve => setTimeout(resolve, PATIENCE_MS))])
  }
  const done = await (first === 'act' ? doAct() : collect())
  faults.reset()
  const other = await second
  const relied = (first === 'act' ? done : other) as readonly string[] | undefined
  const store = await openStore(directory.path, { durability: 'none' })
  for (const digest of relied ?? []) expect(await store.stat(digest as never), `${digest} at ${n}`).toBeDefined()
  for await (const { descriptor } of store.references.list()) await assertComplete(store, descriptor)
  await lease.release()
  for (const open of [store, user, collector]) await open.close()
  return second !== undefined
}

beforeAll(async () => {
  const remote = createMemoryStore()
  await remote.references.set('app:1', (await putStoreImage(remote, 'going')).manifest)
  server = await serveStore(remote)
})
afterAll(() => server[Symbol.asyncDispose]())
afterEach(() => faults.reset())

const cases = Object.keys(ACTS).flatMap(name => (['act', 'collection'] as const).map(first => [name, first] as const))
test.each(cases)(
  'GC-08: %s, while a collection runs: the %s is stopped at its calls for the other',
  {
    timeout: 600_000,
  },
  async (name, first) => {
    const step = STEPS[first]
    let met = 0
    for (let n = 1 + (name.length % Math.min(step, 4)); await meet(ACTS[name]!, first, n); n += step) met++
    console.log(`${name}: ${met} meetings, the ${first} first`)
    expect(met).toBeGreaterThan(0)
  },
)
