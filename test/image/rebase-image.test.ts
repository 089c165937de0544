import { expect, test } from 'vitest'
import { composeImage, readImage, rebaseImage } from '../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../lib/layer/index.ts'
import type { RunConfig } from '../../lib/oci/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'

async function madeOn(base: RunConfig, changes: RunConfig) {
  const store = createMemoryStore()
  const from = await sampleImage(store, [{ os: 'old' }, { lib: 'old' }], { config: base })
  const layer = { ...(await writeLayer(store, fromFiles({ app: 'run' }))), history: { created_by: 'add app' } }
  const annotations = { note: 'kept', 'org.opencontainers.image.base.name': 'docker.io/library/old:1' }
  const image = await composeImage(store, { base: from, layers: [layer], config: changes, author: 'me', annotations })
  return { store, from, image, layer }
}

test('the layers of an image move to a new base, with their history, and nothing is read', async () => {
  const { store, from, image, layer } = await madeOn({}, { Cmd: ['app'] })
  const onto = await sampleImage(store, [{ os: 'new' }])
  await store.delete(layer.descriptor.digest)
  const moved = await rebaseImage(store, image, { from, onto })
  expect(moved.layers).toEqual([...onto.layers, { descriptor: layer.descriptor, diffId: layer.diffId }])
  expect(moved.config.history?.at(-1)).toMatchObject({ created_by: 'add app' })
  expect(moved.config.author).toBe('me')
  expect(moved.manifest.annotations).toEqual({
    note: 'kept',
    'org.opencontainers.image.base.digest': onto.descriptor.digest,
  })
  expect((await rebaseImage(store, image, { from, onto })).descriptor).toEqual(moved.descriptor)
})

test('an image that is made on the new base is the image that is moved there', async () => {
  const changes = { Cmd: ['app'], Env: ['MODE=fast'], Labels: { a: '1' } }
  const { store, from, image, layer } = await madeOn({ Env: ['PATH=/old', 'V=1'], Labels: { os: 'old' } }, changes)
  const onto = await sampleImage(store, [{ os: 'new' }], {
    config: { Env: ['PATH=/new', 'V=2'], Labels: { os: 'new' } },
  })
  const moved = await rebaseImage(store, image, { from, onto })
  const annotations = { note: 'kept' }
  const direct = await composeImage(store, { base: onto, layers: [layer], config: changes, author: 'me', annotations })
  expect(moved.config).toEqual(direct.config)
  expect(moved.descriptor.digest).toBe(direct.descriptor.digest)
})

test('a rebase keeps the changes and the removals of the image, and takes the rest from the new base', async () => {
  const { store, from, image } = await madeOn(
    { Entrypoint: ['init'], Cmd: ['sh'], User: 'root', WorkingDir: '/', StopSignal: 'SIGINT' },
    { Entrypoint: ['app'], User: '1000' },
  )
  expect(image.config.config?.Cmd).toBeUndefined()
  const onto = await sampleImage(store, [{ os: 'new' }], {
    config: { Entrypoint: ['init2'], Cmd: ['bash'], User: 'admin', WorkingDir: '/srv', StopSignal: 'SIGQUIT' },
  })
  const { config } = await rebaseImage(store, image, { from, onto })
  expect(config.config).toEqual({ Entrypoint: ['app'], User: '1000', WorkingDir: '/srv', StopSignal: 'SIGQUIT' })
})

test('a base that an image was not made on, and a base for another processor, are refused', async () => {
  const { store, from, image } = await madeOn({}, {})
  const other = await sampleImage(store, [{ os: 'another' }])
  const foreign = await sampleImage(store, [{ os: 'new' }], { architecture: 'arm64' })
  await expect(rebaseImage(store, image, { from: other, onto: from })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: expect.stringContaining('layer 1 differs'),
  })
  await expect(rebaseImage(store, image, { from, onto: foreign })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: 'the image is for linux/amd64, the new base for linux/arm64',
  })
  const read = await readImage(store, image.descriptor)
  expect((await rebaseImage(store, read, { from, onto: from })).layers).toEqual(image.layers)
})
