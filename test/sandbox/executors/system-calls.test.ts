import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { callFilter } from '../../../lib/sandbox/executors/system-calls/call-filter.ts'
import { bubblewrap, chroot, type Executor, runc } from '../../../lib/sandbox/index.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/** Calls by their numbers on x64, with arguments; 0 is success, else the number of the error. */
const CALLS = {
  getpid: [39],
  keyctl: [250, 0, -3, 0],
  add_key: [248, 0, 0, 0, 0, -3],
  bpf: [321, 0, 0, 0],
  mount: [165, 0, 0, 0, 0, 0],
  umount2: [166, 0, 0],
  pivot_root: [155, 0, 0],
  fsopen: [430, 0, 0],
  io_uring_setup: [425, 1, 0],
  userfaultfd: [323, 0],
  perf_event_open: [298, 0, 0, 0, 0, 0],
  open_by_handle_at: [304, 0, 0, 0],
  kcmp: [312, 1, 1, 0, 0, 0],
  clone3: [435, 0, 0],
  'clone of a user namespace': [56, 0x1000_0000, 0, 0, 0, 0],
  'unshare of a user namespace': [272, 0x1000_0000],
  'unshare of a time namespace': [272, 0x80],
  'socket to the host of a virtual machine': [41, 40, 1, 0],
  'socket of the machine': [41, 1, 1, 0],
  ptrace: [101, 16, 0, 0, 0],
  'a call of the future': [2000],
  'a call of x32': [0x4000_0000 + 39],
} as const

/** Recorded from Docker Engine 28.5.2 and runc, with `perl` of Debian 12. */
const DOCKER: Readonly<Record<keyof typeof CALLS, number>> = {
  getpid: 0,
  keyctl: 1,
  add_key: 1,
  bpf: 1,
  mount: 1,
  umount2: 1,
  pivot_root: 1,
  fsopen: 1,
  io_uring_setup: 1,
  userfaultfd: 1,
  perf_event_open: 1,
  open_by_handle_at: 1,
  kcmp: 1,
  clone3: 38,
  'clone of a user namespace': 1,
  'unshare of a user namespace': 1,
  'unshare of a time namespace': 1,
  'socket to the host of a virtual machine': 1,
  'socket of the machine': 0,
  ptrace: 3,
  'a call of the future': 38,
  'a call of x32': 38,
}

const SCRIPT =
  'for (@ARGV) { my ($call, @words) = map { $_ + 0 } split /,/; print syscall($call, @words) < 0 ? $! + 0 : 0, "\n" }'

const able = process.arch === 'x64' && needsRoot() && needsProgram('perl')

describe.runIf(able).each<[string, () => Executor]>([
  ['bwrap', bubblewrap],
  ['runc', runc],
  ['chroot', chroot],
])('a process of %s', (program, create) => {
  test.runIf(needsProgram(program))('gets the same from system calls as in a container of Docker', async () => {
    using place = temporaryDirectory('system-calls')
    for (const name of ['usr', 'tmp']) mkdirSync(join(place.path, name))
    for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(place.path, name))
    let said = ''
    const { code } = await create().run({
      root: place.path,
      args: ['/usr/bin/perl', '-e', SCRIPT, ...Object.values(CALLS).map(words => words.join(','))],
      environment: [],
      workdir: '/',
      user: { uid: 0, gid: 0, groups: [], home: '/' },
      mounts: [{ type: 'bind', source: '/usr', target: '/usr', readOnly: true }],
      network: 'none',
      onOutput: chunk => {
        said += Buffer.from(chunk).toString()
      },
    })
    const results = said.trim().split('\n').map(Number)
    expect({ code, ...Object.fromEntries(Object.keys(CALLS).map((name, i) => [name, results[i]])) }).toEqual({
      code: 0,
      ...DOCKER,
    })
  })
})

describe('the filter', () => {
  test('is shorter the more capabilities a process has', () => {
    const usual = callFilter([], 'x64')?.byteLength ?? 0
    expect(callFilter(['CAP_SYS_ADMIN'], 'x64')?.byteLength).toBeLessThan(usual)
    expect(callFilter([], 'arm64')?.byteLength).toBeGreaterThan(500)
  })

  test('is none on a processor whose numbers of calls are not known', () => {
    expect(callFilter([], 'riscv64')).toBeUndefined()
  })
})
