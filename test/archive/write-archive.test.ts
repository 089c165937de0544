import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openArchive, saveArchive, type WriteArchiveOptions, writeArchive } from '../../lib/archive/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeArtifact, composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { rawEntriesOf } from '../helpers/docker-archive.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { sha256 } from '../helpers/push-image.ts'
import { readAll } from '../helpers/read-all.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndexImage } from '../helpers/sample-index-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let place: ReturnType<typeof temporaryDirectory>
let store: Store
beforeEach(() => {
  place = temporaryDirectory('archive')
  store = createMemoryStore()
})
afterEach(async () => {
  await store.close()
  place[Symbol.dispose]()
})
const at = (name: string) => join(place.path, name)

/** No compression, so that the bytes depend on nothing but this library. */
async function plainImage(into: Store, name: string, ...texts: string[]) {
  const layers = []
  for (const text of texts) {
    const entry = { path: text, type: 'file', content: text } as const
    layers.push(await writeLayer(into, [entry], { compression: 'none' }))
  }
  const { descriptor } = await composeImage(into, { layers, created: '2026-01-01T00:00:00Z' })
  await into.references.set(name, descriptor)
  return descriptor
}

test('the same images give the same bytes from any store', async () => {
  await plainImage(store, 'app:1', 'a', 'b')
  await plainImage(store, 'db:1', 'a', 'c')
  await using other = await openStore(at('store'))
  await plainImage(other, 'db:1', 'a', 'c')
  await plainImage(other, 'zz:1', 'z')
  await plainImage(other, 'app:1', 'a', 'b')
  const frozen = {
    oci: 'sha256:bac8453e98e3f29c13d09d1a1d59c9a2d5a6aca9c3eec5795c7b978f18ad46bf',
    docker: 'sha256:11bbf20105c6175a81b4a3311c1c950f6b08496a92507e6297c8e0a00abca93f',
  }
  for (const format of ['oci', 'docker'] as const) {
    for (const from of [store, other]) {
      const tar = await readAll(writeArchive(from, ['app:1', 'db:1'], { format }))
      expect(sha256(tar)).toBe(frozen[format])
    }
  }
})

test('documents come first, then every blob once, and only those that the images need', async () => {
  const app = await plainImage(store, 'app:1', 'a', 'b')
  await plainImage(store, 'other:1', 'x')
  const entries = await rawEntriesOf(
    await readAll(writeArchive(store, ['app:1', 'app:1', app.digest], { format: 'docker' })),
  )
  const paths = entries.map(({ path }) => `${path}`)
  expect(paths.slice(0, 5)).toEqual(['oci-layout', 'index.json', 'manifest.json', 'blobs/', 'blobs/sha256/'])
  expect(paths.slice(5)).toEqual([...paths.slice(5)].sort())
  expect(new Set(paths).size).toBe(5 + 4)
  const [list] = JSON.parse(`${entries[2]!.content}`)
  expect(list).toEqual({
    Config: expect.stringMatching(/^blobs\/sha256\/[0-9a-f]{64}$/),
    RepoTags: ['docker.io/library/app:1'],
    Layers: [expect.any(String), expect.any(String)],
  })
  for (const path of [list.Config, ...list.Layers]) expect(paths).toContain(path)
  expect(JSON.parse(`${entries[1]!.content}`)).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...app,
        annotations: {
          'io.containerd.image.name': 'docker.io/library/app:1',
          'org.opencontainers.image.ref.name': 'app:1',
        },
      },
    ],
  })
})

test('the caller sets the name in the archive; a word that is no reference is a name in layouts only', async () => {
  const app = await plainImage(store, 'app:1', 'a')
  const write = (name: string) => readAll(writeArchive(store, [{ image: app, name }], { format: 'docker' }))
  const written = async (name: string) => {
    const entries = await rawEntriesOf(await write(name))
    const { annotations } = JSON.parse(`${entries[1]!.content}`).manifests[0]
    return { annotations, tags: JSON.parse(`${entries[2]!.content}`)[0].RepoTags }
  }
  const refName = 'org.opencontainers.image.ref.name'
  expect(await written('V1')).toEqual({ annotations: { [refName]: 'V1' }, tags: [] })
  expect(await written('v1')).toEqual({ annotations: { [refName]: 'v1' }, tags: ['docker.io/library/v1:latest'] })
  expect(await written(`x/y@${app.digest}`)).toEqual({
    annotations: { [refName]: `x/y@${app.digest}`, 'io.containerd.image.name': `docker.io/x/y@${app.digest}` },
    tags: [],
  })
})

test('names that another tool wrote into the layout keep their spelling', async () => {
  await using disk = await openStore(at('store'))
  await plainImage(disk, 'v1:latest', 'a')
  const index = at('store/index.json')
  const text = readFileSync(index, 'utf8').replace('"v1:latest"', '"v1"')
  writeFileSync(index, text)
  await using again = await openStore(at('store'))
  await saveArchive(again, 'v1', at('v1.tar'))
  await using archive = await openArchive(at('v1.tar'))
  expect(archive.images[0]).toMatchObject({ labels: ['v1'] })
})

test('all platforms of an image are written, or the requested one; the list of docker has one', async () => {
  const { images } = await sampleIndexImage(store, ['amd64', 'arm64'], 'many:1')
  const platform = { os: 'linux', architecture: 'arm64' }
  await saveArchive(store, 'many:1', at('one.tar'), { platform })
  await using one = await openArchive(at('one.tar'))
  expect(one.find().descriptor).toMatchObject(images[1]!.descriptor)
  await using s390x = createMemoryStore()
  await sampleIndexImage(s390x, ['s390x', 'ppc64le'], 'far:1')
  expect(await thrownBy(() => saveArchive(s390x, 'far:1', at('x.tar'), { format: 'docker' }))).toMatchObject({
    code: 'ERR_PLATFORM_NOT_FOUND',
  })
  await saveArchive(s390x, 'far:1', at('far.tar'))
  expect(readdirSync(place.path).sort()).toEqual(['far.tar', 'one.tar'])
})

describe('without a format', () => {
  const documents = async (options: WriteArchiveOptions, ...names: string[]) =>
    (await rawEntriesOf(await readAll(writeArchive(store, names, options))))
      .map(({ path }) => String(path))
      .filter(isDocument)
  const isDocument = (path: string) => !path.startsWith('blobs')

  test('an archive has the documents of both formats', async () => {
    await plainImage(store, 'app:1', 'a')
    const both = await readAll(writeArchive(store, 'app:1'))
    expect(await documents({}, 'app:1')).toEqual(['oci-layout', 'index.json', 'manifest.json'])
    expect(await documents({ format: 'oci' }, 'app:1')).toEqual(['oci-layout', 'index.json'])
    expect(both).toEqual(await readAll(writeArchive(store, 'app:1', { format: 'docker' })))
  })

  test('the list of docker is left out where it cannot describe the images: artifacts, a delta, a far platform', async () => {
    await plainImage(store, 'base:1', 'a')
    await plainImage(store, 'app:1', 'a', 'b')
    const artifact = await composeArtifact(store, { artifactType: 'application/x.thing' })
    await store.references.set('thing:1', artifact.descriptor)
    await sampleIndexImage(store, ['s390x', 'ppc64le'], 'far:1')
    const layoutOnly = ['oci-layout', 'index.json']
    expect(await documents({}, 'thing:1')).toEqual(layoutOnly)
    expect(await documents({}, 'thing:1', 'app:1')).toEqual(layoutOnly)
    expect(await documents({ have: ['base:1'] }, 'app:1')).toEqual(layoutOnly)
    expect(await documents({}, 'far:1')).toEqual(layoutOnly)
  })
})

test('an archive can be compressed as a whole', async () => {
  await plainImage(store, 'app:1', 'a')
  await saveArchive(store, 'app:1', at('app.tar.gz'), { compression: 'gzip' })
  expect(readFileSync(at('app.tar.gz')).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
  await using archive = await openArchive(at('app.tar.gz'))
  expect(archive.find().names).toEqual(['app:1'])
})

test('invalid arguments are rejected before anything is written', async () => {
  const app = await plainImage(store, 'app:1', 'a')
  const other = await plainImage(store, 'app:2', 'b')
  const cases: [Parameters<typeof saveArchive>[1], object, string][] = [
    [[], {}, 'ERR_INVALID_ARGUMENT'],
    ['none:1', {}, 'ERR_REFERENCE_NOT_FOUND'],
    ['app:1', { format: 'zip' }, 'ERR_INVALID_ARGUMENT'],
    [
      [
        { image: app, name: 'x:1' },
        { image: other, name: 'x:1' },
      ],
      {},
      'ERR_INVALID_ARGUMENT',
    ],
    [[{ image: { ...app, digest: sha256('gone') as never } }], {}, 'ERR_BLOB_NOT_FOUND'],
    [[{ image: { ...app, size: app.size + 1 } }], {}, 'ERR_SIZE_MISMATCH'],
  ]
  for (const [images, options, code] of cases) {
    expect(await thrownBy(() => saveArchive(store, images, at('x.tar'), options))).toMatchObject({ code })
  }
  expect(readdirSync(place.path)).toEqual([])
})

test('the previous file stays until the archive is complete', async () => {
  await using disk = await openStore(at('store'))
  await sampleImage(disk, [{ a: 'x'.repeat(100_000) }], { name: 'app:1' })
  mkdirSync(at('out'))
  writeFileSync(at('out/app.tar'), 'before')
  const layer = readdirSync(at('store/blobs/sha256')).find(
    hex => readFileSync(at(`store/blobs/sha256/${hex}`))[0] === 0x1f,
  )!
  const blob = at(`store/blobs/sha256/${layer}`)
  const bytes = readFileSync(blob)
  chmodSync(blob, 0o644)
  writeFileSync(blob, Buffer.from(bytes).fill(0xff, bytes.length - 1))
  expect(await thrownBy(() => saveArchive(disk, 'app:1', at('out/app.tar')))).toMatchObject({
    code: 'ERR_BLOB_CORRUPT',
  })
  expect(readFileSync(at('out/app.tar'), 'utf8')).toBe('before')
  writeFileSync(blob, bytes)
  const signal = AbortSignal.abort(new Error('enough'))
  expect(await thrownBy(() => saveArchive(disk, 'app:1', at('out/app.tar'), { signal }))).toBe(signal.reason)
  expect(readdirSync(at('out'))).toEqual(['app.tar'])
  const { bytes: size } = await saveArchive(disk, 'app:1', at('out/app.tar'))
  expect(lstatSync(at('out/app.tar')).size).toBe(size)
  expect(readdirSync(at('out'))).toEqual(['app.tar'])
})

test.runIf(needsProgram('mkfifo'))(
  'a link stays a link, a pipe stays a pipe, and a failed write reports its errno',
  async () => {
    await plainImage(store, 'app:1', 'a')
    writeFileSync(at('real.tar'), 'old')
    symlinkSync('real.tar', at('link.tar'))
    await saveArchive(store, 'app:1', at('link.tar'))
    expect(lstatSync(at('link.tar')).isSymbolicLink()).toBe(true)
    const tar = readFileSync(at('real.tar'))
    execFileSync('mkfifo', [at('pipe')])
    const [through] = await Promise.all([
      readAll(createReadStream(at('pipe'))),
      saveArchive(store, 'app:1', at('pipe')),
    ])
    expect(through).toEqual(tar)
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true)
    for (const [path, errno] of [
      [at('none/x.tar'), 'ENOENT'],
      [place.path, 'EISDIR'],
      ['/dev/full', 'ENOSPC'],
    ] as const) {
      expect(await thrownBy(() => saveArchive(store, 'app:1', path))).toMatchObject({ code: 'ERR_STORE_IO', errno })
    }
  },
)
