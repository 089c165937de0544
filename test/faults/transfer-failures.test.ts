import { expect, test } from 'vitest'
import { planCollection } from '../../lib/maintenance/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry } from '../../lib/testing/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { settle } from '../helpers/settle.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'

async function remoteWith(image: ReturnType<typeof twentyLayers>): Promise<Store> {
  const remote = createMemoryStore()
  for (const { bytes } of image.blobs) await remote.put(bytes)
  await remote.put(image.manifest.bytes)
  await remote.references.set('app:1', image.manifest.descriptor)
  return remote
}

test('HT-35: of thirty layers one fails for good: the others stop, what is whole is kept under the lease, the error names it', async () => {
  const image = twentyLayers(20_000, 30)
  await using registry = await createFaultyRegistry({ store: await remoteWith(image) })
  await using client = registryClientFor({ concurrency: 30 })
  const [failing, ...others] = image.layers.map(({ descriptor }) => descriptor.digest)
  const stalled = others.slice(0, 10)
  registry.misbehave({ kind: 'answer', status: 404 }, { path: new RegExp(`/blobs/${failing}`), times: 99 })
  // These requests never end by themselves: the client would wait for a minute and then retry.
  for (const digest of stalled)
    registry.misbehave({ kind: 'stall', after: 5000 }, { path: new RegExp(digest), times: 9 })
  const store = createMemoryStore()
  const plan = await planPull(client, store, `${registry.host}/app:1`)
  // The failing layer waits until the twenty available layers have arrived.
  const leases: string[] = []
  let open: () => void = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  let done = 0
  const { takeLease } = watchLeases(store, leases)
  const held: typeof client = {
    ...client,
    async *fetchBlob(repository, descriptor, options) {
      if (descriptor.digest === failing) await gate
      yield* client.fetchBlob(repository, descriptor, options)
    },
  }
  const running = runPull(plan, {
    registry: held,
    concurrency: 31,
    onProgress: event => {
      if (event.type === 'total' || event.type === 'name' || event.state !== 'done') return
      if (++done === 20) open()
    },
  })
  await expect(running).rejects.toMatchObject({
    code: 'ERR_REMOTE_BLOB_NOT_FOUND',
    message: expect.stringContaining(failing!),
  })
  expect(takeLease()).toEqual([`pull store:${registry.host}/app:1`])
  const kept = await blobsOf(store)
  expect(kept).toHaveLength(20)
  for (const digest of [failing!, ...stalled]) expect(kept).not.toContain(digest)
  const collection = await planCollection(store)
  expect(collection.drop.map(({ digest }) => digest)).toEqual([])
  expect(await store.references.get(`${registry.host}/app:1`)).toBeUndefined()
  // No request continues after the call has rejected.
  const after = registry.seen.length
  await new Promise(resolve => setImmediate(resolve))
  expect(registry.seen).toHaveLength(after)
  registry.behave()
  expect(await runPull(await planPull(client, store, `${registry.host}/app:1`))).toMatchObject({ blobsFetched: 12 })
})

/** Records the leases that are held while blobs arrive. */
function watchLeases(store: Store, seen: string[]): { takeLease(): string[] } {
  const { hold } = store.leases
  store.leases.hold = async options => {
    const lease = await hold.call(store.leases, options)
    for await (const { label } of store.leases.list()) seen.push(label)
    return lease
  }
  return { takeLease: () => seen }
}

test('ten pulls at once of ten images that share a base fetch it once', async () => {
  const remote = createMemoryStore()
  const base = { 'base.bin': Buffer.alloc(500_000, 'base') }
  const names = Array.from({ length: 10 }, (_, i) => `app${i}:1`)
  for (const [i, name] of names.entries()) await sampleImage(remote, [base, { own: String(i) }], { name })
  await using server = await serveStore(remote)
  const store = createMemoryStore()
  const clients = names.map(() => registryClientFor())
  const results = await Promise.all(
    names.map(async (name, i) => runPull(await planPull(clients[i]!, store, `${server.host}/${name}`))),
  )
  for (const client of clients) await client.close()
  const fetched = server.requests.flatMap(request => /^GET .*\/blobs\/(.*)$/.exec(request)?.[1] ?? [])
  expect(fetched).toHaveLength(1 + 2 * 10)
  expect(new Set(fetched).size).toBe(fetched.length)
  expect(results.reduce((sum, { blobsFetched }) => sum + blobsFetched, 0)).toBe(1 + 3 * 10)
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
})

test('a small budget for buffers makes a transfer slower, not different', async () => {
  const image = twentyLayers(30_000)
  await using registry = await createFaultyRegistry({ store: await remoteWith(image) })
  await using client = registryClientFor()
  const store = createMemoryStore()
  const plan = await planPull(client, store, `${registry.host}/app:1`)
  let [moving, most] = [0, 0]
  await runPull(plan, {
    bufferBytes: 60_000,
    concurrency: 8,
    onProgress: event => {
      if (event.type !== 'blob') return
      if (event.state === 'start') most = Math.max(most, ++moving)
      if (event.state === 'done') moving--
    },
  })
  // Two layers, or one layer and the config.
  expect(most).toBe(2)
  expect(await blobsOf(store)).toHaveLength(22)
})

test('a lease holds the blobs of a transfer until the image has its name', async () => {
  const remote = createMemoryStore()
  await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
  await using server = await serveStore(remote)
  await using client = registryClientFor()
  const store = createMemoryStore()
  const { set } = store.references
  const held: string[] = []
  store.references.set = async (...args) => {
    await settle()
    for await (const { label } of store.leases.list()) held.push(label)
    return set.apply(store.references, args)
  }
  await runPull(await planPull(client, store, `${server.host}/app:1`))
  expect(held).toEqual([`pull store:${server.host}/app:1`])
  for await (const lease of store.leases.list()) expect(lease).toBeUndefined()
})
