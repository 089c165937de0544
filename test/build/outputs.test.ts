import { linkSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openArchive } from '../../lib/archive/index.ts'
import { from, planBuild } from '../../lib/build/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { planCollection } from '../../lib/maintenance/index.ts'
import { remoteLayersOf } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { readTar } from '../../lib/tar/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../helpers/build-files.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
let registry: RegistryClient
beforeEach(() => {
  store = createMemoryStore()
  registry = registryClientFor()
})
afterEach(async () => {
  await registry.close()
  await store.close()
})

const files = { 'main.js': 'main' }

async function namesIn(tar: Uint8Array): Promise<string[]> {
  const names: string[] = []
  for await (const { path, type, linkname } of readTar([tar])) {
    names.push(type === 'hardlink' ? `${path} -> ${linkname}` : path)
  }
  return names
}

describe('the result of a build', () => {
  test('goes to an archive and to a directory', async () => {
    using place = temporaryDirectory('outputs')
    const stage = from('scratch').copy('main.js', '/app/')
    const path = join(place.path, 'app.tar')
    const directory = join(place.path, 'rootfs')
    const { descriptor } = await buildFiles(store, stage, files, { archive: { path, name: 'app:1' }, directory })
    await using archive = await openArchive(path)
    expect((await readImage(archive, 'app:1')).descriptor.digest).toBe(descriptor.digest)
    expect(readFileSync(join(directory, 'app/main.js'), 'utf8')).toBe('main')
    const platforms = ['linux/amd64', 'linux/arm64/v8']
    const both = join(place.path, 'both')
    await buildFiles(store, stage, files, { directory: both, platforms })
    expect(readdirSync(both)).toEqual(['linux_amd64', 'linux_arm64'])
  })

  test('goes to tar archives of its files: to a path, and to a function', async () => {
    using place = temporaryDirectory('outputs')
    const path = join(place.path, 'files.tar')
    const streamed: Buffer[] = []
    const tar = [path, async (bytes: AsyncIterable<Uint8Array>) => void streamed.push(await readAll(bytes))]
    const stage = from('scratch').copy('main.js', '/app/')
    await buildFiles(store, stage, files, { tar })
    expect(readFileSync(path)).toEqual(streamed[0])
    expect(await namesIn(streamed[0]!)).toEqual(['app', 'app/main.js'])
    writeFileSync(join(place.path, 'a'), 'a')
    linkSync(join(place.path, 'a'), join(place.path, 'b'))
    const platforms = ['linux/amd64', 'linux/arm64']
    const both = from('scratch').copy('.', '/')
    await buildFiles(store, both, {}, { context: place.path, tar: path, platforms })
    const names = ['', '/a', '/files.tar', '/b -> linux_amd64/a'].map(name => `linux_amd64${name}`)
    expect(await namesIn(readFileSync(path))).toEqual([...names, ...names.map(name => name.replaceAll('amd', 'arm'))])
  })

  test('goes to several places of a kind, and to a function as an archive', async () => {
    using place = temporaryDirectory('outputs')
    const at = (name: string) => join(place.path, name)
    const streamed: Buffer[] = []
    const archive = [
      { path: at('a.tar'), format: 'oci' },
      { path: async (chunks: AsyncIterable<Uint8Array>) => void streamed.push(await readAll(chunks)), format: 'oci' },
    ] as const
    await buildFiles(store, from('scratch').copy('.', '/'), files, { archive, directory: [at('one'), at('two')] })
    expect(readFileSync(at('a.tar'))).toEqual(streamed[0])
    expect(readdirSync(at('one'))).toEqual(readdirSync(at('two')))
  })

  test('is written into a directory that has files; the others stay', async () => {
    using place = temporaryDirectory('outputs')
    writeFileSync(join(place.path, 'own'), 'own')
    writeFileSync(join(place.path, 'main.js'), 'old')
    await buildFiles(store, from('scratch').copy('.', '/'), files, { directory: place.path })
    expect(readdirSync(place.path).sort()).toEqual(['main.js', 'own'])
    expect(readFileSync(join(place.path, 'main.js'), 'utf8')).toBe('main')
  })

  test('is pushed without a name in the store', async () => {
    await using remote = createMemoryStore()
    await using server = await serveStore(remote)
    const stage = from('scratch').copy('main.js', '/app/')
    const options = { registry, push: [`${server.host}/team/app:1`] }
    const { descriptor, pushed, names } = await buildFiles(store, stage, files, options)
    expect(pushed[0]).toMatchObject({ digest: descriptor.digest, blobsUploaded: 3 })
    expect(names).toEqual([])
    expect((await readImage(remote, 'team/app:1')).descriptor.digest).toBe(descriptor.digest)
    const error = await thrownBy(() => buildFiles(store, stage, files, { push: ['x/y:1'] }))
    expect(error).toMatchObject({
      code: 'ERR_BUILD_INVALID_STEP',
      message: expect.stringMatching(/needs the option registry/),
    })
  })

  test('gets no name if an output fails', async () => {
    const options = { names: ['app:1'], archive: { path: '/nowhere/at/all.tar' } }
    const error = await thrownBy(() => buildFiles(store, from('scratch').copy('.', '/'), files, options))
    expect(error).toMatchObject({ code: 'ERR_STORE_IO' })
    expect(await store.references.get('app:1')).toBeUndefined()
  })
})

describe('a base in a registry', () => {
  async function served() {
    const remote = createMemoryStore()
    await sampleImage(remote, [{ 'etc/os': 'base', 'usr/bin/node': 'node' }], { name: 'team/base:1' })
    const server = await serveStore(remote)
    return {
      base: `${server.host}/team/base:1`,
      host: server.host,
      remote,
      blobs: () => server.requests.filter(request => request.startsWith('GET') && request.includes('/blobs/')),
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]()
        await remote.close()
      },
    }
  }

  test('is known by manifest and config, also to a plan; its layers are fetched when a step reads them', async () => {
    await using server = await served()
    const stage = from(server.base).copy('main.js', '/app/')
    const plan = await planBuild(store, from(server.base).cmd(['x']), { registry })
    expect(plan.images[0]!.bases).toMatchObject([{ reference: server.base, missingLayers: 1 }])
    expect(plan.images[0]!.steps[0]!.reason).toBe('1 of 1 layers are not in the store')
    expect(server.blobs().length).toBe(1)
    const result = await buildFiles(store, stage, files, { registry, names: ['app:1'] })
    expect(await filesOf(store, result)).toMatchObject({
      'etc/os': 'file 644 0:0 base',
      'app/main.js': 'file 644 0:0 main',
    })
    expect(server.blobs().length).toBe(3)
    expect(remoteLayersOf((await store.references.get('app:1'))!)).toEqual([])
  })

  test('that is only appended to is never fetched: a push mounts its layers', async () => {
    await using server = await served()
    const stage = from(server.base)
      .copy('main.js', '/app/', { link: true, chown: '1000:1000' })
      .cmd(['node', '/app/main.js'])
    const options = { registry, push: [`${server.host}/team/app:1`], names: ['app:1'] }
    const result = await buildFiles(store, stage, files, options)
    expect(server.blobs().length).toBe(1)
    expect(result.pushed[0]).toMatchObject({ blobsUploaded: 3 })
    expect(await filesOf(server.remote, { ...result })).toMatchObject({
      'usr/bin/node': 'file 644 0:0 node',
      'app/main.js': 'file 644 1000:1000 main',
    })
    const [layer] = result.images[0]!.layers
    expect(await store.stat(layer!.descriptor.digest)).toBeUndefined()
    expect(remoteLayersOf((await store.references.get('app:1'))!)).toMatchObject([{ repository: 'team/base' }])
    expect((await planCollection(store)).missing).toEqual([])
  })

  test('with a build that is cached moves no layer', async () => {
    await using server = await served()
    const stage = from(server.base).copy('main.js', '/app/').cmd(['x'])
    await buildFiles(store, stage, files, { registry })
    const before = server.blobs().length
    const again = await buildFiles(store, stage, files, { registry })
    expect(outcomesOf(again)).toEqual(['cached COPY main.js /app/'])
    expect(server.blobs().length - before).toBe(1)
  })

  test('with a cache of another machine moves no layer of the base either', async () => {
    await using server = await served()
    const stage = from(server.base).copy('main.js', '/app/').cmd(['x'])
    const reference = `${server.host}/team/cache:1`
    await buildFiles(store, stage, files, { registry, cacheTo: [{ reference }] })
    await using fresh = createMemoryStore()
    const base = await readImage(server.remote, 'team/base:1')
    const before = server.blobs().length
    const push = [`${server.host}/team/app:1`]
    const again = await buildFiles(fresh, stage, files, {
      registry,
      cacheFrom: [{ reference }],
      push,
      names: ['app:1'],
    })
    expect(outcomesOf(again)).toEqual(['cached COPY main.js /app/'])
    const moved = server.blobs().slice(before)
    // The configs of base and cache, and the layer of the step.
    expect(moved).toHaveLength(3)
    expect(moved.some(request => request.includes(base.layers[0]!.descriptor.digest))).toBe(false)
    expect(await fresh.stat(base.layers[0]!.descriptor.digest)).toBeUndefined()
    expect(await filesOf(server.remote, again)).toMatchObject({ 'usr/bin/node': 'file 644 0:0 node' })
  })

  test('is read from the store if that has it, and from the registry if that is asked for', async () => {
    await using server = await served()
    await sampleImage(store, [{ own: 'x' }], { name: server.base })
    const stage = from(server.base).copy('main.js', '/')
    const own = await buildFiles(store, stage, files, { registry })
    expect(Object.keys(await filesOf(store, own))).toContain('own')
    const fresh = await buildFiles(store, stage, files, { registry, pull: 'always' })
    expect(Object.keys(await filesOf(store, fresh))).not.toContain('own')
    const none = await thrownBy(() =>
      buildFiles(store, from(`${server.host}/team/other:1`), files, { registry, pull: 'never' }),
    )
    expect(none).toMatchObject({ cause: { code: 'ERR_REFERENCE_NOT_FOUND' } })
  })

  test('is asked for the platform that the store has not', async () => {
    await using server = await served()
    await sampleImage(store, [{ own: 'x' }], { name: server.base, architecture: 'arm64' })
    const platforms = ['linux/amd64']
    const result = await buildFiles(store, from(server.base), files, { registry, platforms })
    expect(result.images[0]!.config.architecture).toBe('amd64')
    const offline = await buildFiles(store, from(server.base), files, { platforms })
    expect(offline.images[0]!.config.architecture).toBe('arm64')
  })
})

test('layers are compressed as the caller asks', async () => {
  const stage = from('scratch').copy('main.js', '/')
  const { images } = await buildFiles(store, stage, files, { compression: 'none' })
  expect(images[0]!.layers[0]!.descriptor.mediaType).toBe('application/vnd.oci.image.layer.v1.tar')
})
