import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bubblewrap, type ProcessSpec, type RunningProcess } from '../../../lib/sandbox/index.ts'
import { makeBusyboxRoot } from '../../helpers/busybox-root.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { program } from '../../helpers/program.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)
const root = { uid: 0, gid: 0, groups: [], home: '/root' }
const app = { uid: 1000, gid: 1001, groups: [50], home: '/home/app' }

let place: ReturnType<typeof temporaryDirectory>
let at: (path: string) => string
beforeEach(() => {
  place = temporaryDirectory('bubblewrap')
  at = path => join(place.path, 'root', path)
  makeBusyboxRoot(at(''))
})
afterEach(() => place[Symbol.dispose]())

/** Runs a script and resolves to its exit code and what it wrote. */
async function run(script: string, spec: Partial<ProcessSpec> = {}) {
  const written = { stdout: '', stderr: '' }
  const exit = await bubblewrap().run({
    root: at(''),
    args: ['/bin/sh', '-c', script],
    environment: ['PATH=/bin', 'SECRET=s3cret'],
    workdir: '/',
    user: root,
    mounts: [],
    network: 'default',
    onOutput: (chunk, stream) => {
      written[stream] += Buffer.from(chunk).toString('utf8')
    },
    ...spec,
  })
  return { ...exit, ...written }
}

describe.skipIf(!able)('a process in bubblewrap', () => {
  test('has its user, groups, directory, variables, exit code and streams', async () => {
    mkdirSync(at('work'))
    const script = 'id; pwd; echo $SECRET; cat; echo fault >&2; exit 7'
    const asRoot = await run(script, { workdir: '/work' })
    expect(asRoot).toEqual({ code: 7, stdout: 'uid=0(root) gid=0(root)\n/work\ns3cret\n', stderr: 'fault\n' })
    const asUser = await run(script, { workdir: '/work', user: app })
    const id = 'uid=1000(app) gid=1001(web) groups=50(logs)\n'
    expect(asUser).toEqual({ code: 7, stdout: `${id}/work\ns3cret\n`, stderr: 'fault\n' })
  })

  test('is the first of its namespace, and ends with 128 and the number of a signal', async () => {
    expect(await run('kill -9 $$; echo $$')).toMatchObject({ code: 0, stdout: '1\n' })
    expect((await run('sh -c "kill -9 \\$\\$"; exit $?')).code).toBe(137)
  })

  test.each([
    ['/bin/missing', /"\/bin\/missing" does not exist/],
    ['missing', /"missing" is in none of the directories of PATH: \/bin:\/tools$/],
    ['/etc', /"\/etc" is a directory/],
    ['/etc/passwd', /"\/etc\/passwd" is not executable/],
    ['/bin/broken', /"\/bin\/broken" could not be executed/],
  ])('is refused if its program cannot be executed: %s', async (name, message) => {
    writeFileSync(at('bin/broken'), '#!/no/interpreter\n', { mode: 0o755 })
    const environment = ['PATH=/bin:/tools']
    for (const user of [root, app]) {
      const error = await thrownBy(() => run('', { args: [name], environment, user }))
      expect(error).toMatchObject({ code: 'ERR_SANDBOX_PROGRAM', message: expect.stringMatching(message) })
    }
    expect(readdirSync(at('')).sort()).toEqual(['bin', 'etc'])
  })

  test('finds its program in mounts and behind links', async () => {
    mkdirSync(join(place.path, 'tools'))
    symlinkSync('/bin/busybox', join(place.path, 'tools/cat'))
    symlinkSync('bin', at('sbin'))
    const mounts = [{ type: 'bind', source: join(place.path, 'tools'), target: '/tools', readOnly: true } as const]
    const environment = ['PATH=/nowhere:/tools']
    expect((await run('', { args: ['cat', '/etc/hosts'], mounts, environment })).stdout).toContain('localhost')
    expect((await run('', { args: ['/sbin/true'] })).code).toBe(0)
  })

  test('has the host name, the hosts, and the read-only root that it is given', async () => {
    const given = { hostname: 'box', extraHosts: [{ name: 'db', address: '10.0.0.7' }], readOnlyRoot: true }
    const { stdout } = await run('cat /proc/sys/kernel/hostname /etc/hosts; echo x > /x || echo read-only', given)
    expect(stdout).toMatch(/^box\n127.0.0.1\tlocalhost box\n(.*\n)+10.0.0.7\tdb\nread-only\n$/)
  })

  test('reads what the caller gives as standard input', async () => {
    async function* input() {
      yield Buffer.from('one\n')
      yield Buffer.from('two\n')
    }
    expect((await run('cat', { stdin: input() })).stdout).toBe('one\ntwo\n')
  })

  test('has a terminal of its own if asked for', async () => {
    const script = '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal; exit 5'
    expect(await run(script, { terminal: true })).toMatchObject({ code: 5, stdout: 'terminal\r\n' })
    expect(await run(script)).toMatchObject({ code: 5, stdout: '' })
  })

  test('gets the signals of the caller', async () => {
    const running: RunningProcess[] = []
    const onOutput = () => running[0]?.kill('SIGTERM')
    const script = 'trap "exit 9" TERM; echo up; while true; do sleep 0.01; done'
    expect((await run(script, { onStart: one => running.push(one), onOutput })).code).toBe(9)
  })

  test('cannot have more memory or processes than its limits', async () => {
    const hungry = 'x=x; while true; do x=$x$x; done'
    expect(await run(hungry, { limits: { memory: 32 * 2 ** 20 } })).toMatchObject({ limit: 'memory' })
    const bomb = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; true'
    expect(await run(bomb, { limits: { processes: 4 } })).toMatchObject({ limit: 'processes' })
    expect(await run('sleep 0 & sleep 0', { limits: { processes: 4, memory: 2 ** 26 } })).toMatchObject({ code: 0 })
  })

  test('is killed at the end of its time', async () => {
    expect(await run('sleep 4244 & sleep 4244', { limits: { seconds: 0.2 } })).toMatchObject({ limit: 'seconds' })
    expect(await program('ps', ['axww', '-o', 'args'])).not.toMatch(/^sleep 4244/m)
  })

  test.each([
    ['root', root],
    ['another user', app],
  ])('sees the network, devices and kernel of a build of Docker (%s)', async (_, user) => {
    const { stdout } = await run('cat /etc/hosts; cat /proc/sys/kernel/hostname; ls /dev; ls /', { user })
    const lines = stdout.split('\n')
    expect(lines).toContain('127.0.0.1\tlocalhost buildkitsandbox')
    expect(lines).toContain('buildkitsandbox')
    expect(lines.filter(line => ['mem', 'sda', 'vda', 'kmsg'].includes(line))).toEqual([])
    expect(lines.slice(-6)).toEqual(['bin', 'dev', 'etc', 'proc', 'sys', ''])
  })

  test('has the capabilities of Docker as root, and none as another user', async () => {
    const script = 'sed -n "s/CapEff:.//p" /proc/self/status'
    expect((await run(script)).stdout).toBe('00000000a80425fb\n')
    expect((await run(script, { user: app })).stdout).toBe('0000000000000000\n')
  })

  test('sees only the loopback device without a network', async () => {
    const count = async (network: 'none' | 'default') =>
      (await run('ls /sys/class/net; cat /proc/net/dev', { network })).stdout.match(/^ *\w+:/gm)
    expect(await count('none')).toEqual([expect.stringContaining('lo:')])
  })

  test('can use no device that it makes, and change nothing of the kernel', async () => {
    const { stdout } = await run(
      'mknod /tmpdisk b 254 0; cat /tmpdisk >/dev/null || echo refused; rm /tmpdisk; echo 1 > /proc/sys/kernel/panic || echo read-only; mount -t tmpfs x /sys || echo no mount',
    )
    expect(stdout).toBe('refused\nread-only\nno mount\n')
  })

  test('leaves no mount point, and the times of directories as they were', async () => {
    const then = new Date('2020-02-02T02:02:02Z')
    writeFileSync(join(place.path, 'secret'), 'x')
    for (const path of ['etc', '']) utimesSync(at(path), then, then)
    const mounts = [
      { type: 'bind', source: join(place.path, 'secret'), target: '/run/secrets/key', readOnly: true } as const,
      { type: 'tmpfs', target: '/cache/deep' } as const,
    ]
    const { stdout } = await run('cat /run/secrets/key; echo y > /cache/deep/y && echo z > /run/secrets/key', {
      mounts,
    })
    expect(stdout).toBe('x')
    expect(readdirSync(at('')).sort()).toEqual(['bin', 'etc'])
    expect(readdirSync(at('etc')).sort()).toEqual(['group', 'passwd'])
    expect([lstatSync(at('')).mtime, lstatSync(at('etc')).mtime]).toEqual([then, then])
  })

  test('finds mounts behind links of its root, which never lead out of it', async () => {
    mkdirSync(join(place.path, 'victim'))
    symlinkSync('/../../victim', at('run'))
    symlinkSync('/run/resolv.conf', at('etc/resolv.conf'))
    const { stdout, code } = await run('ls /victim')
    expect({ stdout, code }).toEqual({ stdout: 'resolv.conf\n', code: 0 })
    expect(readdirSync(join(place.path, 'victim'))).toEqual([])
    expect(existsSync(at('victim'))).toBe(false)
  })

  test('is refused if the links of a mount point never end, or a mount would hide the root', async () => {
    symlinkSync('hosts', at('etc/resolv.conf'))
    symlinkSync('resolv.conf', at('etc/hosts'))
    expect(await thrownBy(() => run('true'))).toMatchObject({ code: 'ERR_SANDBOX_MOUNT' })
    rmSync(at('etc/resolv.conf'))
    rmSync(at('etc/hosts'))
    const mounts = [{ type: 'tmpfs', target: '/', size: 1 } as const]
    expect(await thrownBy(() => run('true', { mounts }))).toMatchObject({ code: 'ERR_SANDBOX_MOUNT' })
    expect(readdirSync(at('etc')).sort()).toEqual(['group', 'passwd'])
  })

  test('keeps a directory that it made at a mount point, and what it wrote beside it', async () => {
    const mounts = [{ type: 'tmpfs', target: '/deep/cache', size: 65_536 } as const]
    const { stdout } = await run('echo x > /deep/kept; cat /proc/mounts | sed -n "/deep/p"', { mounts })
    expect(stdout).toContain('size=64k')
    expect(readdirSync(at('deep'))).toEqual(['kept'])
  })

  test('is refused if a mount point is a file where a directory is needed', async () => {
    writeFileSync(at('proc'), '')
    expect(await thrownBy(() => run('true'))).toMatchObject({ code: 'ERR_SANDBOX_MOUNT' })
    expect(readFileSync(at('proc'), 'utf8')).toBe('')
  })

  test('shows no variable on a command line of this machine', async () => {
    const lines = run('sleep 0.3; true')
    const listed = await program('ps', ['axww', '-o', 'args'])
    await lines
    expect(listed).not.toContain('s3cret')
  })

  test('is killed with all that it started when the call is aborted, and when it ends', async () => {
    const controller = new AbortController()
    const ended = await new Promise<{ readonly call: Promise<unknown> }>(resolve => {
      const onOutput = () => resolve({ call })
      const call = run('sleep 4242 & echo up; sleep 4242', { signal: controller.signal, onOutput })
    })
    controller.abort(new Error('enough'))
    expect(await thrownBy(() => ended.call)).toMatchObject({ message: 'enough' })
    await run('sleep 4243 & true')
    expect(await program('ps', ['axww', '-o', 'args'])).not.toMatch(/^sleep 424[23]/m)
  })

  test('cannot read programs or files of this machine as another user', async () => {
    chmodSync(at('bin'), 0o755)
    const { stdout } = await run('ls /usr /mnt /.. 2>/dev/null; cat /proc/1/root/etc/shadow 2>/dev/null; true', {
      user: app,
    })
    expect(stdout.split('\n')).not.toContain('usr')
    expect(stdout).not.toContain('root:')
  })
})

test('bubblewrap says whether it works on this machine', async () => {
  const { works, reason } = await bubblewrap().probe()
  if (!works) expect(reason).toMatch(/bubblewrap|bwrap/)
  if (able) expect(works).toBe(true)
})
