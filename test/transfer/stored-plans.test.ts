import { expect, test } from 'vitest'
import { type PullPlan, type PushPlan, planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'

serveRegistry()
const stored = <P extends PullPlan | PushPlan>(plan: P): P => JSON.parse(JSON.stringify(plan))

test('a stored pull moves the planned digests although the tag has moved, and reports the move', async () => {
  const image = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
  const plan = stored(await planPull(registry, store, ref('app:1')))
  const newer = await sampleImage(remote, [{ a: 'b' }], { name: 'app:1' })
  await expect(runPull(plan, { registry, store, ifChanged: 'fail' })).rejects.toMatchObject({
    code: 'ERR_PLAN_OUTDATED',
    changes: [{ what: 'source', planned: image.descriptor.digest, now: newer.descriptor.digest }],
  })
  expect(await blobsOf(store)).toEqual([])
  const result = await runPull(plan, { registry, store })
  expect(result).toMatchObject({ digest: image.descriptor.digest, changes: [{ what: 'source' }] })
  await remote.references.delete('app:1')
  const gone = await runPull(plan, { registry, store }).then(({ changes }) => changes)
  expect(gone[0]).toMatchObject({ what: 'source', now: 'nothing' })
})

test('a pull fetches blobs that left the store after planning, skips blobs that arrived, and reports both', async () => {
  const image = await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
  const [first, second] = image.layers.map(({ descriptor }) => descriptor.digest)
  await store.put(remote.read(first!))
  const plan = await planPull(registry, store, ref('app:1'))
  await store.delete(first!)
  await store.put(remote.read(second!))
  const expected = [
    { what: 'need', digest: first, planned: 'present', now: 'fetch' },
    { what: 'need', digest: second, planned: 'fetch', now: 'present' },
  ]
  await expect(runPull(plan, { ifChanged: 'fail' })).rejects.toMatchObject({ changes: expected })
  server.requests.length = 0
  expect((await runPull(plan)).changes).toEqual(expected)
  expect(server.requests.filter(request => request.includes(second!))).toEqual([])
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
})

test('a plan that still holds reports no changes, also with a made index; a plan of another version is rejected', async () => {
  await sampleIndex(remote, ['amd64', 'arm64', 's390x'], 'multi:1')
  const plan = stored(await planPull(registry, store, ref('multi:1'), { platform: ['amd64', 'arm64'] }))
  expect(plan.steps.at(-1)).toMatchObject({
    kind: 'index',
    need: 'make',
    content: expect.stringContaining('manifests'),
  })
  const result = await runPull(plan, { registry, store, ifChanged: 'fail' })
  expect(result.changes).toEqual([])
  expect((await store.references.get(ref('multi:1')))?.digest).toBe(plan.root.digest)
  await expect(runPull({ ...plan, version: 2 } as never, { registry, store })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
  await expect(runPull(plan, { registry, store, concurrency: 0 })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})

test('a stored push asks the registry again, sends blobs that it lost, and skips blobs that it got', async () => {
  const image = await sampleImage(store, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
  const [first, second] = image.layers.map(({ descriptor }) => descriptor.digest)
  await remote.put(store.read(first!))
  const plan = stored(await planPush(store, registry, 'app:1', ref('app:1'), { tags: ['2'] }))
  await remote.delete(first!)
  await remote.put(store.read(second!))
  const result = await runPush(plan, { registry, store })
  expect(result.changes).toEqual([
    { what: 'need', digest: first, planned: 'present', now: 'upload' },
    { what: 'need', digest: second, planned: 'upload', now: 'present' },
  ])
  expect(await blobsOf(remote)).toEqual(await blobsOf(store))
  expect((await remote.references.get('app:2'))?.digest).toBe(image.descriptor.digest)
  await expect(runPush({ ...plan, kind: 'pull' } as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})
