import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage, readImage } from '../../lib/image/index.ts'
import { fromDirectory, readLayer, writeLayer } from '../../lib/layer/index.ts'
import { parsePlatform } from '../../lib/oci/index.ts'
import { createRegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const platform = parsePlatform('linux/amd64')
const drivers: [string, (path: string) => Promise<Store>][] = [
  ['memory', async () => createMemoryStore()],
  ['disk', path => openStore(path)],
]

describe.each(drivers)('with the %s driver', (_, open) => {
  test('files become an image, the image goes to a registry, comes back, and a second pull moves what changed', async () => {
    using directory = temporaryDirectory('journey')
    const tree = join(directory.path, 'tree')
    mkdirSync(join(tree, 'sub'), { recursive: true })
    writeFileSync(join(tree, 'sub/a.txt'), 'a'.repeat(100_000))
    await using builder = await open(join(directory.path, 'builder'))
    await using consumer = await open(join(directory.path, 'consumer'))
    await using server = await serveStore(createMemoryStore())
    await using registry = createRegistryClient()
    const reference = `${server.host}/app:1`

    const build = async () => {
      const stable = await writeLayer(builder, [{ path: 'base.txt', type: 'file', content: 'base' }])
      const layer = await writeLayer(builder, fromDirectory(tree, { at: '/app' }))
      const image = await composeImage(builder, { layers: [stable, layer], platform })
      await builder.references.set('app:1', image.descriptor)
      await runPush(await planPush(builder, registry, 'app:1', reference))
      return image
    }
    const first = await build()
    await runPull(await planPull(registry, consumer, reference, { name: 'app:1' }))
    expect(await readImage(consumer, 'app:1', { platform })).toEqual(first)

    writeFileSync(join(tree, 'sub/a.txt'), 'changed')
    const second = await build()
    const plan = await planPull(registry, consumer, reference, { name: 'app:1' })
    expect(plan.steps.map(({ kind, need }) => `${kind} ${need}`)).toEqual([
      'config fetch',
      'layer present',
      'layer fetch',
      'manifest fetch',
    ])
    await runPull(plan)
    expect(await readImage(consumer, 'app:1', { platform })).toEqual(second)

    const entries = new Map<string, string>()
    const { descriptor, diffId } = second.layers[1]!
    for await (const entry of readLayer(consumer, descriptor, { diffId })) {
      const chunks: Uint8Array[] = []
      for await (const chunk of entry.content) chunks.push(chunk)
      entries.set(entry.path, Buffer.concat(chunks).toString())
    }
    expect(entries.get('app/sub/a.txt')).toBe('changed')
  })
})

test('aborting a pull leaves no visible blob, no open file and no name; the next pull completes', async () => {
  using directory = temporaryDirectory('abort')
  const remote = createMemoryStore()
  const noise = Buffer.alloc(8_000_000, 'not so compressible ').map((byte, i) => byte ^ ((i * 2_654_435_761) >>> 13))
  await sampleImage(remote, [{ noise }, { other: noise.subarray(1_000_000) }], { name: 'app:1' })
  await using server = await serveStore(remote)
  await using registry = createRegistryClient()
  await using store = await openStore(directory.path)
  const reference = `${server.host}/app:1`
  const stop = new AbortController()
  const plan = await planPull(registry, store, reference)
  const onProgress = () => stop.abort(new Error('enough'))
  await expect(runPull(plan, { signal: stop.signal, onProgress })).rejects.toThrow('enough')
  expect(await blobsOf(store)).toEqual([])
  expect(openFilesBelow(directory.path)).toEqual([])
  expect(await store.references.get(reference)).toBeUndefined()

  await runPull(await planPull(registry, store, reference))
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  expect(openFilesBelow(directory.path)).toEqual([])
  await store.close()
  expect(readdirSync(join(directory.path, '.layerstore/ingests'))).toEqual([])
})

test('a registry that lies about a layer is refused, and nothing of it becomes visible', async () => {
  using directory = temporaryDirectory('lie')
  const remote = createMemoryStore()
  const image = await sampleImage(remote, [{ a: 'truth' }], { name: 'app:1' })
  const layer = image.layers[0]!.descriptor
  const lie = Buffer.alloc(layer.size, 1)
  async function* lies() {
    yield lie
  }
  const lying = new Proxy(remote, {
    get: (target, key: keyof Store) => {
      const read: Store['read'] = (digest, options) => (digest === layer.digest ? lies() : target.read(digest, options))
      if (key === 'read') return read
      const member = target[key]
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  await using server = await serveStore(lying)
  await using registry = createRegistryClient()
  await using store = await openStore(directory.path)
  const plan = await planPull(registry, store, `${server.host}/app:1`)
  await expect(runPull(plan)).rejects.toMatchObject({
    code: 'ERR_DIGEST_MISMATCH',
    expected: layer.digest,
    actual: await digestOf(lie),
  })
  expect(await store.stat(layer.digest)).toBeUndefined()
  expect(await store.references.get(`${server.host}/app:1`)).toBeUndefined()
})
