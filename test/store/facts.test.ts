import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import {
  createMemoryStore,
  knownSourcesOf,
  layerFact,
  layersOfDiffId,
  readOnlyStore,
  recordKnownSource,
  recordLayerFact,
} from '../../lib/store/index.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const digest = (text: string) => digestOf(Buffer.from(text))
const source = (repository: string, registry = 'r.example') => ({ registry, repository })
const files = () => [{ path: 'a', type: 'file', content: Buffer.alloc(10_000, 'a') } as const]

test('at most eight sources of a blob are kept, the latest first and each once', async () => {
  await using store = createMemoryStore()
  const blob = await digest('blob')
  expect(await knownSourcesOf(store, blob)).toEqual([])
  for (let i = 0; i < 10; i++) await recordKnownSource(store, blob, source(`app/${i}`))
  await recordKnownSource(store, blob, source('app/5'))
  await recordKnownSource(store, blob, source('app/5', 'other.example'))
  const kept = await knownSourcesOf(store, blob)
  expect(kept.map(({ registry, repository }) => `${registry}/${repository}`)).toEqual([
    'other.example/app/5',
    'r.example/app/5',
    ...[9, 8, 7, 6, 4, 3].map(i => `r.example/app/${i}`),
  ])
  expect(Math.abs(Date.now() - kept[0]!.seenMs)).toBeLessThan(10_000)
})

test('changes of one record at the same time are all kept', async () => {
  await using store = createMemoryStore()
  const blob = await digest('blob')
  await Promise.all([1, 2, 3, 4, 5].map(i => recordKnownSource(store, blob, source(`app/${i}`))))
  expect(await knownSourcesOf(store, blob)).toHaveLength(5)
})

test('a source that was recorded a moment ago is not recorded again', async () => {
  await using store = createMemoryStore()
  const blob = await digest('blob')
  await recordKnownSource(store, blob, source('app'))
  const [before] = await knownSourcesOf(store, blob)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5000 })
  await recordKnownSource(store, blob, source('app'))
  vi.useRealTimers()
  expect(await knownSourcesOf(store, blob)).toEqual([before])
})

test('writeLayer records the diffID and the compressor of a layer', async () => {
  await using store = createMemoryStore()
  const gzip = await writeLayer(store, files())
  const plain = await writeLayer(store, files(), { compression: 'none' })
  expect(plain.diffId).toBe(gzip.diffId)
  expect(await layerFact(store, gzip.descriptor.digest)).toMatchObject({
    diffId: gzip.diffId,
    compressor: expect.stringMatching(/^gzip-6\/zlib-\d/),
    proven: true,
  })
  const both = await layersOfDiffId(store, gzip.diffId)
  expect(both.map(fact => fact.digest).sort()).toEqual([gzip.descriptor.digest, plain.descriptor.digest].sort())
  expect(await layerFact(store, await digest('unknown'))).toBeUndefined()
})

test('a diffID stated by an image neither replaces nor evicts a proven one', async () => {
  await using store = createMemoryStore()
  const [layer, right, wrong] = [await digest('layer'), await digest('right'), await digest('wrong')]
  await recordLayerFact(store, { digest: layer, diffId: right, compressor: 'gzip-6/zlib-1', proven: true })
  await recordLayerFact(store, { digest: layer, diffId: right, proven: false })
  await recordLayerFact(store, { digest: layer, diffId: wrong, proven: false })
  for (let i = 0; i < 20; i++) {
    await recordLayerFact(store, { digest: await digest(`${i}`), diffId: right, proven: false })
  }
  expect(await layerFact(store, layer)).toEqual({
    digest: layer,
    diffId: right,
    compressor: 'gzip-6/zlib-1',
    proven: true,
  })
  const known = await layersOfDiffId(store, right)
  expect(known).toHaveLength(16)
  expect(known[0]?.digest).toBe(layer)
})

test('a proven diffID replaces a stated one', async () => {
  await using store = createMemoryStore()
  const [layer, right, wrong] = [await digest('layer'), await digest('right'), await digest('wrong')]
  await recordLayerFact(store, { digest: layer, diffId: wrong, proven: false })
  await recordLayerFact(store, { digest: layer, diffId: right, proven: true })
  expect(await layerFact(store, layer)).toEqual({ digest: layer, diffId: right, proven: true })
})

test('facts are derived data: every operation works without them, or with damaged ones', async () => {
  using directory = temporaryDirectory('facts')
  await using store = await openStore(directory.path)
  const { descriptor } = await writeLayer(store, files())
  await recordKnownSource(store, descriptor.digest, source('app'))
  const at = join(directory.path, '.layerstore/facts')
  expect(readdirSync(at).length).toBeGreaterThan(0)
  for (const name of readdirSync(at)) writeFileSync(join(at, name), '{"broken')
  expect(await knownSourcesOf(store, descriptor.digest)).toEqual([])
  expect(await layerFact(store, descriptor.digest)).toBeUndefined()
  rmSync(at, { recursive: true })
  expect((await writeLayer(store, files())).descriptor).toEqual(descriptor)
  expect(await layerFact(store, descriptor.digest)).toBeDefined()
})

test('a fact of another shape counts as absent', async () => {
  await using store = createMemoryStore()
  const blob = await digest('blob')
  const set = (key: string, value: unknown) => store.derived.set('facts', key, Buffer.from(JSON.stringify(value)))
  for (const value of [
    null,
    1,
    { sources: 'x' },
    { sources: [1, null, { registry: 'r' }, { registry: 1, repository: 'a', seenMs: 1 }] },
  ]) {
    await set(`sources:${blob}`, value)
    expect(await knownSourcesOf(store, blob)).toEqual([])
  }
  for (const blobs of [
    [{ digest: 'x', diffId: blob }],
    [{ digest: blob, diffId: 'x' }],
    [{ digest: 1 }],
    [{ digest: blob }],
  ]) {
    await set(`layer:${blob}`, { blobs })
    expect(await layerFact(store, blob)).toBeUndefined()
  }
})

test('a store that cannot be written to records no fact, and that is no error', async () => {
  await using store = createMemoryStore()
  const blob = await digest('blob')
  await recordKnownSource(readOnlyStore(store), blob, source('app'))
  await recordKnownSource({}, blob, source('app'))
  expect(await knownSourcesOf(store, blob)).toEqual([])
  expect(await knownSourcesOf({}, blob)).toEqual([])
  const closed = createMemoryStore()
  await closed.close()
  await recordKnownSource(closed, blob, source('app'))
  const reason = new Error('enough')
  expect(await thrownBy(() => knownSourcesOf(store, blob, { signal: AbortSignal.abort(reason) }))).toBe(reason)
})

describe.each(['disk', 'memory'])('after a collection, in a %s store', kind => {
  test('facts about removed blobs are deleted, facts about the other blobs stay', async () => {
    using directory = temporaryDirectory('facts-gc')
    await using store = kind === 'disk' ? await openStore(directory.path) : createMemoryStore()
    const { manifest, layer } = await putStoreImage(store, 'stays')
    await store.references.set('app:1', manifest)
    const gone = await store.put(Buffer.from('goes'))
    const twin = await store.put(Buffer.from('goes too, and holds the same as what stays'))
    const [diffId, other] = [await digestOf(Buffer.from('diff')), await digestOf(Buffer.from('other'))]
    await recordLayerFact(store, { digest: layer.digest, diffId, proven: true })
    await recordLayerFact(store, { digest: twin.digest, diffId, proven: true })
    await recordLayerFact(store, { digest: gone.digest, diffId: other, proven: true })
    for (const digest of [layer.digest, gone.digest]) {
      await recordKnownSource(store, digest, { registry: 'r.example', repository: 'a' })
    }
    for (const key of [diffId, other]) await store.derived.set('indexes', key, Buffer.from('an index'))
    const plan = await planCollection(store, { graceMs: 0, force: true })
    expect((await runCollection(store, plan)).deleted).toHaveLength(2)
    expect([...(await store.derived.list('facts'))].sort()).toEqual(
      [`diff:${diffId}`, `layer:${layer.digest}`, `sources:${layer.digest}`].sort(),
    )
    expect(await store.derived.list('indexes')).toEqual([diffId])
    expect((await layersOfDiffId(store, diffId)).map(({ digest }) => digest)).toEqual([layer.digest])
  })
})
