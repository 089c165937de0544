import { afterEach, expect, test, vi } from 'vitest'
import { parseDigest } from '../../lib/digest/index.ts'
import { composeConfig, defaultCreated, mergeRunConfig } from '../../lib/image/index.ts'
import type { ImageConfig } from '../../lib/oci/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const diffId = parseDigest(`sha256:${'1'.repeat(64)}`)
const upper = parseDigest(`sha256:${'2'.repeat(64)}`)
const base = {
  architecture: 'arm64',
  os: 'linux',
  variant: 'v8',
  created: '2020-01-01T00:00:00Z',
  config: { Env: ['PATH=/bin', 'A=1'], Cmd: ['sh'], Labels: { a: '1' }, ExposedPorts: { '80/tcp': {} } },
  rootfs: { type: 'layers', diff_ids: [diffId] },
  history: [{ created_by: 'base' }],
  'x-unknown': { kept: true },
} as unknown as ImageConfig

afterEach(() => vi.unstubAllEnvs())

test('an image from scratch is linux/amd64 and dated 1970, so that it is the same every time', () => {
  vi.stubEnv('SOURCE_DATE_EPOCH', undefined)
  expect(composeConfig({ layers: [{ diffId }] })).toEqual({
    created: '1970-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'layerstore' }],
  })
})

test('SOURCE_DATE_EPOCH dates the image, and nonsense in it does not', () => {
  expect(defaultCreated({ SOURCE_DATE_EPOCH: '86400' })).toBe('1970-01-02T00:00:00Z')
  expect(defaultCreated({ SOURCE_DATE_EPOCH: 'yesterday' })).toBe('1970-01-01T00:00:00Z')
})

test('layers and history go on top of those of the base, whose platform and unknown members stay', () => {
  const config = composeConfig({ base, layers: [{ diffId: upper, history: { created_by: 'me' } }], author: 'A' })
  expect(config.rootfs.diff_ids).toEqual([diffId, upper])
  expect(config.history?.map(entry => entry.created_by)).toEqual(['base', 'me'])
  expect(config).toMatchObject({ architecture: 'arm64', variant: 'v8', author: 'A', 'x-unknown': { kept: true } })
})

test('another platform takes nothing of the variant of the base', () => {
  const config = composeConfig({ base, platform: { os: 'linux', architecture: 'amd64' } })
  expect(config).toMatchObject({ os: 'linux', architecture: 'amd64' })
  expect(config).not.toHaveProperty('variant')
})

test('variables, labels, ports and volumes are merged by name, the rest is replaced', () => {
  expect(
    mergeRunConfig(base.config, {
      Env: ['A=2', 'B=3'],
      Labels: { b: '2' },
      ExposedPorts: { '81/tcp': {} },
      Volumes: { '/data': {} },
      User: 'node',
    }),
  ).toEqual({
    Env: ['PATH=/bin', 'A=2', 'B=3'],
    Cmd: ['sh'],
    Labels: { a: '1', b: '2' },
    ExposedPorts: { '80/tcp': {}, '81/tcp': {} },
    Volumes: { '/data': {} },
    User: 'node',
  })
})

test('a new entrypoint drops the inherited command, unless a command comes with it', () => {
  expect(mergeRunConfig(base.config, { Entrypoint: ['node'] })).not.toHaveProperty('Cmd')
  expect(mergeRunConfig(base.config, { Entrypoint: ['node'], Cmd: ['x'] }).Cmd).toEqual(['x'])
  expect(mergeRunConfig(undefined, undefined)).toEqual({})
})

test('a base whose members are null is extended as if they were absent', () => {
  const nulls = { Env: null, Cmd: null, Labels: null, ExposedPorts: null } as unknown as ImageConfig['config']
  const changes = { Env: ['A=1'], Labels: { a: 'b' } }
  expect(mergeRunConfig(nulls, changes)).toMatchObject(changes)
  const config = composeConfig({ base: { ...base, history: null, config: null } as unknown as ImageConfig })
  expect(config.history).toEqual([])
})

test('a base without a platform is refused unless the platform is given', async () => {
  const { architecture: _, ...bare } = base
  expect(await thrownBy(() => composeConfig({ base: bare }))).toMatchObject({
    code: 'ERR_INVALID_CONFIG',
    at: 'architecture',
  })
  const platform = { os: 'linux', architecture: 's390x' }
  expect(composeConfig({ base: bare, platform })).toMatchObject(platform)
})
