import { expect, test } from 'vitest'
import { parseConfig, platformOfConfig } from '../../lib/oci/index.ts'
import { jsonBytes, sampleConfig as sample, sampleDigest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('a config is read with all its members, known and unknown', () => {
  const full = sample({
    created: '2026-01-01T00:00:00Z',
    author: 'a',
    variant: 'v8',
    'os.version': '10',
    docker_version: '27',
    config: {
      Labels: { a: 'b' },
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      Healthcheck: {},
      User: '1',
    },
  })
  expect(parseConfig(jsonBytes(full))).toEqual(full)
})

test('null is accepted for unset members, as Docker writes it', () => {
  const run = { Env: null, Entrypoint: null, Cmd: null, Labels: null, ExposedPorts: null, Volumes: null }
  expect(() => parseConfig(jsonBytes(sample({ config: run, history: null })))).not.toThrow()
  expect(() => parseConfig(jsonBytes(sample({ config: null, history: undefined })))).not.toThrow()
  expect(() => parseConfig(jsonBytes(sample({ rootfs: { type: 'layers', diff_ids: null } })))).not.toThrow()
  expect(() => parseConfig(jsonBytes(sample({ rootfs: { type: 'layers' } })))).not.toThrow()
})

const config = (members: object) => parseConfig(jsonBytes(sample(members)))

test('null for an optional member counts as absent, and is left out of the value', () => {
  const nothing = { created: null, author: null, variant: null, 'os.version': null, 'os.features': null }
  const run = { User: null, WorkingDir: null, StopSignal: null, Env: null, Labels: null, Healthcheck: null }
  const history = [{ created: null, created_by: null, comment: null, author: null, empty_layer: null }]
  const kept = sample({ config: { Healthcheck: null }, history: [{}] })
  expect(config({ ...nothing, config: run, history })).toStrictEqual(kept)
  const { config: _run, history: _history, ...bare } = sample()
  expect(config({ config: null, history: null })).toStrictEqual(bare)
})

test('a null or absent list of diffIDs becomes an empty list', () => {
  expect(config({ rootfs: { type: 'layers', diff_ids: null } }).rootfs.diff_ids).toEqual([])
  expect(config({ rootfs: { type: 'layers' } }).rootfs.diff_ids).toEqual([])
})

test('a config without processor or operating system is accepted; it has no platform', () => {
  const platform = { architecture: 'arm', os: 'linux', variant: 'v7', 'os.version': '1', 'os.features': ['a'] }
  expect(platformOfConfig(config(platform))).toEqual(platform)
  for (const missing of [undefined, null, '']) {
    expect(platformOfConfig(config({ architecture: missing }))).toBeUndefined()
    expect(platformOfConfig(config({ os: missing }))).toBeUndefined()
  }
  expect(platformOfConfig(config({ variant: null, 'os.version': '' }))).toEqual({ architecture: 'amd64', os: 'linux' })
})

test.each([
  ['architecture', { architecture: 5 }],
  ['os', { os: 5 }],
  ['created', { created: 5 }],
  ['author', { author: [] }],
  ['os.features', { 'os.features': 'x' }],
  ['variant', { variant: [] }],
  ['os.version', { 'os.version': {} }],
  ['history', { history: {} }],
  ['history[0]', { history: ['text'] }],
  ['config', { config: 'text' }],
  ['config.Env', { config: { Env: 'A=b' } }],
  ['config.Env[0]', { config: { Env: [1] } }],
  ['config.Entrypoint', { config: { Entrypoint: '/bin/sh' } }],
  ['config.Cmd[1]', { config: { Cmd: ['a', null] } }],
  ['config.User', { config: { User: 0 } }],
  ['config.WorkingDir', { config: { WorkingDir: 0 } }],
  ['config.StopSignal', { config: { StopSignal: 15 } }],
  ['config.Labels', { config: { Labels: [] } }],
  ['config.Labels.a', { config: { Labels: { a: 1 } } }],
  ['config.ExposedPorts', { config: { ExposedPorts: ['80'] } }],
  ['config.Volumes', { config: { Volumes: '/data' } }],
])('the error names the path of the fault: %s of %j', async (at, members) => {
  const error = await thrownBy(() => parseConfig(jsonBytes(sample(members))))
  expect(error).toMatchObject({ code: 'ERR_INVALID_CONFIG', at })
})

test('strings are data: nothing in labels, environment or user is interpreted', () => {
  const run = { User: '4294967296', Labels: { 'x;rm -rf /': '$(id)' }, Env: ['A=`id`', '=', ''] }
  const diff_ids = [sampleDigest('x')]
  expect(config({ config: run, rootfs: { type: 'layers', diff_ids } }).config).toEqual(run)
})
