import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { elfHeader } from '../../lib/sandbox/executors/platforms/elf-header.ts'
import { arm64Program } from '../helpers/arm64-program.ts'
import { makeBusyboxRoot } from '../helpers/busybox-root.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const FOREIGN = 's390x'
/** Beginning of a program for s390x, and a mask that leaves out the version and the kind of system. */
const MAGIC = '\\x7fELF\\x02\\x02\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x16'
const MASK = '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff'
const PROGRAM = Buffer.from(`${MAGIC.replaceAll('\\x', '').replace('7fELF', '7f454c46')}`, 'hex')
/** Interpreters that are registered in a user namespace are unknown outside of it. */
const IN_NAMESPACE = ['--user', '--map-root-user', '--mount', '--']

let place: ReturnType<typeof temporaryDirectory>
let at: (path: string) => string
beforeEach(() => {
  place = temporaryDirectory('build-platform')
  at = path => join(place.path, path)
})
afterEach(() => place[Symbol.dispose]())

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox'), needsProgram('unshare')].every(Boolean)
const mountBinfmt = 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc'
const canRegister = () => {
  try {
    execFileSync('unshare', [...IN_NAMESPACE, 'sh', '-c', mountBinfmt], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!able)('a command for another architecture', () => {
  /** Command lines that import a base for it, and build on it. */
  function commands() {
    makeBusyboxRoot(at('root'))
    writeFileSync(at('root/bin/foreign'), Buffer.concat([PROGRAM, Buffer.from(' runs here\n')]), { mode: 0o755 })
    execFileSync('tar', ['-C', at('root'), '-cf', at('base.tar'), '.'])
    mkdirSync(at('context'))
    writeFileSync(at('context/Dockerfile'), 'FROM base:1\nCOPY Dockerfile /\nRUN ["/bin/foreign"]\n')
    const { command } = cliProcesses(place.path, at('store'))
    const shell = (args: readonly string[]) =>
      [...command, '--store', at('store'), ...args].map(word => `'${word}'`).join(' ')
    return [
      shell(['import', at('base.tar'), '-t', 'base:1', '--platform', `linux/${FOREIGN}`]),
      shell(['build', at('context'), '--progress', 'plain', '--platform', `linux/${FOREIGN}`]),
    ]
  }

  test('runs where the kernel knows an interpreter', async () => {
    if (!needs(canRegister(), 'the kernel has no binfmt_misc in user namespaces')) return
    // It prints what it is given to interpret.
    execFileSync('cp', ['/bin/busybox', at('cat')])
    const register = `printf '%s' ':foreign:M::${MAGIC}:${MASK}:${at('cat')}:F' >/proc/sys/fs/binfmt_misc/register`
    const script = [mountBinfmt, register, ...commands()].join(' && ')
    const output = await program('unshare', [...IN_NAMESPACE, 'sh', '-c', `(${script}) 2>&1`])
    expect(output).toMatch(/\] \| .*ELF.* runs here\n/)
  })

  test('for arm64 runs by the qemu of Debian', async () => {
    if (!needs(canRegister(), 'the kernel has no binfmt_misc in user namespaces')) return
    if (!needsProgram('qemu-aarch64-static')) return
    const qemu = (await program('sh', ['-c', 'command -v qemu-aarch64-static'])).trim()
    writeFileSync(at('hello'), arm64Program('arm64 runs here\n'), { mode: 0o755 })
    mkdirSync(at('context'))
    writeFileSync(at('context/Dockerfile'), 'FROM base:1\nRUN ["/bin/hello"]\n')
    const { command } = cliProcesses(place.path, at('store'))
    const shell = (args: readonly string[]) =>
      [...command, '--store', at('store'), ...args].map(word => `'${word}'`).join(' ')
    const platform = ['--platform', 'linux/arm64']
    const magic = elfHeader('arm64')!.toString('hex').replaceAll(/../g, '\\x$&')
    const register = `printf '%s' ':arm64:M::${magic}::${qemu}:F' >/proc/sys/fs/binfmt_misc/register`
    const script = [
      mountBinfmt,
      register,
      shell(['append', 'scratch', '--file', `${at('hello')}:/bin/hello:0755`, '-t', 'base:1', ...platform]),
      shell(['build', at('context'), '--progress', 'plain', ...platform]),
    ].join(' && ')
    const output = await program('unshare', [...IN_NAMESPACE, 'sh', '-c', `(${script}) 2>&1`])
    expect(output).toMatch(/\] \| arm64 runs here\n/)
  })

  test('is refused before anything is built where the kernel knows none', async () => {
    const empty = needs(canRegister(), 'the kernel has no binfmt_misc in user namespaces') ? [mountBinfmt] : []
    const [importBase, build] = commands()
    const script = [...empty, importBase, `! ${build}`].join(' && ')
    const output = await program('unshare', [...IN_NAMESPACE, 'sh', '-c', `(${script}) 2>&1`])
    const message = new RegExp(`RUN.* for linux/${FOREIGN}.*qemu-user-static.*\\(ERR_BUILD_NO_EXECUTOR\\)`)
    expect(output).toMatch(message)
    expect(output).not.toContain('DONE')
  })
})
