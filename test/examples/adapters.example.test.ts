import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import {
  composeArtifact,
  createRegistryClient,
  openUnionView,
  type PushResult,
  pushImage,
  readImage,
  saveArchive,
  writeTar,
} from '../../lib/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { createArtifactCache } from './adapters/artifact-cache.ts'
import { publishAsset } from './adapters/asset-publisher.ts'
import { image } from './adapters/bundler-plugin.ts'
import { pullFeature } from './adapters/devcontainer-feature.ts'
import { imageTask } from './adapters/monorepo-task.ts'
import { measureDirectories } from './adapters/own-files-benchmark.ts'
import { startTestRegistry } from './adapters/registry-in-a-test.ts'

/* Executes the adapters of adapters/, each the shape of a program that embeds the library. */

serveRegistry()

test('every adapter is short enough to be read at once', () => {
  const folder = join(import.meta.dirname, 'adapters')
  for (const file of readdirSync(folder)) {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n').length
    expect([file, lines <= 55]).toEqual([file, true])
  }
})

test('a plugin of a bundler makes an image of the bundle, on a base that stays in the registry', async () => {
  using place = temporaryDirectory('plugin')
  const input = join(place.path, 'main.js')
  writeFileSync(input, "import { text } from './text.mjs'\nconsole.log(text)\n")
  writeFileSync(join(place.path, 'text.mjs'), "export const text = 'bundled'\n")
  const base = await sampleImage(remote, [{ 'usr/bin/node': 'node' }], { name: 'node:22' })
  const results: PushResult[] = []
  const onPushed = (result: PushResult) => void results.push(result)
  const bundle = await rolldown({
    input,
    plugins: [image({ base: ref('node:22'), platform: 'linux/amd64', push: ref('app:1'), onPushed })],
  })
  await bundle.generate({ format: 'esm' })
  await bundle.close()
  const made = await readImage(remote, 'app:1', { platform: 'linux/amd64' })
  expect(results).toMatchObject([{ digest: made.descriptor.digest }])
  expect(made.layers[0]).toEqual(base.layers[0])
  const view = await openUnionView(remote, made)
  expect(String(await readAll(view.read('/app/main.js')))).toContain('bundled')
})

test('a task of a monorepo pushes an image only if the registry does not have it', async () => {
  using place = temporaryDirectory('task')
  writeFileSync(join(place.path, 'run'), 'one')
  const first = await imageTask(place.path, ref('team/pkg'), 'main')
  expect(first).toMatchObject({ pushed: true, digest: (await remote.references.get('team/pkg:main'))?.digest })
  writeFileSync(join(place.path, 'debug.log'), 'not an input')
  expect(await imageTask(place.path, ref('team/pkg'), 'main')).toEqual({ ...first, pushed: false })
  writeFileSync(join(place.path, 'run'), 'two')
  expect((await imageTask(place.path, ref('team/pkg'), 'main')).inputs).not.toBe(first.inputs)
})

test('an asset goes from the file of docker save to a registry, and comes back as a reference with digest', async () => {
  using place = temporaryDirectory('asset')
  const { descriptor } = await sampleImage(store, [{ app: 'run' }], { name: 'built:1' })
  const file = join(place.path, 'asset.tar')
  await saveArchive(store, 'built:1', file, { format: 'docker' })
  const asked: string[] = []
  const credentials = async (host: string) => void asked.push(host)
  const reference = await publishAsset(file, ref('assets'), { credentials: credentials as never })
  expect(reference).toBe(`${ref('assets')}@${descriptor.digest}`)
  expect(
    (await registry.resolve({ registry: server.host, repository: 'assets', digest: descriptor.digest })).size,
  ).toBe(descriptor.size)
})

test('a cache of build artefacts is shared through a registry', async () => {
  const [mine, theirs] = [createArtifactCache(ref('cache')), createArtifactCache(ref('cache'))]
  expect(await theirs.restore('inputs 1')).toBeUndefined()
  await mine.save('inputs 1', { 'out.js': Buffer.from('built'), 'out.js.map': Buffer.from('{}') })
  const restored = await theirs.restore('inputs 1')
  expect([...restored!].map(([name, bytes]) => [name, String(bytes)])).toEqual([
    ['out.js', 'built'],
    ['out.js.map', '{}'],
  ])
  await Promise.all([mine.close(), theirs.close()])
})

test('a feature of a dev container is pulled, with what it declares and its files', async () => {
  const files = { 'devcontainer-feature.json': '{"id":"node","version":"1.2.3"}', 'install.sh': '#!/bin/sh\n' }
  const entries = Object.entries(files).map(([path, content]) => ({ path, type: 'file' as const, content }))
  const tar = await readAll(writeTar(entries))
  const feature = await composeArtifact(store, {
    artifactType: 'application/vnd.devcontainers',
    layers: [{ content: tar, mediaType: 'application/vnd.devcontainers.layer.v1+tar', title: 'feature.tgz' }],
  })
  await pushImage(store, registry, feature, ref('features/node:1'))
  const { metadata, files: pulled } = await pullFeature(ref('features/node:1'))
  expect(metadata).toEqual({ id: 'node', version: '1.2.3' })
  expect([...pulled.keys()].sort()).toEqual(Object.keys(files))
  await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
  await expect(pullFeature(ref('app:1'))).rejects.toThrow('is no feature')
})

test('an integration test gets a registry of its own, and sees what was pushed', async () => {
  await using testRegistry = await startTestRegistry()
  await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })
  await using client = createRegistryClient()
  const { digest } = await pushImage(store, client, 'app:1', `${testRegistry.host}/app:1`)
  expect((await testRegistry.store.references.get('app:1'))?.digest).toBe(digest)
  expect(testRegistry.requests).toContain('PUT /v2/app/manifests/1 201')
})

test('own directories are measured: speed, and what equal layers save', async () => {
  using place = temporaryDirectory('own-files')
  const directories = ['one', 'two', 'same'].map(name => join(place.path, name))
  for (const directory of directories) {
    mkdirSync(directory)
    writeFileSync(join(directory, 'data'), directory.endsWith('two') ? 'b'.repeat(9000) : 'a'.repeat(9000))
  }
  const measured = await measureDirectories(directories)
  expect(measured.figures.map(({ tarBytes }) => tarBytes)).toEqual(Array(3).fill(measured.figures[0]!.tarBytes))
  expect(measured.referenced).toBeGreaterThan(measured.stored)
  expect(measured.ratio).toBeCloseTo(1.5, 0)
})
