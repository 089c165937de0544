import { expect, test } from 'vitest'
import {
  composeConfig,
  composeImage,
  composeManifest,
  copyImage,
  createMemoryStore,
  createRegistryClient,
  fromDirectory,
  fromFiles,
  importTar,
  loadArchive,
  openArchive,
  openStore,
  parsePlatform,
  parseReference,
  planCopy,
  planPull,
  planPush,
  readImage,
  saveArchive,
  selectPlatform,
  unpackImage,
  writeLayer,
} from '../../lib/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { sampleDigest } from '../helpers/sample-documents.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { putStoreDocument } from '../helpers/store-image.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const store = createMemoryStore()
const registry = createRegistryClient()
const image = await sampleImage(store, [{ 'a.txt': 'a' }], { name: 'app:1' })
const { layers } = image
/** Passes a value as JavaScript can, although its type forbids it. */
const js = <T>(value: unknown): T => value as T

test('a platform may be a text wherever one is taken', async () => {
  expect(composeConfig({ platform: 'linux/arm64' })).toMatchObject({ os: 'linux', architecture: 'arm64' })
  const other = await composeImage(store, { layers, platform: 'aarch64' })
  expect(other.config.architecture).toBe('arm64')
  expect((await readImage(store, image.descriptor, { platform: 'linux/amd64' })).descriptor).toEqual(image.descriptor)
  const index = { schemaVersion: 2, manifests: [{ ...image.descriptor, platform: parsePlatform('amd64') }] } as const
  expect(selectPlatform(index, 'amd64').digest).toBe(image.descriptor.digest)
})

test.each<[string, string, () => unknown]>([
  ['platform', 'compose a config', () => composeConfig({ platform: js(5) })],
  ['platform', 'compose a config for half a platform', () => composeConfig({ platform: js({ os: 'linux' }) })],
  ['platform', 'compose an image', () => composeImage(store, { platform: js(['linux/amd64']) })],
  ['platform', 'read an image', () => readImage(store, 'app:1', { platform: js(true) })],
  ['platform', 'plan a pull', () => planPull(registry, store, 'localhost:1/a:1', { platform: js(5) })],
  ['allPlatforms', 'plan a pull', () => planPull(registry, store, 'localhost:1/a:1', { allPlatforms: js('yes') })],
  ['options', 'plan a pull', () => planPull(registry, store, 'localhost:1/a:1', js('linux/amd64'))],
  ['registry', 'plan a pull', () => planPull(js(store), js(registry), 'localhost:1/a:1')],
  ['store', 'plan a pull into a promise', () => planPull(registry, js(Promise.resolve(store)), 'localhost:1/a:1')],
  ['reference', 'plan a pull', () => planPull(registry, store, js(undefined))],
  ['reference', 'plan a pull', () => planPull(registry, store, js({ name: 'a' }))],
  ['registry', 'plan a push', () => planPush(store, js('localhost:1'), 'app:1')],
  ['image', 'plan a push', () => planPush(store, registry, js(undefined), 'localhost:1/a:1')],
  ['image', 'plan a push', () => planPush(store, registry, js(5))],
  ['tags', 'plan a push', () => planPush(store, registry, 'app:1', 'localhost:1/a:1', { tags: js('a') })],
  ['from', 'plan a copy', () => planCopy(js('localhost:1/a:1'), { store })],
  ['to', 'plan a copy', () => planCopy({ store, name: 'app:1' }, js('localhost:1/a:1'))],
  ['from', 'copy', () => copyImage(js(undefined), { store })],
  ['store', 'compose an image', () => composeImage(js(Promise.resolve(store)), {})],
  ['options', 'compose an image', () => composeImage(store, js(layers))],
  ['base', 'compose an image', () => composeImage(store, { base: js('app:1') })],
  ['layers', 'compose an image', () => composeImage(store, { layers: js(layers[0]) })],
  ['layers[0].diffId', 'compose a config', () => composeConfig({ layers: js([{ diffId: 'x' }]) })],
  ['created', 'compose a config', () => composeConfig({ created: js(new Date(0)) })],
  ['created', 'compose a config', () => composeConfig({ created: 'yesterday' })],
  ['author', 'compose a config', () => composeConfig({ author: js(5) })],
  ['annotations', 'compose an image', () => composeImage(store, { annotations: js(['a']) })],
  ['annotations["a"]', 'compose an image', () => composeImage(store, { annotations: js({ a: 1 }) })],
  ['layers', 'compose a manifest', () => composeManifest({ config: image.manifest.config, layers: js('x') })],
  ['source', 'put a text', () => store.put(js('text'))],
  ['source', 'put a number', () => store.put(js(5))],
  ['size', 'put bytes of a size that is a text', () => store.put(Buffer.from('x'), { size: js('1') })],
  ['source', 'put a promise', () => store.put(js(Promise.resolve(new Uint8Array())))],
  ['name', 'set a name', () => store.references.set(js(undefined), image.descriptor)],
  ['name', 'get a name', () => store.references.get(js(5))],
  ['name', 'delete a name', () => store.references.delete(js(null))],
  ['reference', 'parse a reference', () => parseReference(js(5))],
  ['platform', 'parse a platform', () => parsePlatform(js(undefined))],
  ['store', 'write a layer', () => writeLayer(js('./images'), fromFiles([]))],
  ['entries', 'write a layer', () => writeLayer(store, js('dist'))],
  ['annotations', 'write a layer', () => writeLayer(store, fromFiles([]), { annotations: js('a') })],
  ['hasher', 'write a layer', () => writeLayer(store, fromFiles([]), { hasher: js('fast') })],
  ['directory', 'read a directory', () => fromDirectory(js(undefined)).next()],
  ['directory', 'read a directory', () => fromDirectory(new URL('https://example.com/')).next()],
  ['directory', 'unpack', () => unpackImage(store, image, js(null))],
  ['hasher', 'make a store', () => createMemoryStore({ hasher: js('fast') })],
  ['options', 'open a store', () => openStore('.', js(true))],
  ['create', 'open a store', () => openStore('.', { create: js('no') })],
  ['path', 'open an archive', () => openArchive(js(5))],
  ['path', 'save an archive', () => saveArchive(store, 'app:1', js(undefined))],
  ['store', 'save an archive', () => saveArchive(js('./images'), 'app:1', '/nonexistent/a.tar')],
  ['images', 'save an archive', () => saveArchive(store, js(image), '/nonexistent/a.tar')],
  ['store', 'load an archive', () => loadArchive(js(null), Buffer.from(''))],
  ['source', 'import a tar', () => importTar(store, js(5))],
])('a wrong %s is one typed error that names it: %s', async (name, _, act) => {
  const before = await blobsOf(store)
  const error = await thrownBy(act)
  expect(error.code).toBe('ERR_INVALID_ARGUMENT')
  expect(error.message).toContain(name)
  expect(error.message).toContain('must be')
  expect(await blobsOf(store)).toEqual(before)
})

test.each([
  ['config.Env', { Env: 'A=1' }],
  ['config.Cmd[0]', { Cmd: [5] }],
  ['config.Labels.a', { Labels: { a: 1 } }],
  ['config.ExposedPorts', { ExposedPorts: ['80/tcp'] }],
  ['config.User', { User: 0 }],
  ['config', 'node server.js'],
])('a config that no reader accepts cannot be composed: %s', async (at, config) => {
  for (const act of [
    () => composeConfig({ config: js(config) }),
    () => composeImage(store, { layers, config: js(config) }),
  ]) {
    expect(await thrownBy(act)).toMatchObject({ code: 'ERR_INVALID_CONFIG', at })
  }
  const base = { ...image, config: { ...image.config, config: js<object>(config) } }
  expect(await thrownBy(() => composeImage(store, { base }))).toMatchObject({ code: 'ERR_INVALID_CONFIG', at })
})

test('an image whose config is no valid config cannot be named', async () => {
  for (const document of [{}, { ...image.config, config: { Env: 'A=1' } }, { ...image.config, rootfs: null }]) {
    const config = await putStoreDocument(store, image.manifest.config.mediaType, document)
    const wrong = await putStoreDocument(store, image.descriptor.mediaType, { ...image.manifest, config })
    const error = await thrownBy(() => store.references.set('wrong:1', wrong))
    expect(error).toMatchObject({ code: 'ERR_INVALID_CONFIG', message: expect.stringContaining(config.digest) })
    expect(await store.references.get('wrong:1')).toBeUndefined()
  }
})

test('a registry or a copy may name what it was given: anyConfig', async () => {
  const config = await putStoreDocument(store, image.manifest.config.mediaType, {})
  const odd = await putStoreDocument(store, image.descriptor.mediaType, { ...image.manifest, config })
  expect(await store.references.set('odd:1', odd, { anyConfig: true })).toBe('odd:1')
})

test('a manifest is composed of descriptors only', async () => {
  const bare = js<typeof layers>([layers[0]!.descriptor])
  expect(await thrownBy(() => composeImage(store, { layers: bare }))).toMatchObject({
    code: 'ERR_INVALID_DESCRIPTOR',
    at: 'layers[0].descriptor',
  })
  expect(await thrownBy(() => composeManifest({ config: js(image.config), layers: [] }))).toMatchObject({
    code: 'ERR_INVALID_DESCRIPTOR',
    at: 'config.mediaType',
  })
})

test('a name is set to a descriptor only', async () => {
  for (const wrong of [undefined, 'x', image, sampleDigest()]) {
    expect((await thrownBy(() => store.references.set('app:2', js(wrong)))).code).toBe('ERR_INVALID_DESCRIPTOR')
  }
})
