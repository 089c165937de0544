import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { arch } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bubblewrap, chroot, type ProcessSpec, runc } from '../../lib/sandbox/index.ts'
import { ESCAPE_PROGRAM } from '../helpers/escape-program.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const APPLETS =
  'cat chmod dd echo head id kill ln ls mkdir mknod mount readlink rm setsid sh sleep touch true umount unshare'
const able = [needsRoot(), needsProgram('busybox')].every(Boolean)
const executors = { bwrap: bubblewrap, runc, chroot }
const ROOT = { uid: 0, gid: 0, groups: [], home: '/root' }

let place: ReturnType<typeof temporaryDirectory>
let at: (path: string) => string
beforeEach(() => {
  place = temporaryDirectory('run-processes')
  at = path => join(place.path, path)
  for (const path of ['root/bin', 'root/etc', 'victim']) mkdirSync(at(path), { recursive: true })
  execFileSync('cp', ['/bin/busybox', at('root/bin/busybox')])
  for (const name of APPLETS.split(' ')) symlinkSync('busybox', at(`root/bin/${name}`))
  writeFileSync(at('victim/canary'), 'alive')
})
afterEach(() => place[Symbol.dispose]())

/** Everything of this machine that a process could have changed or left. */
function traces() {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return {
    canary: readFileSync(at('victim/canary'), 'utf8'),
    victims: readdirSync(at('victim')),
    beside: readdirSync(place.path).sort(),
    mounts: mounts.filter(line => line.includes(place.path)).length,
    groups: groupsOf('pids').length,
    corePattern: readFileSync('/proc/sys/kernel/core_pattern', 'utf8'),
  }
}

/** Control groups of this process that were made for processes. */
function groupsOf(controller: string): string[] {
  const directory = `/sys/fs/cgroup/${controller}`
  return existsSync(directory)
    ? readdirSync(directory).filter(name => name.startsWith(`layerstore-${process.pid}-`))
    : []
}

describe.each(Object.entries(executors))('a hostile process in %s', (name, create) => {
  const isThere = able && needsProgram(name)

  /** Runs a script and proves that nothing of the machine has changed and nothing is left. */
  async function run(script: string, spec: Partial<ProcessSpec> = {}) {
    const before = traces()
    let output = ''
    let errors = ''
    const seconds = `${700_000 + Math.floor(Math.random() * 99_999)}`
    const exit = await create().run({
      root: at('root'),
      args: ['/bin/sh', '-c', script.replaceAll('$LONG', seconds)],
      environment: ['PATH=/bin'],
      workdir: '/',
      user: ROOT,
      mounts: [],
      network: 'default',
      limits: { seconds: 20 },
      // Errors of programs may come between two lines, or parts of lines, of the output.
      onOutput: (chunk, stream) => {
        const text = Buffer.from(chunk).toString('utf8')
        if (stream === 'stdout') output += text
        else errors += text
      },
      ...spec,
    })
    expect(traces()).toEqual(before)
    const left = execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' })
    expect(left).not.toContain(`sleep ${seconds}`)
    return { ...exit, output, errors }
  }

  test.skipIf(!isThere)('writes through links into its own root only', async () => {
    symlinkSync(at('victim'), at('root/absolute'))
    symlinkSync('../victim', at('root/relative'))
    symlinkSync(`${'../'.repeat(20)}${at('victim').slice(1)}`, at('root/climbing'))
    const script = 'for d in absolute relative climbing; do echo x >/$d/canary || echo refused; rm -rf /$d/*; done'
    expect((await run(script)).output.match(/^refused$/gm)).toHaveLength(3)
  })

  test.skipIf(!isThere)('gets no mount below a mount whose links lead to the machine', async () => {
    mkdirSync(at('data'))
    symlinkSync(at('victim'), at('data/out'))
    const data = { type: 'bind', source: at('data'), target: '/data' } as const
    const nested = [
      { type: 'tmpfs', target: '/data/out/new' },
      { type: 'bind', source: at('root/etc'), target: '/data/out/directory', readOnly: false },
    ] as const
    for (const readOnly of [true, false]) {
      for (const mount of nested) {
        const mounts = [{ ...data, readOnly }, mount]
        const ran = await run('ls /data', { mounts }).catch((error: Error) => error)
        if (ran instanceof Error) expect(ran).toMatchObject({ code: 'ERR_SANDBOX_MOUNT' })
        expect(readdirSync(at('victim'))).toEqual(['canary'])
      }
    }
    expect(readdirSync(at('data'))).toEqual(['out'])
  })

  test.skipIf(!isThere)('cannot fork without end', async () => {
    const bomb = 'b() { b | b & }; b 2>/dev/null; sleep 1; exit 1'
    expect(await run(bomb, { limits: { processes: 40, seconds: 20 } })).toMatchObject({ limit: 'processes' })
  })

  test.skipIf(!isThere)('that fills its disk ends, and the machine has its space', async () => {
    const mounts = [{ type: 'tmpfs', target: '/small', size: 1 << 20 } as const]
    const { output } = await run('dd if=/dev/zero of=/small/x bs=64k 2>/dev/null || echo full', { mounts })
    expect(output).toBe('full\n')
  })

  test.skipIf(!isThere)('finds no way to the machine in /proc', async () => {
    const script = [
      'echo x >/proc/sys/kernel/core_pattern; echo b >/proc/sysrq-trigger',
      `cat /proc/*/root${at('victim/canary')} /proc/*/cwd${at('victim/canary')}`,
      'for fd in /proc/[0-9]*/fd/*; do readlink $fd; done',
      'ls /proc/1/root',
    ].join('\n')
    const { output } = await run(script)
    expect(output).not.toContain('alive')
    const shown = output
      .split('\n')
      .filter(line => line.startsWith('/') && !line.includes(': ') && !/^\/(dev|proc)\b/.test(line))
    expect(shown).toEqual([])
    expect(output.split('\n').slice(-6)).toEqual(['bin', 'dev', 'etc', 'proc', 'sys', ''])
  })

  test.skipIf(!isThere)('leaves no daemon behind', async () => {
    const script =
      'trap "" HUP TERM INT; setsid sleep $LONG & (setsid sh -c "trap \\"\\" HUP TERM; sleep $LONG" &); sleep 0.1'
    expect(await run(script)).toMatchObject({ code: 0 })
  })

  test.skipIf(!isThere)('cannot kill its first process, nor others of the machine', async () => {
    const script = 'sleep $LONG & kill -9 1; kill -9 -1; kill -15 1; echo alive'
    expect((await run(script)).output).toBe('alive\n')
  })

  test.skipIf(!isThere)('that removes its root removes nothing else', async () => {
    mkdirSync(at('data'))
    writeFileSync(at('data/kept'), 'x')
    const mounts = [{ type: 'bind', source: at('data'), target: '/data', readOnly: true } as const]
    await run('rm -rf /* 2>/dev/null; rm -rf --no-preserve-root / 2>/dev/null; true', { mounts })
    expect(readFileSync(at('data/kept'), 'utf8')).toBe('x')
    expect(readdirSync(at('root'))).not.toContain('bin')
  })

  test.skipIf(!isThere)('cannot use a device that its image or a mount brings', async () => {
    mkdirSync(at('data'))
    // The log of the kernel, which any user may write to.
    for (const path of ['root/log', 'data/log']) execFileSync('mknod', ['-m', '666', at(path), 'c', '1', '11'])
    const mounts = [{ type: 'bind', source: at('data'), target: '/data', readOnly: false } as const]
    const script = 'for f in /log /data/log; do echo layerstore-test >$f && echo used; done; echo done'
    expect((await run(script, { mounts })).output).not.toContain('used')
  })

  test.skipIf(!isThere)('with ten thousand mounts leaves none', async () => {
    const many = [
      'mount -t tmpfs x /m',
      'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do mkdir /m/$i && mount --rbind /m /m/$i || break; done',
    ].join(' && ')
    mkdirSync(at('root/m'))
    await run(`unshare -r -m sh -c '${many}'; true`)
  })

  test.skipIf(!isThere || arch() !== 'x64')('that leaves a changed root is among programs, read-only', async () => {
    writeFileSync(at('root/bin/escape'), ESCAPE_PROGRAM)
    chmodSync(at('root/bin/escape'), 0o755)
    for (const user of [ROOT, { ...ROOT, groups: [5] }, { ...ROOT, uid: 7 }]) {
      const args = ['/bin/escape', at('victim/canary'), at('victim/new')]
      const { output, errors, code } = await run('', { args, user })
      expect({ output: (output + errors).replace('usr seen\n', ''), code }).toEqual({ output: '', code: 0 })
    }
  })
})
