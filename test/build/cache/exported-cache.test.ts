import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CacheSource, type CacheTarget, from, importCache } from '../../../lib/build/index.ts'
import type { RegistryClient } from '../../../lib/registry/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../../helpers/build-files.ts'
import { registryClientFor } from '../../helpers/registry-client-for.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { serveStore } from '../../helpers/serve-store.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const files = { 'lib.js': 'lib', 'main.js': 'main' }
const tools = from('scratch').as('tools').copy('lib.js', '/lib/')
const app = from('scratch').as('app').copy({ from: tools, source: '/lib', to: '/app/lib/' }).copy('main.js', '/app/')

let place: ReturnType<typeof temporaryDirectory>
let registry: RegistryClient
beforeEach(() => {
  place = temporaryDirectory('cache')
  registry = registryClientFor()
})
afterEach(async () => {
  await registry.close()
  place[Symbol.dispose]()
})

/** Builds on one machine with a cache, then on another one with the same cache. */
async function onTwoMachines(target: CacheTarget, source: CacheSource) {
  await using one = createMemoryStore()
  await using two = createMemoryStore()
  const first = await buildFiles(one, app, files, { cacheTo: [target], registry })
  const second = await buildFiles(two, app, files, { cacheFrom: [source], registry, names: ['app:1'] })
  return { first, second, found: await filesOf(two, second) }
}

const isMade = (outcome: string) => outcome.startsWith('made')

describe('a cache', () => {
  test('travels through a registry', async () => {
    await using remote = createMemoryStore()
    await using server = await serveStore(remote)
    const reference = `${server.host}/team/cache:app`
    const { first, second, found } = await onTwoMachines({ reference }, { registry, reference })
    expect(outcomesOf(second)).toEqual([
      'cached COPY lib.js /lib/',
      'cached COPY /lib /app/lib/',
      'cached COPY main.js /app/',
    ])
    expect(second.descriptor).toEqual(first.descriptor)
    expect(found['app/lib/lib.js']).toBe('file 644 0:0 lib')
  })

  test('travels in a directory, and in an archive', async () => {
    const directory = join(place.path, 'cache')
    const one = await onTwoMachines({ directory }, { directory })
    expect(outcomesOf(one.second).filter(isMade)).toEqual([])
    const archive = join(place.path, 'cache.tar')
    const two = await onTwoMachines({ archive }, { archive })
    expect(two.second.descriptor).toEqual(one.first.descriptor)
    expect(outcomesOf(two.second).filter(isMade)).toEqual([])
  })

  test('serves what has not changed, and its layers are fetched only where they are needed', async () => {
    await using remote = createMemoryStore()
    await using server = await serveStore(remote)
    const reference = `${server.host}/team/cache:app`
    await using one = createMemoryStore()
    await using two = createMemoryStore()
    await buildFiles(one, app, files, { cacheTo: [{ reference }], registry })
    const options = { cacheFrom: [{ registry, reference }], registry }
    const result = await buildFiles(two, app, { ...files, 'main.js': 'edited' }, options)
    expect(outcomesOf(result)).toEqual([
      'cached COPY lib.js /lib/',
      'cached COPY /lib /app/lib/',
      'made COPY main.js /app/',
    ])
    const layers = new Set(server.requests.filter(request => /^GET .*\/blobs\//.test(request)))
    expect(layers.size).toBe(2)
  })

  test('that does not exist yet is skipped by a build, and refused by the import', async () => {
    const directory = join(place.path, 'none')
    await using store = createMemoryStore()
    const cacheFrom = [{ directory }, { archive: join(place.path, 'x') }]
    expect(outcomesOf(await buildFiles(store, app, files, { cacheFrom })).every(isMade)).toBe(true)
    for (const source of cacheFrom) expect(await thrownBy(() => importCache(source))).toHaveProperty('code')
    await using remote = createMemoryStore()
    await using server = await serveStore(remote)
    const reference = `${server.host}/team/cache:none`
    await using cache = await importCache({ registry, reference }, { optional: true })
    expect(cache.records.size).toBe(0)
    expect(await thrownBy(() => importCache({ registry, reference }))).toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND' })
  })

  test('something else in its place is refused', async () => {
    await using remote = createMemoryStore()
    await sampleImage(remote, [{ a: 'b' }], { name: 'team/app:1' })
    await using server = await serveStore(remote)
    const source = { registry, reference: `${server.host}/team/app:1` }
    expect(await thrownBy(() => importCache(source, { optional: true }))).toMatchObject({
      code: 'ERR_UNSUPPORTED_MEDIA_TYPE',
    })
    const archive = join(place.path, 'not.tar')
    writeFileSync(archive, 'no archive')
    expect(await thrownBy(() => importCache({ archive }, { optional: true }))).toMatchObject({
      code: 'ERR_INVALID_TAR',
    })
  })

  test('in a registry needs a registry', async () => {
    await using store = createMemoryStore()
    const error = await thrownBy(() => buildFiles(store, app, files, { cacheTo: [{ reference: 'a/b:c' }] }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

describe('a record', () => {
  test('whose layer is gone is a miss', async () => {
    await using store = createMemoryStore()
    const { images } = await buildFiles(store, app, files)
    await store.delete(images[0]!.layers[1]!.descriptor.digest)
    const again = await buildFiles(store, app, files)
    expect(outcomesOf(again)).toContain('made COPY main.js /app/')
    expect(again.descriptor).toEqual((await buildFiles(store, app, files)).descriptor)
  })

  test.each([
    ['no JSON', () => 'x'],
    ['another version', (text: string) => text.replace('"version":1', '"version":2')],
    ['another key', (text: string) => text.replace(/"key":"sha256:..../, '"key":"sha256:0000')],
    ['no layer', (text: string) => text.replace('"layer":', '"other":')],
    ['a part of an unknown kind', (text: string) => text.replace('"what":"instruction"', '"what":"riddle"')],
  ])('that is damaged is a miss: %s', async (_, damage) => {
    await using store = createMemoryStore()
    const stage = from('scratch').copy('main.js', '/')
    const { descriptor } = await buildFiles(store, stage, files)
    for (const key of await store.derived.list('cache')) {
      const text = Buffer.from((await store.derived.get('cache', key))!).toString()
      await store.derived.set('cache', key, Buffer.from(damage(text)))
    }
    const again = await buildFiles(store, stage, files)
    expect(outcomesOf(again)).toEqual(['made COPY main.js /'])
    expect(again.descriptor).toEqual(descriptor)
  })
})
