import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { storeBusyboxImage } from '../helpers/busybox-image.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { type CliProcesses, cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox'), needsProgram('script')].every(Boolean)

let directory: ReturnType<typeof temporaryDirectory>
let processes: CliProcesses
const at = (path: string) => join(directory.path, path)

describe.skipIf(!able)('a process of run', () => {
  beforeEach(async () => {
    directory = temporaryDirectory('run-processes')
    await using store = await openStore(at('store'), { durability: 'none' })
    await storeBusyboxImage(store, 'box:1', { config: { Entrypoint: ['/bin/sh', '-c'], Env: ['PATH=/bin'] } })
    processes = cliProcesses(directory.path, at('store'))
  })
  afterEach(async () => {
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(directory.path)
    expect(readdirSync(at('store/.layerstore/containers'))).toEqual([])
    directory[Symbol.dispose]()
  })

  const start = (args: readonly string[], options?: { tty?: boolean }) => processes.start(['run', ...args], options)
  const handler = 'trap "echo got it; exit 9" INT TERM HUP; echo up; while true; do sleep 0.05; done'

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('gets %s, and its exit code is passed on', async name => {
    const run = start(['box:1', handler])
    await expect.poll(() => run.text.stdout).toBe('up\n')
    run.child.kill(name)
    expect(await run.ended).toBe(9)
    expect(run.text).toEqual({ stdout: 'up\ngot it\n', stderr: '' })
  })

  test('is ended by a signal that it does not handle, as outside of a container', async () => {
    const run = start(['box:1', 'echo up; exec sleep 1000'])
    await expect.poll(() => run.text.stdout).toBe('up\n')
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(143)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('that %s ends is listed with the exit code of the command, %i', async (name, code) => {
    const run = start(['--keep', 'ended', 'box:1', 'echo up; exec sleep 1000'])
    await expect.poll(() => run.text.stdout).toBe('up\n')
    run.child.kill(name)
    expect(await run.ended).toBe(code)
    const listed = processes.start(['containers'])
    await listed.ended
    expect(listed.text.stdout).toContain(`exited with ${code}\n`)
    expect(await processes.start(['containers', 'rm', 'ended']).ended).toBe(0)
  })

  test('sees the new size of the terminal of the command', async () => {
    const onResize = 'trap "busybox stty size; exit 9" WINCH; echo up; while true; do sleep 0.05; done'
    const run = start(['-t', '-i', 'box:1', onResize], { tty: true })
    await expect.poll(() => run.text.stdout).toContain('up\r\n')
    const [shell] = readFileSync(`/proc/${run.child.pid}/task/${run.child.pid}/children`, 'utf8').split(' ')
    execFileSync('stty', ['-F', readlinkSync(`/proc/${shell}/fd/0`), 'rows', '41'])
    await run.ended
    expect(run.text.stdout).toMatch(/^up\r\n41 \d+\r\n$/)
  })

  test('gets Ctrl-C of the terminal of the command, once', async () => {
    const run = start(['box:1', handler], { tty: true })
    await expect.poll(() => run.text.stdout).toBe('up\r\n')
    run.child.stdin.write('\x03')
    // The shell between the terminal and the command gets it too, and ends by it.
    await run.ended
    expect(run.text.stdout.replace('^C', '')).toBe('up\r\ngot it\r\n')
  })

  test('has a terminal with -t: job control, and Ctrl-C for what runs in front', async () => {
    const run = start(['-it', '--entrypoint', '/bin/sh', 'box:1'], { tty: true })
    const type = (text: string) => run.child.stdin.write(text)
    const prompts = () => run.text.stdout.split('/ # ').length - 1
    await expect.poll(prompts).toBe(1)
    type('sleep 1000; echo after\n')
    await expect.poll(() => program('ps', ['axww', '-o', 'args'])).toMatch(/^sleep 1000$/m)
    type('\x03')
    await expect.poll(prompts).toBe(2)
    type('[ -t 0 ] && [ -t 1 ] && echo is$((1))terminal; exit 4\n')
    expect(await run.ended).toBe(4)
    expect(run.text.stdout).toContain('is1terminal')
    expect(run.text.stdout).not.toMatch(/^after/m)
    expect(run.text.stdout).not.toMatch(/job control/)
  })

  test.each(['bwrap', 'chroot'])('handles Ctrl-C itself with -t in %s', async name => {
    const run = start(['-t', '-i', '--sandbox', name, 'box:1', handler], { tty: true })
    await expect.poll(() => run.text.stdout).toBe('up\r\n')
    run.child.stdin.write('\x03')
    expect(await run.ended).toBe(9)
    expect(run.text.stdout).toContain('got it')
  })

  test('reads input to its end with -i, and none without', async () => {
    const run = start(['-i', 'box:1', 'cat; echo end'])
    run.child.stdin.end('some\ninput\n')
    expect(await run.ended).toBe(0)
    expect(run.text.stdout).toBe('some\ninput\nend\n')
    const other = start(['box:1', 'cat; echo end'])
    expect(await other.ended).toBe(0)
    expect(other.text.stdout).toBe('end\n')
    expect(await start(['-it', 'box:1', 'true']).ended).toBe(125)
  })

  test('leaves nothing mounted or running if run is killed, once the next command looks', async () => {
    // No other run of the tests has it.
    const seconds = 400_000 + process.pid
    const run = start(['--name', 'doomed', 'box:1', `echo up; while true; do sleep ${seconds}; done`])
    await expect.poll(() => run.text.stdout).toBe('up\n')
    run.child.kill('SIGKILL')
    await run.ended
    await expect.poll(() => program('ps', ['axww', '-o', 'args'])).not.toContain(`\nsleep ${seconds}\n`)
    const next = processes.start(['containers'])
    expect(await next.ended).toBe(0)
    expect(next.text.stdout).toBe('ID   IMAGE   COMMAND   CREATED   STATE\n')
  })
})
