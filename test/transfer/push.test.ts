import { expect, test } from 'vitest'
import { planPush, runPush, type TransferProgress } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'

serveRegistry()
const push = async (name: string, to: string) => runPush(await planPush(store, registry, name, ref(to)))

test('a push plan asks the registry and changes nothing', async () => {
  await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })
  const plan = await planPush(store, registry, 'app:1', ref('app:1'))
  expect(plan.steps.map(step => [step.kind, step.need])).toEqual([
    ['config', 'upload'],
    ['layer', 'upload'],
    ['manifest', 'upload'],
  ])
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  expect(server.requests.every(request => /^(HEAD|GET) /.test(request))).toBe(true)
  expect(await blobsOf(remote)).toEqual([])
})

test('a push brings an image that is byte for byte the same, under its tag', async () => {
  const image = await sampleImage(store, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
  const result = await push('app:1', 'team/app:2')
  expect(result).toMatchObject({ digest: image.descriptor.digest, blobsUploaded: 4, blobsMounted: 0, bytesSaved: 0 })
  expect(await blobsOf(remote)).toEqual(await blobsOf(store))
  expect((await remote.references.get('team/app:2'))?.digest).toBe(image.descriptor.digest)
})

test('an index is pushed with every image below it, children first', async () => {
  const index = await sampleIndex(store, ['amd64', 'arm64'], 'multi:1')
  const result = await push('multi:1', 'multi:1')
  expect(result.digest).toBe(index.digest)
  expect(await blobsOf(remote)).toEqual(await blobsOf(store))
})

test('a second push of the same image under another tag sends only the manifest', async () => {
  await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })
  await push('app:1', 'app:1')
  server.requests.length = 0
  const plan = await planPush(store, registry, 'app:1', ref('app:2'))
  expect(plan.bytesToUpload).toBe(0)
  expect((await runPush(plan)).blobsUploaded).toBe(0)
  expect(server.requests.filter(request => !request.startsWith('HEAD '))).toEqual(['PUT /v2/app/manifests/2'])
})

test('only the changed blobs of a changed image are uploaded', async () => {
  await sampleImage(store, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
  await push('app:1', 'app:1')
  const changed = await sampleImage(store, [{ a: 'a' }, { b: 'changed' }], { name: 'app:1' })
  const plan = await planPush(store, registry, 'app:1', ref('app:1'))
  const uploads = plan.steps.filter(step => step.need === 'upload').map(step => step.descriptor.digest)
  expect(uploads).toEqual([
    changed.manifest.config.digest,
    changed.layers[1]!.descriptor.digest,
    changed.descriptor.digest,
  ])
})

test('two concurrent pushes of images that share layers send each blob once', async () => {
  const shared = { 'big.bin': Buffer.alloc(3_000_000, 7) }
  await sampleImage(store, [shared, { a: 'a' }], { name: 'one:1' })
  await sampleImage(store, [shared, { b: 'b' }], { name: 'two:1' })
  const plans = [
    await planPush(store, registry, 'one:1', ref('app:1')),
    await planPush(store, registry, 'two:1', ref('app:2')),
  ]
  await Promise.all(plans.map(plan => runPush(plan)))
  const uploads = server.requests.filter(request => /^PUT .*\/blobs\/uploads\//.test(request))
  const digests = uploads.map(request => decodeURIComponent(/digest=([^&]+)/.exec(request)![1]!))
  expect(digests.sort()).toEqual([...new Set(digests)].sort())
  expect(await blobsOf(remote)).toEqual(await blobsOf(store))
})

test('a blob that another repository of the registry has is mounted', async () => {
  const image = await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })
  await push('app:1', 'first:1')
  const plan = await planPush(store, registry, 'app:1', ref('second:1'), { mountFrom: ['first'] })
  // The server of this library shares blobs between repositories, so every blob is present already.
  expect(plan.steps.every(step => step.kind === 'manifest' || step.need === 'present')).toBe(true)
  expect(
    await registry.mountBlob(
      { registry: server.host, repository: 'second' },
      image.layers[0]!.descriptor.digest,
      'first',
    ),
  ).toBe(true)
})

test('an unknown name, an unreachable registry and an incomplete image have different codes', async () => {
  await expect(planPush(store, registry, 'nobody:1', ref('a:1'))).rejects.toMatchObject({
    code: 'ERR_REFERENCE_NOT_FOUND',
  })
  const image = await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })
  await expect(planPush(store, registry, 'app:1', '127.0.0.1:1/a:1')).rejects.toMatchObject({ code: 'ERR_NETWORK' })
  const plan = await planPush(store, registry, 'app:1', ref('app:1'))
  await store.delete(image.layers[0]!.descriptor.digest)
  await expect(runPush(plan)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  expect(await remote.references.get('app:1')).toBeUndefined()
})

test('a stored push plan runs when it gets a registry and a store, and its progress ends with the reference', async () => {
  await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })
  const stored = JSON.parse(JSON.stringify(await planPush(store, registry, 'app:1', ref('app:1'))))
  await expect(runPush(stored)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  const events: TransferProgress[] = []
  const result = await runPush(stored, { registry, store, onProgress: event => events.push(event) })
  expect(events.at(-1)).toEqual({ type: 'name', name: result.reference, digest: result.digest })
  await expect(runPush({ ...stored, version: 2 }, { registry, store })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})

test('an aborted push rethrows the reason and leaves no tag', async () => {
  await sampleImage(store, [{ 'big.bin': Buffer.alloc(4_000_000, 1) }], { name: 'app:1' })
  const stop = new AbortController()
  const reason = new Error('enough')
  const plan = await planPush(store, registry, 'app:1', ref('app:1'))
  const onProgress = (event: TransferProgress) => {
    if (event.type === 'blob' && event.state === 'start') stop.abort(reason)
  }
  await expect(runPush(plan, { signal: stop.signal, onProgress })).rejects.toBe(reason)
  expect(await remote.references.get('app:1')).toBeUndefined()
})
