import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { executorOf, extraHostsOf, limitsOf } from '../../lib/cli/building/sandbox-options.ts'
import { makeBusyboxRoot } from '../helpers/busybox-root.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { cli } from '../helpers/run-cli.ts'
import { cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test('limits, executors and hosts are options, and wrong ones are wrong usage', () => {
  expect(limitsOf({ memory: '2GiB', pidsLimit: '100', stepTimeout: '90s' })).toEqual({
    memory: 2 ** 31,
    processes: 100,
    seconds: 90,
  })
  expect(limitsOf({})).toEqual({})
  expect([undefined, 'bwrap', 'bubblewrap', 'runc', 'chroot'].map(executorOf)).toEqual([
    undefined,
    'bubblewrap',
    'bubblewrap',
    'runc',
    'chroot',
  ])
  expect(extraHostsOf(['db:10.0.0.1', 'six=::1', 'seven:[fe80::1]'])).toEqual([
    { name: 'db', address: '10.0.0.1' },
    { name: 'six', address: '::1' },
    { name: 'seven', address: 'fe80::1' },
  ])
  const refused = [
    () => executorOf('docker'),
    () => executorOf('toString'),
    () => limitsOf({ memory: '0' }),
    () => limitsOf({ pidsLimit: '1.5' }),
    () => limitsOf({ stepTimeout: '5' }),
    () => extraHostsOf(['db:there']),
    () => extraHostsOf(['db 10.0.0.1']),
  ]
  for (const call of refused) expect(call).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
})

const able = [needsRoot(), needsProgram('busybox')].every(Boolean)

describe.skipIf(!able)('build', () => {
  let place: ReturnType<typeof temporaryDirectory>
  let at: (path: string) => string
  beforeEach(() => {
    place = temporaryDirectory('build-sandbox')
    at = path => join(place.path, path)
  })
  afterEach(() => place[Symbol.dispose]())

  /** Builds steps on a base with a shell. */
  async function build(steps: string, args: readonly string[], options: Parameters<typeof cli>[1] = {}) {
    makeBusyboxRoot(at('root'))
    execFileSync('tar', ['-C', at('root'), '-cf', at('base.tar'), '.'])
    await cli(['import', at('base.tar'), '-t', 'base:1'], { store: at('store') })
    mkdirSync(at('context'))
    writeFileSync(at('context/Dockerfile'), `FROM base:1\nWORKDIR /w\n${steps}`)
    return cli(['build', '--progress', 'plain', ...args, at('context')], { store: at('store'), ...options })
  }

  test.each([
    ['bwrap', 'bubblewrap'],
    ['runc', 'runc'],
    ['chroot', 'chroot; the weakest isolation'],
  ])('--sandbox %s runs the commands with it, and says so', async (option, name) => {
    if (!needsProgram(option)) return
    const steps = 'USER app\nRUN cat /etc/hosts\nUSER 0\nRUN echo "$PWD" $$ > /out && cat /out\n'
    const { code, stderr } = await build(steps, ['--sandbox', option, '--add-host', 'db:10.0.0.1'])
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('| /w 1\n') })
    expect(stderr).toContain(`commands run with ${name}\n`)
    expect(stderr).toMatch(/\| 10\.0\.0\.1 +db\n/)
  })

  test.each([
    [
      'may create no namespaces',
      'setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$@"',
      /namespace.*not permitted/i,
    ],
    [
      'lacks setpriv',
      'unshare --mount sh -c \'mount --bind "$0" /usr/bin/setpriv && exec "$@"\' "$FILE" "$@"',
      /setpriv is not installed: install the package util-linux/,
    ],
  ])('is refused before anything is built where root %s', async (_, script, reason) => {
    await build('RUN true\n', [])
    writeFileSync(at('file'), '')
    writeFileSync(at('context/Dockerfile'), 'FROM base:1\nCOPY Dockerfile /\nRUN echo up\n')
    const { command } = cliProcesses(place.path, at('store'))
    const args = [...command, '--store', at('store'), 'build', '--progress', 'plain', at('context')]
    const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...args], {
      env: { PATH: process.env.PATH, FILE: at('file'), HOME: place.path },
      encoding: 'utf8',
    })
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('ERR_BUILD_NO_EXECUTOR') })
    for (const name of ['bubblewrap', 'runc', 'chroot']) expect(stderr).toContain(`${name}: `)
    expect(stderr).toMatch(reason)
    expect(stderr).not.toContain('[2/3]')
  })

  test('--step-timeout, --memory and --pids-limit end a command that needs more', async () => {
    const limits = ['--step-timeout', '1s', '--memory', '256MiB', '--pids-limit', '50']
    const { code, stderr } = await build('RUN echo up; sleep 60\n', limits)
    expect(code).toBe(1)
    expect(stderr).toMatch(/\[.*\] \| up\n(.*\n)*.*the command did not end within 1 seconds.*\(ERR_BUILD_LIMIT\)/)
  })

  test('--ulimit limits the resources of each process of a command', async () => {
    const { code, stderr } = await build('RUN echo "files $(ulimit -n)"\n', ['--ulimit', 'nofile=77'])
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('| files 77\n') })
  })

  test('--json tells exit code, signal and last lines of a command that failed', async () => {
    const { code, stdout } = await build('RUN echo up; sh -c "kill -9 \\$\\$"; exit $?\n', ['--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'ERR_BUILD_RUN',
        command: { exitCode: 137, signal: 'SIGKILL', output: ['up', expect.any(String)] },
      },
    })
  })

  test('says why sudo fails in bubblewrap', async () => {
    const said = 'sudo: effective uid is not 0, is sudo installed setuid root?'
    const { stderr } = await build(`USER app\nRUN echo "${said}" >&2; exit 1\n`, ['--sandbox', 'bwrap'])
    expect(stderr).toContain('set-id programs such as sudo gain no privileges in bubblewrap')
  })

  test('says that a step was stopped, not that it has failed, when it is stopped', async () => {
    const stop = new AbortController()
    const onStderr = (text: string) => text.includes('| up') && stop.abort(new Error('SIGINT'))
    const { code, stderr } = await build('RUN echo up; sleep 60\n', [], { signal: stop.signal, onStderr })
    expect(code).toBe(130)
    expect(stderr).toMatch(/\] stopped\n/)
    expect(stderr).not.toContain('FAILED')
  })

  test('names a program that is not in the image, and where it was searched', async () => {
    const { code, stderr } = await build('ENV PATH=/bin:/tools\nRUN ["npm", "ci"]\n', [])
    expect(code).toBe(1)
    expect(stderr).toContain('the program "npm" is in none of the directories of PATH: /bin:/tools')
  })
})
