import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StepRecord } from '../../lib/build/cache/step-record.ts'
import { from, importCache } from '../../lib/build/index.ts'
import type { Digest } from '../../lib/digest/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { buildFiles, outcomesOf } from '../helpers/build-files.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const CONFIG_TYPE = 'application/vnd.layerstore.build-cache.config.v1+json'
const stage = from('scratch').copy('.', '/')
const files = { a: 'x' }
const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest

let remote: Store
let registry: RegistryClient
let server: Awaited<ReturnType<typeof serveStore>>
beforeEach(async () => {
  remote = createMemoryStore()
  registry = registryClientFor()
  server = await serveStore(remote)
})
afterEach(async () => {
  await registry.close()
  await server[Symbol.asyncDispose]()
  await remote.close()
})

/** A cache in the registry with this config and these layers. */
async function cacheOf(config: unknown, layers: readonly object[] = []) {
  const bytes = typeof config === 'string' ? Buffer.from(config) : canonicalJson(config)
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config: { mediaType: CONFIG_TYPE, ...(await remote.put(bytes)) },
    layers,
  }
  const descriptor = { mediaType: MediaType.OciManifest, ...(await remote.put(canonicalJson(manifest))) }
  await remote.references.set('team/cache:1', descriptor)
  return { registry, reference: `${server.host}/team/cache:1` }
}

/** The record of the only step of the build, as an honest cache would have it. */
async function honest(): Promise<{ record: StepRecord; layer: Buffer }> {
  await using store = createMemoryStore()
  await buildFiles(store, stage, files)
  const [key] = await store.derived.list('cache')
  const { inputs: _, ...record } = JSON.parse(Buffer.from((await store.derived.get('cache', key!))!).toString())
  const chunks: Uint8Array[] = []
  for await (const chunk of store.read(record.layer.digest)) chunks.push(chunk)
  return { record, layer: Buffer.concat(chunks) }
}

test.each([
  ['no JSON', 'x'],
  ['a list', []],
  ['nothing', null],
  ['another version', { version: 2, records: [] }],
  ['records that are no list', { version: 1, records: {} }],
])('a cache whose config is %s is refused', async (_, config) => {
  const source = await cacheOf(config)
  expect(await thrownBy(() => importCache(source))).toMatchObject({ code: 'ERR_INVALID_MANIFEST' })
})

test('records that are malformed, or whose layer the cache does not have, are left out', async () => {
  const { record, layer } = await honest()
  await remote.put(layer)
  const odd = [
    null,
    1,
    [],
    { ...record, key: '../../etc/passwd' },
    { ...record, parts: 'x' },
    { ...record, parts: [null] },
    { ...record, layer: { ...record.layer, digest: digest('9') } },
    { ...record, layer: { ...record.layer, size: -1 } },
    { ...record, diffId: 'x' },
    { ...record, milliseconds: 'long' },
    { ...record, layer: { ...record.layer, size: record.layer.size + 1 } },
  ]
  await using cache = await importCache(await cacheOf({ version: 1, records: odd }, [record.layer]))
  expect(cache.records.size).toBe(0)
})

test('a layer whose bytes are not those of its digest is refused, and leaves nothing', async () => {
  const { record, layer } = await honest()
  await remote.put(layer)
  const wrong = Buffer.from(layer)
  wrong[20]! ^= 1
  const config = { version: 1, records: [record] }
  const source = await cacheOf(config, [record.layer])
  const lying = new Proxy(registry, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (name === 'fetchBlob') {
        return async function* (repository: never, descriptor: { digest: string }, options: never) {
          if (descriptor.digest === record.layer.digest) yield wrong
          else yield* target.fetchBlob(repository, descriptor as never, options)
        }
      }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  await using store = createMemoryStore()
  const cacheFrom = [{ ...source, registry: lying }]
  const error = await thrownBy(() => buildFiles(store, stage, files, { cacheFrom, names: ['app:1'] }))
  expect(error).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
  expect(await store.references.get('app:1')).toBeUndefined()
  expect(await store.stat(record.layer.digest)).toBeUndefined()
})

test('a layer that does not hold what its record says is noticed by the first step that reads it', async () => {
  const { record, layer } = await honest()
  await remote.put(layer)
  const lie = { ...record, diffId: digest('b') }
  const source = await cacheOf({ version: 1, records: [lie] }, [record.layer])
  await using store = createMemoryStore()
  const error = await thrownBy(() => buildFiles(store, stage.copy('a', '/b'), files, { cacheFrom: [source] }))
  expect(error).toMatchObject({ code: 'ERR_BUILD_STEP', cause: { code: 'ERR_DIFF_ID_MISMATCH' } })
  expect(outcomesOf(await buildFiles(store, stage.copy('a', '/b'), files))).toEqual(['made COPY . /', 'made COPY a /b'])
})
