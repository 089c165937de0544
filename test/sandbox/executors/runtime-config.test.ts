import { describe, expect, test } from 'vitest'
import { runtimeConfig } from '../../../lib/sandbox/executors/runc/runtime-config.ts'
import type { ProcessSpec } from '../../../lib/sandbox/index.ts'

interface Config {
  readonly mounts: readonly { readonly destination: string; readonly type: string; readonly options: string[] }[]
  readonly linux: Readonly<Record<string, unknown>> & { readonly maskedPaths: readonly string[] }
}

const spec: ProcessSpec = {
  root: '/',
  args: ['/bin/true'],
  environment: [],
  workdir: '/',
  user: { uid: 0, gid: 0, groups: [], home: '/' },
  mounts: [],
  network: 'default',
}
const configOf = (options: Omit<Parameters<typeof runtimeConfig>[1], 'mounts'>) =>
  runtimeConfig(spec, { mounts: [], ...options }) as Config
const mountAt = ({ mounts }: Config, path: string) => mounts.find(({ destination }) => destination === path)

describe('the config of runc', () => {
  test('names a control group and devices for root of the machine', () => {
    const config = configOf({ ids: 'all', group: 'layerstore/process' })
    expect(config.linux).toMatchObject({ cgroupsPath: 'layerstore/process', resources: { devices: expect.anything() } })
    expect(mountAt(config, '/sys')?.type).toBe('sysfs')
    expect(config.linux.maskedPaths).not.toContain('/sys/fs/cgroup')
  })

  test('names none in a user namespace, binds /sys, and hides the groups of the user', () => {
    const config = configOf({ ids: 'range' })
    expect(config.linux).not.toHaveProperty('cgroupsPath')
    expect(config.linux).not.toHaveProperty('resources')
    expect(mountAt(config, '/sys')?.options).toEqual(expect.arrayContaining(['rbind', 'ro']))
    expect(mountAt(config, '/dev/pts')?.options).toContain('gid=5')
    expect(config.linux.maskedPaths).toContain('/sys/fs/cgroup')
  })

  test('gives terminals to no group where there is one id', () => {
    expect(mountAt(configOf({ ids: 'one' }), '/dev/pts')?.options).not.toContain('gid=5')
  })
})
