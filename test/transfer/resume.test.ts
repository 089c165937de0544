import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { type PullPlan, type PushPlan, planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'

const LAYER = 300_000
const image = twentyLayers(LAYER, 1)
const { digest } = image.layers[0]!.descriptor
let directory: ReturnType<typeof temporaryDirectory>
let remote: Store
let registry: FaultyRegistry

const fill = async (store: Store, name: string) => {
  for (const { bytes } of image.blobs) await store.put(bytes)
  await store.put(image.manifest.bytes)
  await store.references.set(name, image.manifest.descriptor)
}
beforeEach(async () => {
  directory = temporaryDirectory('resume')
  remote = createMemoryStore()
  registry = await createFaultyRegistry({ store: remote })
})
afterEach(async () => {
  await registry.close()
  directory[Symbol.dispose]()
})
const ref = (name = 'app:1') => `${registry.host}/${name}`
/** Each opening is as good as another process: nothing is shared but the directory. */
const reopened = () => openStore(directory.path)
const stubborn = () => registryClientFor({ retries: { tries: 1 } })
const planned = ({ steps }: PullPlan | PushPlan) => steps.find(step => step.descriptor.digest === digest)!

describe('a pull', () => {
  const blob = { method: 'GET', path: /blobs/ }

  test('that was interrupted is planned to resume, and fetches only the rest', async () => {
    await fill(remote, 'app:1')
    registry.misbehave({ kind: 'cut', after: 200_000 }, { ...blob, path: new RegExp(digest), times: 9 })
    {
      await using store = await reopened()
      await using client = stubborn()
      const failed = runPull(await planPull(client, store, ref()))
      await expect(failed).rejects.toMatchObject({ code: 'ERR_NETWORK' })
    }
    registry.behave()
    await using store = await reopened()
    await using client = registryClientFor()
    const plan = await planPull(client, store, ref())
    const step = planned(plan)
    const offset = step.offset!
    expect(step).toMatchObject({ need: 'resume', reason: `resume at ${offset}`, from: registry.host })
    expect(offset).toBeGreaterThan(0)
    expect(offset).toBeLessThanOrEqual(200_000)
    const others = plan.bytesTotal - plan.bytesPresent - plan.bytesToFetch
    expect(others).toBe(0)
    const before = registry.seen.length
    const result = await runPull(plan)
    const sent = registry.seen.slice(before).filter(({ path }) => path.includes(digest))
    expect(sent.map(({ headers, sent: bytes }) => [headers.range, bytes])).toEqual([
      [`bytes=${offset}-`, LAYER - offset],
    ])
    expect(result).toMatchObject({ bytesFetched: plan.bytesToFetch, changes: [] })
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  })

  test('waits for a blob that another pull is fetching, and the plan says so', async () => {
    await fill(remote, 'app:1')
    await using store = await reopened()
    await using other = await reopened()
    await using client = registryClientFor()
    const writer = await other.ingest(digest)
    await writer.write(image.layers[0]!.bytes)
    const plan = await planPull(client, store, ref())
    expect(planned(plan)).toMatchObject({ need: 'await', reason: 'in flight elsewhere' })
    expect(plan.bytesInFlight).toBe(LAYER)
    expect(plan.bytesTotal).toBe(plan.bytesInFlight + plan.bytesToFetch)
    const running = runPull(plan)
    await writer.commit({ digest })
    await running
    expect(registry.seen.filter(({ path }) => path.includes(digest))).toEqual([])
  })

  test('begins again if the stored part was damaged meanwhile, and completes', async () => {
    await fill(remote, 'app:1')
    const store = createMemoryStore()
    {
      await using writer = await store.ingest(digest)
      await writer.write(Buffer.alloc(100_000, 'not the layer'))
    }
    await using client = registryClientFor()
    const result = await runPull(await planPull(client, store, ref()))
    expect(result.bytesFetchedAgain).toBe(LAYER)
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
    {
      await using writer = await store.ingest('x')
      await writer.write(Buffer.alloc(1))
    }
    expect(await store.statIngest!('x')).toEqual({ offset: 1, busy: false })
    expect(await store.statIngest!('nobody')).toBeUndefined()
  })

  test('begins again if the stored part is larger than the blob', async () => {
    await fill(remote, 'app:1')
    const store = createMemoryStore()
    {
      await using writer = await store.ingest(digest)
      await writer.write(Buffer.alloc(LAYER + 1))
    }
    await using client = registryClientFor()
    const plan = await planPull(client, store, ref())
    expect(planned(plan)).toMatchObject({ need: 'fetch' })
    await runPull(plan)
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  })

  test('names the mirror that is asked first, and uses another one if its bytes are wrong', async () => {
    await fill(remote, 'app:1')
    await using mirror = await createFaultyRegistry({ store: remote })
    mirror.misbehave({ kind: 'flip', at: 9 }, { method: 'GET', path: new RegExp(`/blobs/${digest}`), times: 99 })
    await using client = registryClientFor({ hosts: { [registry.host]: { mirrors: [mirror.host] } } })
    const store = createMemoryStore()
    const plan = await planPull(client, store, ref())
    expect(planned(plan)).toMatchObject({ from: mirror.host, reason: `not in the store; fetch from ${mirror.host}` })
    const result = await runPull(plan)
    expect(result.bytesFetchedAgain).toBe(LAYER)
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
    expect(registry.seen.filter(({ path }) => path.includes(digest))).toHaveLength(1)
  })

  test('counts the bytes that a server without range support sends again', async () => {
    await fill(remote, 'app:1')
    const path = new RegExp(digest)
    registry.misbehave({ kind: 'cut', after: 200_000 }, { ...blob, path })
    registry.misbehave({ kind: 'ignore-range' }, { ...blob, path })
    await using client = registryClientFor()
    const store = createMemoryStore()
    const result = await runPull(await planPull(client, store, ref()))
    expect(result.bytesFetchedAgain).toBeGreaterThan(100_000)
    expect(result.bytesFetchedAgain).toBeLessThanOrEqual(200_000)
  })
})

describe('a push', () => {
  const PIECE = 50_000

  test('that was interrupted is planned to resume by another opening of the store, and sends only the rest', async () => {
    {
      await using store = await reopened()
      await fill(store, 'app:1')
      await using client = stubborn()
      registry.misbehave({ kind: 'answer', status: 503 }, { method: 'PATCH', skip: 3, times: 9 })
      const failed = runPush(await planPush(store, client, 'app:1', ref()), { chunkBytes: PIECE })
      await expect(failed).rejects.toMatchObject({ status: 503 })
    }
    registry.behave()
    await using store = await reopened()
    await using client = registryClientFor()
    const plan = await planPush(store, client, 'app:1', ref())
    expect(planned(plan)).toMatchObject({ need: 'resume', offset: 3 * PIECE, reason: `resume at ${3 * PIECE}` })
    const before = registry.seen.length
    const result = await runPush(plan, { chunkBytes: PIECE })
    const pieces = registry.seen.slice(before).filter(({ method }) => method === 'PATCH')
    expect(pieces.reduce((sum, { received }) => sum + received, 0)).toBe(LAYER - 3 * PIECE)
    expect(result.bytesUploadedAgain).toBe(0)
    expect(await blobsOf(remote)).toEqual(await blobsOf(store))
    expect(await remote.references.get('app:1')).toBeDefined()
  })

  test('that is aborted keeps the state of its upload, also for an image in memory', async () => {
    const store = createMemoryStore()
    await fill(store, 'app:1')
    await using client = registryClientFor()
    registry.misbehave({ kind: 'too-many-requests', retryAfter: 30 }, { method: 'PATCH', skip: 2 })
    const stop = new AbortController()
    const plan = await planPush(store, client, 'app:1', ref())
    const running = runPush(plan, { chunkBytes: PIECE, signal: stop.signal })
    await expect.poll(() => registry.seen.filter(({ fault }) => fault !== undefined).length).toBe(1)
    stop.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    registry.behave()
    // The first client still honours the pause that it was asked for.
    await using other = registryClientFor()
    const next = await planPush(store, other, 'app:1', ref())
    expect(planned(next)).toMatchObject({ need: 'resume' })
    await runPush(next, { chunkBytes: PIECE })
    expect(await blobsOf(remote)).toEqual(await blobsOf(store))
  })

  test('HT-25: only a blob that the registry reports missing is sent again', async () => {
    const store = createMemoryStore()
    await fill(store, 'app:1')
    await fill(remote, 'other:1')
    await using client = registryClientFor()
    const plan = await planPush(store, client, 'app:1', ref())
    await remote.references.delete('other:1')
    await remote.delete(image.manifest.descriptor.digest)
    const again = await planPush(store, client, 'app:1', ref())
    expect(plan.bytesToUpload).toBe(0)
    expect(again.steps.map(({ need }) => need)).toEqual(['present', 'present', 'upload'])
    await remote.delete(digest)
    const before = registry.seen.length
    const result = await runPush(again)
    const sent = registry.seen.slice(before).map(({ method, path }) => `${method} ${path.replace(/\/uploads\/.*/, '')}`)
    expect(sent).toEqual([
      'PUT /v2/app/manifests/1',
      expect.stringMatching(/^HEAD/),
      'POST /v2/app/blobs',
      'PUT /v2/app/blobs',
      'PUT /v2/app/manifests/1',
    ])
    expect(result.blobsUploaded).toBe(2)
    expect(await remote.stat(digest)).toBeDefined()
  })

  test('HT-25: if a registry does not name the missing blob, each is checked; a repeated rejection fails the push', async () => {
    const store = createMemoryStore()
    await fill(store, 'app:1')
    for (const { bytes } of image.blobs) await remote.put(bytes)
    await using client = registryClientFor()
    const plan = await planPush(store, client, 'app:1', ref())
    await remote.delete(digest)
    const body = JSON.stringify({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', message: 'something is missing' }] })
    const refusal = { kind: 'answer', status: 400, body } as const
    registry.misbehave(refusal, { method: 'PUT', path: /manifests/ })
    await runPush(plan)
    expect(await remote.stat(digest)).toBeDefined()
    registry.misbehave(refusal, { method: 'PUT', path: /manifests/, times: 9 })
    await remote.delete(digest)
    await expect(runPush(plan)).rejects.toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] })
    expect(registry.seen.filter(({ fault }) => fault === 'answer')).toHaveLength(3)
  })

  test('a blob that another repository of the registry has is mounted, counted, and not sent', async () => {
    const store = createMemoryStore()
    await fill(store, 'app:1')
    await fill(remote, 'other:1')
    await remote.references.delete('other:1')
    await remote.delete(image.manifest.descriptor.digest)
    await using client = registryClientFor()
    registry.misbehave({ kind: 'answer', status: 404, body: '' }, { method: 'HEAD', path: /blobs/, times: 9 })
    const plan = await planPush(store, client, 'app:1', ref())
    expect(plan.steps.map(({ need }) => need)).toEqual(['upload', 'upload', 'upload'])
    expect(plan.steps[1]!.reason).toBe('missing there; mounted if another repository has it, else uploaded')
    const result = await runPush(plan)
    const { size } = image.manifest.descriptor
    expect(result).toMatchObject({ blobsMounted: 2, blobsUploaded: 1, bytesUploaded: size })
    expect(result.bytesSaved).toBe(plan.bytesTotal - size)
  })

  test('HT-25: a blob that the registry reports as mounted but lacks is sent', async () => {
    const store = createMemoryStore()
    await fill(store, 'app:1')
    await using client = registryClientFor()
    registry.misbehave({ kind: 'answer', status: 201, body: '' }, { method: 'POST', path: /uploads/, times: 2 })
    const result = await runPush(await planPush(store, client, 'app:1', ref()))
    expect(result).toMatchObject({ blobsMounted: 2, bytesUploadedAgain: 0 })
    expect(registry.seen.filter(({ method }) => method === 'POST').map(({ path }) => path.includes('mount='))).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(await blobsOf(remote)).toEqual(await blobsOf(store))
  })
})
