import { expect, test } from 'vitest'
import { applyInstructions } from '../../lib/dockerfile/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const config = {
  os: 'linux',
  architecture: 'amd64',
  config: { Env: ['A=1'], WorkingDir: '/srv', Cmd: ['c'], OnBuild: ['RUN true'] },
  rootfs: { type: 'layers', diff_ids: [] },
} as const

test('instructions change a config, with its variables expanded', () => {
  const lines = ['ENV B=$A', 'WORKDIR sub', 'ENTRYPOINT ["e"]', 'CMD x $A', 'VOLUME /v', 'ONBUILD RUN y', 'USER u']
  expect(applyInstructions(config, lines)).toEqual({
    ...config,
    config: {
      Env: ['A=1', 'B=1'],
      WorkingDir: '/srv/sub',
      Entrypoint: ['e'],
      Cmd: ['/bin/sh', '-c', 'x $A'],
      Volumes: { '/v': {} },
      User: 'u',
      OnBuild: ['RUN y'],
    },
  })
})

test('without instructions only the triggers are gone', () => {
  const { OnBuild: _, ...run } = config.config
  expect(applyInstructions(config, [])).toEqual({ ...config, config: run })
})

test.each(['RUN true', 'COPY a b', 'FROM other', 'ADD a b', 'USER 1\nRUN true'])(
  '%s is no change of a config',
  async line => {
    expect(await thrownBy(async () => applyInstructions(config, [line]))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  },
)

test('an instruction that cannot be parsed is reported with its place', async () => {
  expect(await thrownBy(async () => applyInstructions(config, ['NOPE x']))).toMatchObject({
    code: 'ERR_DOCKERFILE_SYNTAX',
    message: expect.stringContaining('changes:2'),
  })
})
