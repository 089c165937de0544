import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeBusyboxRoot } from '../helpers/busybox-root.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { cli } from '../helpers/run-cli.ts'
import { cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = [needsRoot(), needsProgram('busybox')].every(Boolean)

let place: ReturnType<typeof temporaryDirectory>
let at: (path: string) => string
beforeEach(() => {
  place = temporaryDirectory('run-killed')
  at = path => join(place.path, path)
})
afterEach(() => place[Symbol.dispose]())

/** Control groups of a process. */
function groupsOf(pid: number): string[] {
  const names = execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `layerstore-${pid}-*`], {
    encoding: 'utf8',
  })
  return names.split('\n').filter(name => name !== '')
}

const isRunning = (text: string) => execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' }).includes(text)
const mounts = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes(place.path))

describe.skipIf(!able).each(['bwrap', 'runc', 'chroot'])('after kill -9 of a build in %s', name => {
  test.skipIf(!needsProgram(name))('nothing runs, and the next build removes what is left', async () => {
    const seconds = `${800_000 + Math.floor(Math.random() * 99_999)}`
    makeBusyboxRoot(at('root'))
    execFileSync('tar', ['-C', at('root'), '-cf', at('base.tar'), '.'])
    await cli(['import', at('base.tar'), '-t', 'base:1'], { store: at('store') })
    mkdirSync(at('context'))
    const build = (steps: string) => {
      writeFileSync(at('context/Dockerfile'), `FROM base:1\n${steps}\n`)
      return ['build', at('context'), '--progress', 'plain', '--sandbox', name, '--memory', '256MiB']
    }
    const killed = cliProcesses(place.path, at('store')).start(
      build(`USER app\nRUN trap "" TERM; sleep ${seconds} & echo up; sleep ${seconds}`),
    )
    await expect.poll(() => killed.text.stderr).toContain('| up')
    expect(isRunning(`sleep ${seconds}`)).toBe(true)
    const pid = Number(killed.child.pid)
    expect(groupsOf(pid)).not.toEqual([])
    killed.child.kill('SIGKILL')
    await killed.ended
    await expect.poll(() => isRunning(`sleep ${seconds}`)).toBe(false)

    const next = await cli(build('RUN true'), { store: at('store') })
    expect(next).toMatchObject({ code: 0 })
    expect(groupsOf(pid)).toEqual([])
    expect(mounts()).toEqual([])
    const snapshots = readdirSync(at('store/.layerstore/snapshots'), { recursive: true, encoding: 'utf8' })
    expect(snapshots.filter(path => /stack-/.test(path))).toEqual([])
  })
})
