import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type ImageArchive, loadArchive, openArchive, type ReadArchiveOptions } from '../../lib/archive/index.ts'
import { parseDigest } from '../../lib/digest/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { assertComplete, createMemoryStore, layersOfDiffId } from '../../lib/store/index.ts'
import { cut } from '../helpers/cut.ts'
import { dockerArchive } from '../helpers/docker-archive.ts'
import { sha256 } from '../helpers/push-image.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const place = temporaryDirectory('archive')
afterAll(() => place[Symbol.dispose]())
const opened: ImageArchive[] = []
afterEach(async () => {
  for (const archive of opened.splice(0)) await archive.close()
})
async function open(bytes: Uint8Array, options?: ReadArchiveOptions) {
  const archive = await openArchive(fileOf(bytes), options)
  opened.push(archive)
  return archive
}
const fileOf = (bytes: Uint8Array) => {
  const path = join(mkdtempSync(join(place.path, 'a-')), 'archive.tar')
  writeFileSync(path, bytes)
  return path
}
const amd64 = { os: 'linux', architecture: 'amd64' }

/** Reads an archive from a file, from a stream and compressed; the results must be equal. */
async function readEveryWay(tar: Buffer, options: ReadArchiveOptions = {}) {
  const results = []
  for (const source of [fileOf(tar), cut(tar, 1000), fileOf(gzipSync(tar))]) {
    const store = createMemoryStore()
    const images = await loadArchive(store, source, options)
    for (const { descriptor } of images) await assertComplete(store, descriptor)
    results.push({ store, images })
  }
  for (const bytes of [tar, gzipSync(tar)]) {
    const store = await open(bytes, options)
    results.push({ store, images: store.images })
  }
  return results
}

test('an image of docker keeps config and layers byte for byte, and gets the same manifest from a file and a stream', async () => {
  const { entries, config, configDigest, layers, diffIds } = dockerArchive()
  const digests = new Set<string>()
  for (const { store, images } of await readEveryWay(rawTar(entries))) {
    expect(images).toMatchObject([{ names: ['app:1.0'], labels: ['app:1.0'], platformsLeftOut: [] }])
    const image = await readImage(store, 'app:1.0', { platform: amd64 })
    digests.add(image.descriptor.digest)
    expect(image.manifest).toMatchObject({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configDigest },
      layers: diffIds.map((digest, i) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest,
        size: layers[i]!.byteLength,
      })),
    })
    expect(await readAll(store.read(parseDigest(configDigest)))).toEqual(config)
    expect(await readAll(store.read(parseDigest(diffIds[1]!)))).toEqual(layers[1])
    const view = await openUnionView(store, 'app:1.0', { platform: amd64 })
    expect((await readAll(view.read('second.txt'))).toString()).toBe('second')
  }
  expect(digests.size).toBe(1)
})

test('`manifestFormat` composes a Docker manifest', async () => {
  const options = { manifestFormat: 'docker' } as const
  for (const { store } of await readEveryWay(rawTar(dockerArchive().entries), options)) {
    const { manifest, descriptor } = await readImage(store, 'app:1.0', { platform: amd64 })
    expect(descriptor.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json')
    expect(manifest).toMatchObject({
      mediaType: descriptor.mediaType,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json' },
      layers: Array(2).fill({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar' }),
    })
  }
})

test('compressed layers stay compressed, under their own digest', async () => {
  const { entries, layers, diffIds } = dockerArchive(['a', 'b'], { gzip: true })
  for (const { store } of await readEveryWay(rawTar(entries))) {
    const image = await readImage(store, 'app:1.0', { platform: amd64 })
    expect(image.layers.map(({ diffId }) => diffId)).toEqual(diffIds)
    expect(image.manifest.layers).toMatchObject(
      layers.map(layer => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: sha256(gzipSync(layer)),
      })),
    )
  }
})

test('the store knows the diffID of each loaded layer', async () => {
  for (const gzip of [false, true]) {
    const { entries, layers, diffIds } = dockerArchive(['a'], { gzip })
    const [digest] = layers.map(layer => sha256(gzip ? gzipSync(layer) : layer))
    for (const source of [fileOf(rawTar(entries)), [rawTar(entries)]]) {
      const store = createMemoryStore()
      await loadArchive(store, source)
      expect(await layersOfDiffId(store, parseDigest(diffIds[0]!))).toMatchObject([{ digest, proven: true }])
    }
  }
})

test('a layer shared by several images is found through links, in any order of the archive', async () => {
  const { entries, diffIds } = dockerArchive(['same', 'own'])
  const [layer] = entries.filter(({ path }) => path.toString().endsWith('/layer.tar'))
  const linked = entries.map(entry =>
    entry === layer ? { path: entry.path, link: '../elsewhere/./layer.tar' } : entry,
  )
  const all = [...linked, { ...layer!, path: './elsewhere/layer.tar' }]
  for (const order of [all, [...all].reverse()]) {
    for (const { store } of await readEveryWay(rawTar(order))) {
      const { manifest } = await readImage(store, 'app:1.0', { platform: amd64 })
      expect(manifest.layers.map(({ digest }) => digest)).toEqual(diffIds)
    }
  }
})

test('a hard link is another name of an earlier file', async () => {
  const { entries, diffIds } = dockerArchive(['same'])
  const at = entries.findIndex(({ path }) => path.toString().endsWith('/layer.tar'))
  const { path } = entries[at]!
  entries.splice(at, 1, { ...entries[at]!, path: 'first.tar' }, { path, link: 'first.tar', type: '1' })
  const archive = await open(rawTar(entries))
  expect((await readImage(archive, 'app:1.0')).manifest.layers[0]).toMatchObject({ digest: diffIds[0] })
})

test('an image without layers and an image without a name are loaded', async () => {
  for (const tags of [null, []]) {
    for (const { store, images } of await readEveryWay(rawTar(dockerArchive([], { tags }).entries))) {
      expect(images).toMatchObject([{ names: [], labels: [] }])
      expect((await readImage(store, images[0]!.descriptor)).layers).toEqual([])
    }
  }
})

test('all names of all images are set; one image can be selected in every spelling', async () => {
  const first = dockerArchive(['one'], { tags: ['app', 'docker.io/library/app:2', 'ghcr.io/o/app:1'] })
  const second = dockerArchive(['two'], { tags: ['db:7'] })
  const list = [first, second].flatMap(({ entries }) =>
    JSON.parse(entries.find(({ path }) => path === 'manifest.json')!.content as string),
  )
  const others = [...first.entries, ...second.entries].filter(
    ({ path }) => !/^(manifest.json|repositories)$/.test(`${path}`),
  )
  const tar = rawTar([...others, { path: 'manifest.json', content: JSON.stringify(list) }])
  const [fromFile, fromStream] = await readEveryWay(tar)
  for (const { store, images } of [fromFile!, fromStream!]) {
    expect(images.map(image => image.names)).toEqual([['app:latest', 'app:2', 'ghcr.io/o/app:1'], ['db:7']])
    const names = []
    for await (const { name } of store.references.list()) names.push(name)
    expect(names).toEqual(['app:2', 'app:latest', 'db:7', 'ghcr.io/o/app:1'])
  }
  for (const image of ['app', 'app:2', 'docker.io/library/app:2', 'docker.io/library/app', '@0']) {
    for (const { images } of await readEveryWay(tar, { image })) {
      expect(images.map(({ descriptor }) => descriptor)).toEqual([fromFile!.images[0]!.descriptor])
    }
  }
  const archive = await open(tar)
  expect(archive.find('@1').names).toEqual(['db:7'])
  expect(await thrownBy(() => archive.find())).toMatchObject({ code: 'ERR_INVALID_LAYOUT' })
  expect(await thrownBy(() => archive.find('@2'))).toMatchObject({ code: 'ERR_REFERENCE_NOT_FOUND' })
  expect(await thrownBy(() => openArchive(fileOf(tar), { image: 'none' }))).toMatchObject({
    code: 'ERR_REFERENCE_NOT_FOUND',
    message: 'no image named none in the archive',
  })
})

test('a name from the caller replaces those in the archive, if it holds one image', async () => {
  const store = createMemoryStore()
  const tar = rawTar(dockerArchive().entries)
  expect(await loadArchive(store, [tar], { name: 'other' })).toMatchObject([
    { names: ['other:latest'], labels: ['app:1.0'] },
  ])
  expect(await store.references.get('app:1.0')).toBeUndefined()
})
