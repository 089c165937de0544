import { expect, test } from 'vitest'
import { parseConfig } from '../../lib/spec/index.ts'
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

test('null stands for whatever is not set, as Docker writes it', () => {
  const run = { Env: null, Entrypoint: null, Cmd: null, Labels: null, ExposedPorts: null, Volumes: null }
  expect(() => parseConfig(jsonBytes(sample({ config: run, history: null })))).not.toThrow()
  expect(() => parseConfig(jsonBytes(sample({ config: null, history: undefined })))).not.toThrow()
  expect(() => parseConfig(jsonBytes(sample({ rootfs: { type: 'layers', diff_ids: null } })))).not.toThrow()
  expect(() => parseConfig(jsonBytes(sample({ rootfs: { type: 'layers' } })))).not.toThrow()
})

test.each([
  ['architecture', { architecture: undefined }],
  ['os', { os: 5 }],
  ['created', { created: 5 }],
  ['author', { author: null }],
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
  ['config.WorkingDir', { config: { WorkingDir: null } }],
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
  const config = { User: '4294967296', Labels: { 'x;rm -rf /': '$(id)' }, Env: ['A=`id`', '=', ''] }
  const diff_ids = [sampleDigest('x')]
  expect(parseConfig(jsonBytes(sample({ config, rootfs: { type: 'layers', diff_ids } }))).config).toEqual(config)
})
