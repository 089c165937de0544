import { describe, expect, test, vi } from 'vitest'
import { readImage } from '../../lib/image/index.ts'
import { MediaType, parsePlatform } from '../../lib/oci/index.ts'
import { planPull, runPull, type TransferProgress } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'

const platform = 'linux/amd64'

serveRegistry()
const blobGets = () => server.requests.filter(request => /^GET .*\/blobs\//.test(request))

describe('planning', () => {
  test('a plan for an empty store fetches everything and is plain JSON', async () => {
    const image = await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
    const plan = await planPull(registry, store, ref('app:1'))
    expect(plan.steps.map(step => [step.kind, step.need])).toEqual([
      ['config', 'fetch'],
      ['layer', 'fetch'],
      ['layer', 'fetch'],
      ['manifest', 'fetch'],
    ])
    expect(plan).toMatchObject({
      kind: 'pull',
      version: 1,
      name: ref('app:1'),
      root: { digest: image.descriptor.digest },
    })
    expect(plan.bytesToFetch).toBe(plan.bytesTotal)
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
    expect(await blobsOf(store)).toEqual([])
    expect(blobGets()).toEqual([])
  })

  test('a document is fetched if another process collects it between `stat` and `read`', async () => {
    await sampleImage(store, [{ a: 'a' }], { name: 'mine:1' })
    const image = await sampleImage(remote, [{ b: 'b' }], { name: 'app:1' })
    await store.put(remote.read(image.descriptor.digest))
    const looked = (await store.stat(image.descriptor.digest))!
    const stat = vi.spyOn(store, 'stat').mockImplementationOnce(async digest => {
      await store.delete(digest)
      return looked
    })
    const plan = await planPull(registry, store, ref('app:1'), { name: 'mine:1' })
    expect(stat).toHaveBeenCalled()
    expect(plan).toMatchObject({ root: { digest: image.descriptor.digest }, bytesToFetch: plan.bytesTotal })
    expect((await runPull(plan)).digest).toBe(image.descriptor.digest)
  })

  test('a blob that the store has is present, with the reason', async () => {
    const image = await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
    const [layer] = image.layers
    await store.put(remote.read(layer!.descriptor.digest))
    const plan = await planPull(registry, store, ref('app:1'))
    expect(plan.steps[1]).toMatchObject({ need: 'present', reason: 'already in the store' })
    expect(plan.bytesPresent).toBe(layer!.descriptor.size)
    expect(plan.bytesToFetch).toBe(plan.bytesTotal - layer!.descriptor.size)
  })

  test('one platform of an index is planned, and the other platforms are listed as left out', async () => {
    const index = await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
    const plan = await planPull(registry, store, ref('multi:1'), { platform: 'linux/arm64' })
    expect(plan).toMatchObject({
      platforms: ['linux/arm64'],
      platformsLeftOut: ['linux/amd64'],
      index: index.digest,
      root: { mediaType: MediaType.OciManifest },
    })
    expect(plan.root).not.toHaveProperty('platform')
  })

  test('a platform that the index lacks is an error that lists the available ones', async () => {
    await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
    await expect(planPull(registry, store, ref('multi:1'), { platform: 'linux/s390x' })).rejects.toMatchObject({
      code: 'ERR_PLATFORM_NOT_FOUND',
      available: ['linux/amd64', 'linux/arm64'],
    })
  })

  test('an image outside an index must match the requested platform; without a request any platform is accepted', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1', architecture: 's390x' })
    await expect(planPull(registry, store, ref('app:1'), { platform })).rejects.toMatchObject({
      code: 'ERR_PLATFORM_NOT_FOUND',
      available: ['linux/s390x'],
    })
    expect((await planPull(registry, store, ref('app:1'), { platform: 's390x' })).steps).toHaveLength(3)
    expect((await planPull(registry, store, ref('app:1'))).steps).toHaveLength(3)
  })

  test('the name in the store is the short form of the reference, or the requested name', async () => {
    const { descriptor } = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const pinned = `${ref('app')}@${descriptor.digest}`
    expect((await planPull(registry, store, pinned)).name).toBe(pinned)
    expect((await planPull(registry, store, `${ref('app:1')}@${descriptor.digest}`)).name).toBe(ref('app:1'))
    expect((await planPull(registry, store, ref('app:1'), { name: 'docker.io/library/mine' })).name).toBe('mine:latest')
    await expect(planPull(registry, store, ref('app:1'), { name: 'NOT A NAME' })).rejects.toMatchObject({
      code: 'ERR_INVALID_REFERENCE',
    })
  })

  test('a missing reference, a refused connection and an invalid reference have different codes', async () => {
    await expect(planPull(registry, store, ref('nobody:1'))).rejects.toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND' })
    await expect(planPull(registry, store, '127.0.0.1:1/app:1')).rejects.toMatchObject({ code: 'ERR_NETWORK' })
    await expect(planPull(registry, store, 'Not/A:ref')).rejects.toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
  })
})

describe('running', () => {
  test('a pull brings an image that is byte for byte the same', async () => {
    const image = await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
    const result = await runPull(await planPull(registry, store, ref('app:1')))
    expect(result).toMatchObject({
      name: ref('app:1'),
      digest: image.descriptor.digest,
      blobsFetched: 4,
      bytesSaved: 0,
    })
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
    expect(await readImage(store, ref('app:1'), { platform: parsePlatform(platform) })).toEqual(image)
  })

  test('all platforms keep the digest of the index, and every image below it', async () => {
    const index = await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
    const result = await runPull(await planPull(registry, store, ref('multi:1'), { allPlatforms: true }))
    expect(result.digest).toBe(index.digest)
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  })

  test('a pull of an unchanged tag costs one HEAD', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    await runPull(await planPull(registry, store, ref('app:1')))
    server.requests.length = 0
    const result = await runPull(await planPull(registry, store, ref('app:1')))
    expect(server.requests).toEqual(['HEAD /v2/app/manifests/1'])
    expect(result).toMatchObject({ blobsFetched: 0, bytesFetched: 0 })
  })

  test('only the changed blobs of a changed image are fetched', async () => {
    await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
    await runPull(await planPull(registry, store, ref('app:1')))
    const changed = await sampleImage(remote, [{ a: 'a' }, { b: 'changed' }], { name: 'app:1' })
    server.requests.length = 0
    await runPull(await planPull(registry, store, ref('app:1')))
    const digests = [changed.manifest.config.digest, changed.layers[1]!.descriptor.digest]
    expect(blobGets().sort()).toEqual(digests.map(digest => `GET /v2/app/blobs/${digest}`).sort())
  })

  test('two concurrent pulls of images that share layers fetch each blob once', async () => {
    const shared = { 'big.bin': Buffer.alloc(3_000_000, 7) }
    await sampleImage(remote, [shared, { a: 'a' }], { name: 'one:1' })
    await sampleImage(remote, [shared, { b: 'b' }], { name: 'two:1' })
    const pull = async (name: string) => runPull(await planPull(registry, store, ref(name)))
    const results = await Promise.all([pull('one:1'), pull('two:1'), pull('one:1')])
    const digests = blobGets().map(request => request.slice(request.lastIndexOf('/') + 1))
    expect(digests.sort()).toEqual([...new Set(digests)].sort())
    expect(results.reduce((sum, result) => sum + result.blobsFetched, 0)).toBeLessThanOrEqual(
      (await blobsOf(remote)).length + 2,
    )
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  })

  test('progress reports every blob and ends with the name', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const events: TransferProgress[] = []
    const plan = await planPull(registry, store, ref('app:1'))
    await runPull(plan, { onProgress: event => events.push(event) })
    const states = events.flatMap(event => (event.type === 'blob' ? [event.state] : []))
    expect(states.filter(state => state === 'start')).toHaveLength(3)
    expect(states.filter(state => state === 'done')).toHaveLength(3)
    expect(events.at(-1)).toEqual({ type: 'name', name: ref('app:1'), digest: plan.root.digest })
  })

  test('a stored plan runs when it gets a registry and a store', async () => {
    await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
    const stored = JSON.parse(JSON.stringify(await planPull(registry, store, ref('app:1'))))
    await expect(runPull(stored)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await runPull(stored, { registry, store })
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
    await expect(runPull({ ...stored, kind: 'push' }, { registry, store })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('an abort leaves no incomplete blob and no name, and rethrows the reason', async () => {
    await sampleImage(remote, [{ 'big.bin': Buffer.alloc(4_000_000, 1) }], { name: 'app:1' })
    const stop = new AbortController()
    const reason = new Error('enough')
    const plan = await planPull(registry, store, ref('app:1'))
    const onProgress = (event: TransferProgress) => {
      if (event.type === 'blob' && event.state === 'start') stop.abort(reason)
    }
    await expect(runPull(plan, { signal: stop.signal, onProgress, concurrency: 1 })).rejects.toBe(reason)
    expect(await blobsOf(store)).toEqual([])
    expect(await store.references.get(ref('app:1'))).toBeUndefined()
    await runPull(await planPull(registry, store, ref('app:1')))
    expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  })

  test('a foreign layer is planned as skipped, not fetched, and the image still gets its name', async () => {
    const base = await sampleImage(remote, [{ a: 'a' }])
    const foreign = {
      mediaType: MediaType.DockerForeignLayerGzip,
      digest: `sha256:${'f'.repeat(64)}`,
      size: 10,
      urls: ['https://example.com/layer'],
    }
    const diffIds = [...base.config.rootfs.diff_ids, foreign.digest]
    const config = { ...base.config, rootfs: { type: 'layers', diff_ids: diffIds } }
    const configBlob = { mediaType: MediaType.OciConfig, ...(await remote.put(Buffer.from(JSON.stringify(config)))) }
    const layers = [...base.manifest.layers, foreign]
    const bytes = Buffer.from(JSON.stringify({ ...base.manifest, config: configBlob, layers }))
    await remote.references.set('win:1', { mediaType: MediaType.OciManifest, ...(await remote.put(bytes)) })
    const plan = await planPull(registry, store, ref('win:1'))
    expect(plan.steps.find(step => step.descriptor.digest === foreign.digest)).toMatchObject({ need: 'skip' })
    expect((await runPull(plan)).name).toBe(ref('win:1'))
  })
})
