import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chrootNote } from '../../../lib/sandbox/executors/chroot/chroot-note.ts'
import { callFilter } from '../../../lib/sandbox/executors/system-calls/call-filter.ts'
import { filterWords } from '../../../lib/sandbox/executors/system-calls/filter-words.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/** Finds some programs only. */
const only =
  (...names: string[]) =>
  (name: string) =>
    names.includes(name) ? `/usr/bin/${name}` : undefined

describe('the words that set a filter of system calls', () => {
  test('start perl, or python3 without it', () => {
    expect(filterWords(6, { arch: 'x64', find: only('perl', 'python3') })?.[0]).toBe('/usr/bin/perl')
    expect(filterWords(6, { arch: 'x64', find: only('python3') })?.[0]).toBe('/usr/bin/python3')
    expect(filterWords(6, { arch: 'x64', find: only() })).toBeUndefined()
  })

  test('make the call of the processor, and are none where its filter is not known', () => {
    expect(filterWords(6, { arch: 'x64', find: only('perl') })?.slice(-2)).toEqual(['157', '6'])
    expect(filterWords(6, { arch: 'arm64', find: only('perl') })?.slice(-2)).toEqual(['167', '6'])
    expect(filterWords(6, { arch: 'riscv64', find: only('perl', 'python3') })).toBeUndefined()
  })

  test('are missing in the note of the executor chroot, which says why', () => {
    expect(chrootNote({ arch: 'x64', find: only('perl') })).toBe('the weakest isolation')
    const open = 'the weakest isolation, with all system calls allowed'
    expect(chrootNote({ arch: 'x64', find: only() })).toBe(`${open} without perl or python3`)
    expect(chrootNote({ arch: 'riscv64', find: only('perl') })).toBe(`${open} on this processor`)
  })
})

const able = needsRoot() && callFilter([]) !== undefined

describe.runIf(able).each(['perl', 'python3'])('a filter of system calls that %s sets', program => {
  const isThere = needsProgram(program)
  /** Runs a script of the shell behind a filter. */
  const run = (script: string, filter = callFilter([]) as Uint8Array) => {
    using place = temporaryDirectory('filter-words')
    const file = join(place.path, 'filter')
    writeFileSync(file, filter)
    const descriptor = openSync(file, 'r')
    try {
      const [setter = '', ...words] = filterWords(3, { find: only(program) }) ?? []
      return spawnSync(setter, [...words, '/bin/sh', '-c', script, 'sh', 'a b', ''], {
        env: {},
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe', descriptor],
      })
    } finally {
      closeSync(descriptor)
    }
  }

  test.runIf(isThere)('acts on the command, which is the same process', () => {
    const { stdout, pid } = run('grep -E "^(Pid|Seccomp|NoNewPrivs):" /proc/$$/status; printf "%s|" "$@"')
    expect(stdout).toBe(`Pid:\t${pid}\nNoNewPrivs:\t0\nSeccomp:\t2\na b||`)
    expect(run('unshare --mount true').stderr).toContain('Operation not permitted')
  })

  test.runIf(isThere)('changes neither the signals that are ignored nor the variables', () => {
    const ignored = 'grep ^SigIgn: /proc/self/status; tr "\\\\0" "\\\\n" </proc/$$/environ'
    expect(run(ignored).stdout).toBe(execFileSync('/bin/sh', ['-c', ignored], { env: {}, encoding: 'utf8' }))
  })

  test.runIf(isThere)('passes on the exit code and the signal of the command', () => {
    expect(run('exit 7').status).toBe(7)
    expect(run('kill -TERM $$').signal).toBe('SIGTERM')
  })

  test.runIf(isThere)('fails before the command if the kernel refuses it', () => {
    const { status, stdout, stderr } = run('echo started', new Uint8Array(8))
    expect(stderr).toContain('the filter of system calls cannot be set: Invalid argument')
    expect({ stdout, isWell: status === 0 }).toEqual({ stdout: '', isWell: false })
  })
})
