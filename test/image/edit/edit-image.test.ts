import { describe, expect, test } from 'vitest'
import { editConfig, editImage, type Image, readImage } from '../../../lib/image/index.ts'
import { canonicalJson } from '../../../lib/internal/canonical-json.ts'
import { fromFiles, writeLayer } from '../../../lib/layer/index.ts'
import { MediaType, type RunConfig } from '../../../lib/oci/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { sampleImage } from '../../helpers/sample-image.ts'

const CONFIG: RunConfig = {
  Env: ['PATH=/bin', 'MODE=dev'],
  Labels: { a: '1', b: '2' },
  ExposedPorts: { '80/tcp': {}, '53/udp': {} },
  Volumes: { '/data': {} },
  Entrypoint: ['init'],
  Cmd: ['app'],
  User: 'root',
}

async function sample(config: RunConfig = CONFIG) {
  const store = createMemoryStore()
  const image = await sampleImage(store, [{ a: '1' }, { b: '2' }, { c: '3' }], { config })
  return { store, image }
}

const texts = (image: Image) =>
  (image.config.history ?? []).map(({ created_by, empty_layer }) => [created_by, empty_layer])

describe('the run configuration', () => {
  test('is set by name, and each change is a step of the history without a layer', async () => {
    const { store, image } = await sample()
    const edited = await editImage(store, image, {
      config: {
        set: { Env: ['MODE=prod'], Labels: { c: '3' }, WorkingDir: '/app', Cmd: ['run', 'x y'] },
        removeEnv: ['PATH', 'ABSENT'],
        removeLabels: ['a'],
        removePorts: ['53/udp'],
        removeVolumes: ['/data'],
        remove: ['User'],
      },
    })
    expect(edited.config.config).toEqual({
      Env: ['MODE=prod'],
      Labels: { b: '2', c: '3' },
      ExposedPorts: { '80/tcp': {} },
      Entrypoint: ['init'],
      Cmd: ['run', 'x y'],
      WorkingDir: '/app',
    })
    expect(texts(edited).slice(3)).toEqual(
      [
        'UNSET ENV PATH',
        'ENV MODE=prod',
        'UNSET LABEL a',
        'LABEL c=3',
        'UNSET EXPOSE 53/udp',
        'UNSET VOLUME /data',
        'UNSET USER',
        'WORKDIR /app',
        'CMD ["run","x y"]',
      ].map(text => [text, true]),
    )
    expect(edited.layers).toEqual(image.layers)
    expect(await readImage(store, edited.descriptor)).toEqual(edited)
  })

  test('loses the command with a new entrypoint, as in a Dockerfile', () => {
    expect(editConfig({ Entrypoint: ['a'], Cmd: ['b'] }, { set: { Entrypoint: ['c'] } })).toEqual({ Entrypoint: ['c'] })
  })

  test('without members is absent, and the same edit gives the same digest', async () => {
    const { store, image } = await sample({ Env: ['A=1'] })
    const edit = { config: { removeEnv: ['A'] } }
    const edited = await editImage(store, image, edit)
    expect(edited.config).not.toHaveProperty('config')
    expect((await editImage(store, image, edit)).descriptor).toEqual(edited.descriptor)
  })

  test('keeps a health check and a shell, which only Docker knows, and removes them on request', async () => {
    const set = { Healthcheck: { Test: ['CMD', 'ok'] }, Shell: ['/bin/bash', '-c'] } as RunConfig
    const { store, image } = await sample(set)
    const kept = await editImage(store, image, { config: { set: { User: '1' } } })
    expect(kept.config.config).toEqual({ ...set, User: '1' })
    const edited = await editImage(store, kept, { config: { remove: ['Healthcheck', 'Shell'] } })
    expect(edited.config.config).toEqual({ User: '1' })
  })
})

describe('layers', () => {
  test('are removed with their steps, and added on top', async () => {
    const { store, image } = await sample()
    const layer = { ...(await writeLayer(store, fromFiles({ d: '4' }))), history: { created_by: 'add d' } }
    const edited = await editImage(store, image, { drop: [1], layers: [layer], created: '2026-01-02T00:00:00Z' })
    const { descriptor, diffId } = layer
    expect(edited.layers).toEqual([image.layers[0], image.layers[2], { descriptor, diffId }])
    expect(edited.config.rootfs.diff_ids).toEqual(edited.layers.map(one => one.diffId))
    expect(edited.config).toMatchObject({ created: '2026-01-02T00:00:00Z' })
    expect(texts(edited)).toEqual([
      ['layerstore', undefined],
      ['layerstore', undefined],
      ['add d', undefined],
    ])
  })

  test('without a history that describes them are edited without one', async () => {
    const { store, image } = await sample()
    const untold = { ...image, config: { ...image.config, history: [{ created_by: 'all' }] } }
    expect((await editImage(store, untold, { drop: [0] })).config).not.toHaveProperty('history')
    const kept = await editImage(store, untold, { author: 'me' })
    expect(kept.config).toMatchObject({ author: 'me', history: [{ created_by: 'all' }] })
  })

  test.each([3, -1, 0.5])('without number %s are refused', async index => {
    const { store, image } = await sample()
    await expect(editImage(store, image, { drop: [index] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: `no layer ${index}: the image has 3, counted from 0`,
    })
  })
})

test('annotations are set and removed, unknown members stay, and the platform is that of the caller', async () => {
  const { store, image } = await sample()
  const before = { ...image, manifest: { ...image.manifest, annotations: { a: '1', b: '2' }, 'x.unknown': [1] } }
  const edited = await editImage(store, before, { annotations: { a: null, c: '3' }, platform: 'linux/arm64' })
  expect(edited.manifest).toMatchObject({ annotations: { b: '2', c: '3' }, 'x.unknown': [1] })
  expect(edited.config).toMatchObject({ os: 'linux', architecture: 'arm64' })
})

test('a Docker image stays one, and refuses what its documents cannot say', async () => {
  const { store, image } = await sample()
  const manifest = {
    ...image.manifest,
    mediaType: MediaType.DockerManifest,
    config: { ...image.manifest.config, mediaType: MediaType.DockerConfig },
    layers: image.manifest.layers.map(layer => ({ ...layer, mediaType: MediaType.DockerLayerGzip })),
  }
  const info = await store.put(canonicalJson(manifest))
  const docker = await readImage(store, { mediaType: MediaType.DockerManifest, ...info })
  const layer = await writeLayer(store, fromFiles({ d: '4' }))
  const edited = await editImage(store, docker, { layers: [layer], config: { set: { User: '5' } } })
  expect(edited.descriptor.mediaType).toBe(MediaType.DockerManifest)
  expect(edited.manifest.config.mediaType).toBe(MediaType.DockerConfig)
  expect(new Set(edited.manifest.layers.map(one => one.mediaType))).toEqual(new Set([MediaType.DockerLayerGzip]))
  const refused = { code: 'ERR_INVALID_ARGUMENT' }
  await expect(editImage(store, docker, { annotations: { a: '1' } })).rejects.toMatchObject(refused)
  const zstd = { ...layer, descriptor: { ...layer.descriptor, mediaType: MediaType.OciLayerZstd } }
  await expect(editImage(store, docker, { layers: [zstd] })).rejects.toMatchObject(refused)
})

test('an image whose layers stay in a registry is edited without them', async () => {
  const { store, image } = await sample()
  const remoteLayers = [{ registry: 'ghcr.io', repository: 'o/app' }]
  for (const { descriptor } of image.layers) await store.delete(descriptor.digest)
  const edited = await editImage(store, { ...image, remoteLayers }, { config: { set: { User: '5' } } })
  await store.references.set('app:2', edited.descriptor)
  expect((await readImage(store, 'app:2')).remoteLayers).toEqual(remoteLayers)
})
