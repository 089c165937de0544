import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { loadArchive, openArchive, saveArchive, writeArchive } from '../../lib/archive/index.ts'
import { parseDigest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { attachedTag, hostPlatform } from '../../lib/oci/index.ts'
import { assertComplete, createMemoryStore, type Store } from '../../lib/store/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { cut } from '../helpers/cut.ts'
import { rawEntriesOf } from '../helpers/docker-archive.ts'
import { sha256 } from '../helpers/push-image.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndexImage } from '../helpers/sample-index-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const place = temporaryDirectory('archive')
afterAll(() => place[Symbol.dispose]())
const fileOf = (bytes: Uint8Array) => {
  const path = join(mkdtempSync(join(place.path, 'a-')), 'archive.tar')
  writeFileSync(path, bytes)
  return path
}
const contentOf = (entries: readonly RawEntry[], path: string) =>
  JSON.parse(`${entries.find(entry => entry.path === path)!.content}`)
const withIndex = (entries: readonly RawEntry[], manifests: unknown) =>
  rawTar(
    entries.map(entry =>
      entry.path === 'index.json' ? { ...entry, content: JSON.stringify({ schemaVersion: 2, manifests }) } : entry,
    ),
  )

async function threeImages(): Promise<Store> {
  const store = createMemoryStore()
  await sampleImage(store, [{ a: '1' }, { b: '2' }], { name: 'app:1.0' })
  await sampleImage(store, [{ a: '1' }, { c: '3' }], { name: 'ghcr.io/o/other:2' })
  await store.references.set('app:latest', (await store.references.get('app:1.0'))!)
  await sampleIndexImage(store, ['amd64', 'arm64'], 'many:1')
  await store.put(Buffer.from('nobody needs this'))
  return store
}
const names = ['app:1.0', 'app', 'ghcr.io/o/other:2', 'many:1']

test.each(['oci', 'docker'] as const)(
  'images saved as %s are loaded with every digest and name, from a file, a stream and a compressed file',
  async format => {
    await using store = await threeImages()
    const tar = await readAll(writeArchive(store, names, { format }))
    const needed = (await blobsOf(store)).filter(digest => digest !== sha256('nobody needs this'))
    for (const source of [fileOf(tar), cut(tar, 1000), fileOf(gzipSync(tar)), cut(gzipSync(tar), 1000)]) {
      await using back = createMemoryStore()
      const loaded = await loadArchive(back, source)
      expect(loaded.map(image => image.names)).toEqual([['app:1.0', 'app:latest'], ['ghcr.io/o/other:2'], ['many:1']])
      for (const name of names) expect(await back.references.get(name)).toEqual(await store.references.get(name))
      for (const digest of needed) expect(await back.stat(parseDigest(digest))).toBeDefined()
      const again = await readAll(writeArchive(back, names, { format }))
      expect(sha256(again)).toBe(sha256(tar))
    }
    await using archive = await openArchive(fileOf(tar))
    expect(archive.format).toBe('oci')
    expect(await blobsOf(archive)).toEqual(needed)
    for (const { descriptor } of archive.images) await assertComplete(archive, descriptor)
  },
)

test('an archive is loaded into a store on disk, and loading it again changes nothing', async () => {
  await using store = await threeImages()
  const path = join(place.path, 'again.tar')
  await saveArchive(store, names, path)
  await using disk = await openStore(join(place.path, 'disk'))
  const first = await loadArchive(disk, path)
  const blobs = await blobsOf(disk)
  expect(await loadArchive(disk, path)).toEqual(first)
  expect(await blobsOf(disk)).toEqual(blobs)
  expect((await readImage(disk, 'app')).layers).toHaveLength(2)
})

test('an archive is a store for every act that only reads, and rejects writes', async () => {
  await using store = await threeImages()
  const archive = await openArchive(fileOf(await readAll(writeArchive(store, names))))
  const { descriptor, layers } = await readImage(archive, 'docker.io/library/app:1.0')
  const [layer] = layers
  const { digest, size } = layer!.descriptor
  const listed = []
  for await (const { name } of archive.references.list()) listed.push(name)
  expect(listed).toEqual(['app:1.0', 'app:latest', 'ghcr.io/o/other:2', 'many:1'])
  expect(await archive.references.get('none')).toBeUndefined()
  expect(await archive.stat(parseDigest(sha256('none')))).toBeUndefined()
  const whole = await readAll(archive.read(digest))
  expect(whole).toHaveLength(size)
  expect(await readAll(archive.read(digest, { offset: 3, length: 5 }))).toEqual(whole.subarray(3, 8))
  expect(await readAll(archive.read(digest, { offset: size + 9 }))).toHaveLength(0)
  expect(await thrownBy(() => readAll(archive.read(parseDigest(sha256('none')))))).toMatchObject({
    code: 'ERR_BLOB_NOT_FOUND',
  })
  for (const write of [
    () => archive.put(Buffer.from('x')),
    () => archive.ingest('x'),
    () => archive.delete(digest),
    () => archive.references.set('x', descriptor),
    () => archive.references.delete('app:1.0'),
  ]) {
    expect(await thrownBy(write)).toMatchObject({ code: 'ERR_STORE_READ_ONLY' })
  }
  {
    await using lease = await archive.leases.hold({ digests: [digest] })
    expect(await lease.add(digest)).toBe(true)
    expect(await lease.add(parseDigest(sha256('none')))).toBe(false)
    await lease.renew()
    await lease.release()
  }
  for await (const _ of archive.leases.list()) expect.unreachable()
  expect(archive.find('app').descriptor).toEqual(descriptor)
  await archive.close()
  await archive.close()
  expect(await thrownBy(() => archive.stat(digest))).toMatchObject({ code: 'ERR_STORE_CLOSED' })
  expect(await thrownBy(() => readAll(archive.read(digest)))).toMatchObject({ code: 'ERR_STORE_CLOSED' })
})

test('names are read from the annotation of containerd and docker, and else from the tag', async () => {
  await using store = await threeImages()
  const entries = await rawEntriesOf(await readAll(writeArchive(store, ['app:1.0', 'ghcr.io/o/other:2'])))
  const [first, second] = contentOf(entries, 'index.json').manifests
  const annotated = (descriptor: object, name: string | undefined, tag: string, more = {}) => ({
    ...descriptor,
    annotations: {
      ...(name && { 'io.containerd.image.name': name }),
      'org.opencontainers.image.ref.name': tag,
      ...more,
    },
  })
  const tar = withIndex(entries, [
    annotated(first, 'docker.io/library/app:latest', 'latest', { kept: 'yes' }),
    annotated(second, 'ghcr.io/o/other:latest', 'latest'),
  ])
  await using archive = await openArchive(fileOf(tar))
  expect(archive.images).toMatchObject([
    { names: ['app:latest'], labels: ['latest'], descriptor: { digest: first.digest, annotations: { kept: 'yes' } } },
    {
      names: ['ghcr.io/o/other:latest'],
      labels: ['latest'],
      descriptor: expect.not.objectContaining({ annotations: {} }),
    },
  ])
  expect(await thrownBy(() => archive.find('latest'))).toMatchObject({ code: 'ERR_INVALID_LAYOUT' })
  expect(archive.find('app').descriptor.digest).toBe(first.digest)

  const words = withIndex(entries, [annotated(first, undefined, 'V1'), annotated(second, undefined, 'v2')])
  await using labelled = await openArchive(fileOf(words))
  expect(labelled.images).toMatchObject([{ names: [], labels: ['V1'] }, { names: ['v2:latest'] }])
  expect((await labelled.references.get('V1'))?.digest).toBe(first.digest)
  await using back = createMemoryStore()
  expect(await loadArchive(back, fileOf(words), { image: 'V1', name: 'app:v1' })).toMatchObject([{ names: ['app:v1'] }])
})

test('an index that docker saved incompletely gives the complete image', async () => {
  await using store = createMemoryStore()
  const { descriptor, images } = await sampleIndexImage(store, ['amd64', 'arm64', 's390x'], 'many:1')
  const entries = await rawEntriesOf(await readAll(writeArchive(store, 'many:1')))
  const without = (...lost: number[]) =>
    rawTar(entries.filter(({ path }) => !lost.some(i => `${path}`.endsWith(images[i]!.descriptor.digest.slice(7)))))
  const loaded = async (tar: Buffer, options = {}) => loadArchive(createMemoryStore(), fileOf(tar), options)
  expect(await loaded(without())).toMatchObject([{ descriptor, platformsLeftOut: [] }])
  expect(await loaded(without(0, 1))).toMatchObject([
    { names: ['many:1'], descriptor: images[2]!.descriptor, platformsLeftOut: ['linux/amd64', 'linux/arm64'] },
  ])
  const platform = { os: 'linux', architecture: 'arm64' }
  expect(await loaded(without(), { platform })).toMatchObject([{ descriptor: images[1]!.descriptor }])
  const host = ['amd64', 'arm64', 's390x'].indexOf(hostPlatform().architecture)
  if (host >= 0) {
    expect(await loaded(without((host + 1) % 3))).toMatchObject([{ descriptor: images[host]!.descriptor }])
    expect(await thrownBy(() => loaded(without(host)))).toMatchObject({ code: 'ERR_PLATFORM_NOT_FOUND' })
  }
  expect(await thrownBy(() => loaded(without(1), { platform }))).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  expect(await thrownBy(() => loaded(without(0, 1, 2)))).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
})

test('blobs that an archive omits may be in the store already', async () => {
  await using store = await threeImages()
  const { layers } = await readImage(store, 'app:1.0')
  const base = layers[0]!.descriptor
  const entries = await rawEntriesOf(await readAll(writeArchive(store, 'app:1.0')))
  const tar = rawTar(entries.filter(({ path }) => !`${path}`.endsWith(base.digest.slice(7))))
  for (const source of [fileOf(tar), [tar]]) {
    await using empty = createMemoryStore()
    expect(await thrownBy(() => loadArchive(empty, source))).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
    await empty.put(store.read(base.digest))
    expect(await loadArchive(empty, source)).toMatchObject([{ names: ['app:1.0'] }])
  }
})

test('an artifact can be written to a layout, but not in the format of docker', async () => {
  await using store = createMemoryStore()
  const config = await store.put(Buffer.from('{}'))
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/x.thing',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
    layers: [{ mediaType: 'text/plain', ...(await store.put(Buffer.from('words'))) }],
  }
  const descriptor = { mediaType: manifest.mediaType, ...(await store.put(canonicalJson(manifest))) }
  await store.references.set('thing:1', descriptor)
  await using back = createMemoryStore()
  expect(await loadArchive(back, writeArchive(store, 'thing:1'))).toMatchObject([{ names: ['thing:1'], descriptor }])
  const docker = () => readAll(writeArchive(store, 'thing:1', { format: 'docker' }))
  expect(await thrownBy(docker)).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
})

test('signatures of two repositories do not become one name with the given one', async () => {
  const store = createMemoryStore()
  const { descriptor: image } = await sampleImage(store, [{ a: '1' }])
  const tag = attachedTag(image.digest, 'sig')
  const attached = [await sampleImage(store, [{ b: '2' }]), await sampleImage(store, [{ c: '3' }])]
  const listed = attached.map(({ descriptor }, i) => ({ image: descriptor, name: `r${i}/app:${tag}` }))
  const path = join(place.path, 'signatures.tar')
  await saveArchive(store, [{ image, name: 'app:1' }, ...listed], path)
  const target = createMemoryStore()
  expect(await thrownBy(() => loadArchive(target, path, { name: 'mine:1' }))).toMatchObject({
    code: 'ERR_INVALID_LAYOUT',
    message: expect.stringContaining(`two images have the name "mine:${tag}"`),
  })
  expect(await target.references.get(`mine:${tag}`)).toBeUndefined()
  expect(await loadArchive(target, path)).toHaveLength(3)
})
