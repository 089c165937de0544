import { expect, test } from 'vitest'
import { composeConfig, composeImage, mergeRunConfig, readImage } from '../../lib/image/index.ts'
import { type ImageConfig, MediaType, parseConfig, type RunConfig } from '../../lib/oci/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { jsonBytes, sampleConfig, sampleDigest } from '../helpers/sample-documents.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { putStoreDocument } from '../helpers/store-image.ts'

const RUN = ['Env', 'Entrypoint', 'Cmd', 'User', 'WorkingDir', 'StopSignal', 'Labels', 'ExposedPorts', 'Volumes']
const TOP = ['created', 'author', 'variant', 'os.version', 'os.features', 'config', 'history']
const changes: RunConfig = { Env: ['B=2'], Labels: { b: '2' }, ExposedPorts: { '81/tcp': {} }, Volumes: { '/b': {} } }
const full = {
  variant: 'v8',
  'os.version': '1',
  'os.features': ['a'],
  created: '2026-01-01T00:00:00Z',
  author: 'a',
  config: {
    Env: ['A=1'],
    Entrypoint: ['a'],
    Cmd: ['b'],
    User: '1',
    WorkingDir: '/w',
    StopSignal: 'SIGINT',
    Labels: { a: '1' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/a': {} },
  },
}

/** Two configs that differ in one member: `null`, as `docker import` and Go programs write it, and absent. */
const cases = [
  ...TOP.map(key => [key, { [key]: null }, { [key]: undefined }] as const),
  ...RUN.map(key => {
    const [nothing, absent] = [null, undefined].map(value => ({ config: { ...full.config, [key]: value } }))
    return [`config.${key}`, nothing!, absent!] as const
  }),
  ['rootfs.diff_ids', { rootfs: { type: 'layers', diff_ids: null } }, { rootfs: { type: 'layers' } }] as const,
]

test.each(cases)('a base whose %s is null is extended as if it were absent', (_, nothing, absent) => {
  const [withNull, without] = [nothing, absent].map(members =>
    parseConfig(jsonBytes(sampleConfig({ ...full, ...members }))),
  )
  expect(JSON.stringify(withNull)).not.toContain('null')
  for (const config of [undefined, changes, { Entrypoint: ['x'] }]) {
    const input = { config, layers: [{ diffId: sampleDigest() as never, history: { created_by: 'me' } }] }
    expect(composeConfig({ ...input, base: withNull })).toStrictEqual(composeConfig({ ...input, base: without }))
    // A caller may pass a document that it parsed itself.
    const raw = sampleConfig({ ...full, ...nothing }) as unknown as ImageConfig
    expect(composeConfig({ ...input, base: raw })).toStrictEqual(composeConfig({ ...input, base: without }))
  }
})

test.each(RUN)('%s as null or undefined in the changes leaves what the base has', key => {
  for (const value of [null, undefined]) {
    expect(mergeRunConfig(full.config, { [key]: value } as never)).toStrictEqual(full.config)
    expect(composeConfig({ config: { [key]: value } as never })).not.toHaveProperty('config')
  }
})

test('an image of which everything optional is null is read, and put something on', async () => {
  const store = createMemoryStore()
  const top = await sampleImage(store, [{ 'a.txt': 'a' }])
  const nulls = Object.fromEntries(RUN.map(key => [key, null]))
  const config = await putStoreDocument(store, MediaType.OciConfig, {
    architecture: 'amd64',
    os: 'linux',
    ...Object.fromEntries(TOP.map(key => [key, null])),
    config: nulls,
    rootfs: { type: 'layers', diff_ids: null },
  })
  const descriptor = await putStoreDocument(store, MediaType.OciManifest, {
    schemaVersion: 2,
    mediaType: null,
    config: { ...config, annotations: null, urls: null, platform: null },
    layers: null,
    subject: null,
    annotations: null,
  })
  await store.references.set('null:1', descriptor)
  const base = await readImage(store, 'null:1')
  expect(base).toMatchObject({ layers: [], config: { config: {} } })
  const image = await composeImage(store, { base, layers: top.layers, config: changes })
  expect(image.config.config).toStrictEqual(changes)
})
