import { expect, test } from 'vitest'
import type { RunConfig } from '../../../lib/oci/index.ts'
import { composeContainerConfig, composeProcess } from '../../../lib/sandbox/containers/process/compose-process.ts'
import type { ContainerSettings } from '../../../lib/sandbox/index.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const compose = (config: RunConfig, settings: ContainerSettings = {}) =>
  composeProcess(
    composeContainerConfig(
      { os: 'linux', architecture: 'amd64', config, rootfs: { type: 'layers', diff_ids: [] } },
      settings,
    ),
    settings,
    '0123456789abcdef',
  )
const both: RunConfig = { Entrypoint: ['e', '1'], Cmd: ['c', '2'] }

test.each<[string, RunConfig, ContainerSettings, string[]]>([
  ['entrypoint, then command', both, {}, ['e', '1', 'c', '2']],
  ['a command replaces that of the image', both, { command: ['x'] }, ['e', '1', 'x']],
  ['an entrypoint removes the command of the image', both, { entrypoint: ['y'] }, ['y']],
  ['both replace both', both, { entrypoint: ['y'], command: ['x'] }, ['y', 'x']],
  ['an empty entrypoint removes that of the image', both, { entrypoint: [], command: ['x'] }, ['x']],
  ['an image with a command only', { Cmd: ['c'] }, {}, ['c']],
])('the arguments of a container: %s', (_, config, settings, args) => {
  expect(compose(config, settings).args).toEqual(args)
})

test('a container without anything to run, and with invalid settings, is refused', async () => {
  const call = (config: RunConfig, settings?: ContainerSettings) => thrownBy(async () => compose(config, settings))
  expect(await call({})).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(/command/) })
  expect(await call(both, { entrypoint: [] })).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  expect(await call(both, { workdir: 'relative' })).toMatchObject({ message: expect.stringMatching(/"relative"/) })
  expect(await call(both, { mounts: [{ type: 'tmpfs', target: 't' }] })).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  expect(await call(both, { environment: ['NAME'] })).toMatchObject({ message: expect.stringMatching(/NAME=value/) })
})

test.each<[RunConfig]>([
  [{ Cmd: ['c\0d'] }],
  [{ Entrypoint: ['e', '\0'] }],
  [{ ...both, Env: ['A=x\0--bind\0/\0/host'] }],
  [{ ...both, User: '0\0' }],
  [{ ...both, WorkingDir: '/w\0' }],
])('a config with a NUL character is refused: %j', async config => {
  const refused = { code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(/NUL/) }
  expect(await thrownBy(async () => compose(config))).toMatchObject(refused)
})

test('variables of the caller replace those of the image, and the usual ones are added', () => {
  const env = (config: RunConfig, settings: ContainerSettings) =>
    compose({ Cmd: ['c'], ...config }, settings).environment
  expect(env({ Env: ['A=1', 'PATH=/bin'] }, { environment: ['B=1', 'A=2', 'B=2'], terminal: true })).toEqual([
    ...['A=2', 'B=2', 'PATH=/bin', 'HOSTNAME=0123456789ab', 'TERM=xterm'],
  ])
  expect(env({}, { hostname: 'h' })).toEqual([expect.stringMatching(/^PATH=.*\/usr\/bin/), 'HOSTNAME=h'])
})
