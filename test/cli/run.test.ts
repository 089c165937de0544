import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { storeBusyboxImage } from '../helpers/busybox-image.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { cli } from '../helpers/run-cli.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

let directory: ReturnType<typeof temporaryDirectory>
const at = (path: string) => join(directory.path, path)
const layerstore = (args: readonly string[], options: Parameters<typeof cli>[1] = {}) =>
  cli(args, { store: at('store'), ...options })

describe.skipIf(!able)('run', () => {
  beforeEach(async () => {
    directory = temporaryDirectory('cli-run')
    await using store = await openStore(at('store'), { durability: 'none' })
    const config = { Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo default; exit 3'], Env: ['PATH=/bin', 'A=1'] }
    await storeBusyboxImage(store, 'box:1', { config })
    await storeBusyboxImage(store, 'plain:1', { config: { Env: ['PATH=/bin'] } })
  })
  afterEach(() => {
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(directory.path)
    directory[Symbol.dispose]()
  })

  test('runs what the image says, or another command, and ends with its exit code', async () => {
    expect(await layerstore(['run', 'box:1'])).toEqual({ code: 3, stdout: 'default\n', stderr: '' })
    const given = await layerstore(
      ['run', '-e', 'B=2', '--env', 'A', 'box:1', 'echo $A $B; echo fault >&2; kill -9 $$'],
      {
        env: { A: 'of the caller' },
      },
    )
    expect(given).toEqual({ code: 0, stdout: 'of the caller 2\n', stderr: 'fault\n' })
    const other = await layerstore(['run', '--entrypoint', 'id', '-u', 'app:logs', 'box:1', '-g'])
    expect(other).toMatchObject({ code: 0, stdout: '50\n' })
    expect((await layerstore(['run', '--entrypoint', '', 'box:1', 'ls', '/'])).stdout).toContain('bin\n')
    expect((await layerstore(['--json', 'containers'])).stdout).toBe('[]\n')
    expect(readdirSync(at('store/.layerstore/containers'))).toEqual([])
  })

  test('ends with the codes of docker if there was no process', async () => {
    const missing = await layerstore(['run', 'plain:1', 'missing'])
    expect(missing).toMatchObject({ code: 127, stderr: expect.stringContaining('ERR_SANDBOX_PROGRAM') })
    expect((await layerstore(['run', 'plain:1', '/bin/missing'])).code).toBe(127)
    expect((await layerstore(['run', 'plain:1', '/etc/passwd'])).code).toBe(126)
    expect((await layerstore(['run', 'plain:1', '/etc'])).code).toBe(126)
    expect(await layerstore(['run', 'plain:1'])).toMatchObject({ code: 125, stderr: expect.stringMatching(/command/) })
    expect((await layerstore(['run', '--pull', 'never', 'absent:1'])).code).toBe(125)
    expect((await layerstore(['run', '--bad-option', 'box:1'])).code).toBe(125)
    expect((await layerstore(['start', 'absent'])).code).toBe(125)
  })

  test('passes input, variables of a file, mounts, host names and directories', async () => {
    mkdirSync(at('data'))
    writeFileSync(at('data/f'), 'content\n')
    writeFileSync(at('variables'), '# comment\nX=from file\n\nY\n')
    const options = [
      ...['-i', '--env-file', at('variables'), '-v', `${at('data')}:/data`, '-v', `${at('data/f')}:/one/file:ro`],
      ...['--mount', 'type=tmpfs,target=/memory,tmpfs-size=64k', '--tmpfs', '/more', '-w', '/data/sub', '--read-only'],
      ...['--hostname', 'named', '--add-host', 'other:10.1.2.3', '-p', '80'],
    ]
    const script = [
      'cat; echo "$X $Y"; cat /one/file; echo new > /data/new; echo no > /one/file 2>/dev/null || echo read-only',
      'echo no > /etc/x 2>/dev/null || echo read-only root; echo m > /memory/m && echo written; pwd',
      'cat /proc/sys/kernel/hostname; sed -n "s/\\t/ /;/other/p" /etc/hosts; echo $HOSTNAME',
    ].join('; ')
    const ran = await layerstore(['run', ...options, 'box:1', script], {
      stdin: Readable.from([Buffer.from('input\n')]),
      env: { Y: 'of the caller' },
    })
    expect(ran.stdout.split('\n')).toEqual([
      ...[
        'input',
        'from file of the caller',
        'content',
        'read-only',
        'read-only root',
        'written',
        '/data/sub',
        'named',
      ],
      ...[expect.stringMatching(/^10\.1\.2\.3 other$/), 'named', ''],
    ])
    expect(ran.stderr).toContain('ports of the container are those of this machine; none is mapped\n')
    expect(readdirSync(at('data')).sort()).toEqual(['f', 'new', 'sub'])
  })

  test('--ulimit limits the resources of each process', async () => {
    const options = ['--ulimit', 'nofile=90:180', '--ulimit', 'core=0', '--ulimit', 'stack=-1']
    const { stdout } = await layerstore(['run', ...options, 'box:1', 'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -s'])
    expect(stdout).toBe('90\n180\n0\nunlimited\n')
  })

  test('says which limit the process reached', async () => {
    const ran = await layerstore(['run', '--memory', '32MiB', 'box:1', 'x=x; while true; do x=$x$x; done'])
    expect(ran).toMatchObject({
      code: 137,
      stderr: expect.stringMatching(/^the process reached its limit of memory$/m),
    })
  })

  test('--security-opt seccomp=unconfined allows all system calls', async () => {
    const filter = async (...options: string[]) =>
      (await layerstore(['run', ...options, 'box:1', 'grep "^Seccomp:" /proc/self/status'])).stdout
    expect(await filter()).toBe('Seccomp:\t2\n')
    expect(await filter('--security-opt', 'seccomp=unconfined')).toBe('Seccomp:\t0\n')
  })

  test.each([
    [['--publish', '8080:80'], /none is mapped; let the program listen on 8080/],
    [['--network', 'bridge'], /--network takes host, none or default/],
    [['--ulimit', 'files=1'], /--ulimit takes NAME=SOFT\[:HARD\] with one of core, cpu/],
    [['--ulimit', 'nofile=many'], /--ulimit takes NAME=SOFT/],
    [['--ulimit', 'nofile=5:3'], /the soft limit is above the hard one/],
    [['--ulimit', 'nofile=-1:3'], /the soft limit is above the hard one/],
    [['--security-opt', 'seccomp=mine.json'], /--security-opt takes seccomp=unconfined/],
    [['-v', 'name:/data'], /no named volumes/],
    [['-v', '/absent/here:/data'], /does not exist on this machine/],
    [['--mount', 'type=volume,target=/x'], /--mount takes type=bind/],
    [['--keep', 'a', '--rm'], /leave --rm and --name out/],
    [['--add-host', 'x'], /NAME:ADDRESS/],
    [['--sandbox', 'x'], /bwrap, runc or chroot/],
    [['-d'], /no daemon/],
  ])('refuses %j, and says why', async (options, message) => {
    const ran = await layerstore(['run', ...options, 'box:1'])
    expect(ran).toMatchObject({ code: 125, stdout: '', stderr: expect.stringMatching(message) })
  })

  test('pulls an image that the store lacks, and refuses one whose programs do not run here', async () => {
    await using remote = createMemoryStore()
    await storeBusyboxImage(remote, 'tools/box:2', { config: { Cmd: ['sh', '-c', 'echo pulled'], Env: ['PATH=/bin'] } })
    const foreign = await composeImage(remote, { platform: 'linux/mips64le', config: { Cmd: ['/x'] } })
    await remote.references.set('tools/foreign:1', foreign.descriptor)
    await using server = await serveStore(remote)
    const first = await layerstore(['run', `${server.host}/tools/box:2`])
    expect(first).toMatchObject({
      code: 0,
      stdout: 'pulled\n',
      stderr: expect.stringMatching(/^no image .* in the store; pulling /),
    })
    expect((await layerstore(['run', '-q', `${server.host}/tools/box:2`])).stderr).toBe('')
    const other = await layerstore(['run', '--platform', 'linux/mips64le', `${server.host}/tools/foreign:1`])
    expect(other).toMatchObject({ code: 125, stderr: expect.stringContaining('linux/mips64le') })
  })

  test('--keep keeps the container: start, diff, commit, containers and rm work on it', async () => {
    expect((await layerstore(['run', '--keep', 'work', 'box:1', 'echo x >> /x; cat /x'])).stdout).toBe('x\n')
    expect((await layerstore(['start', 'work'])).stdout).toBe('x\nx\n')
    expect((await layerstore(['diff', 'work'])).stdout).toBe('A /x\n')
    const long = `echo ${'word '.repeat(20)}end`
    await layerstore(['run', '--keep', 'zlong', 'box:1', long])
    expect((await layerstore(['ps'])).stdout).toMatch(/ \/bin\/sh -c echo word word word word wor… {3}\d/)
    expect((await layerstore(['ps', '--no-trunc'])).stdout).toContain(` /bin/sh -c ${long} `)
    await layerstore(['rm', 'zlong'])
    const table = (await layerstore(['containers'])).stdout.split('\n')
    expect(table[0]).toMatch(/^ID +IMAGE +COMMAND +CREATED +STATE$/)
    expect(table[1]).toMatch(/^work +box:1 +\/bin\/sh -c echo x.* exited with 0$/)
    const file = at('work.tar')
    expect(await layerstore(['export', 'work', '-o', file])).toMatchObject({ code: 0, stdout: `${file}\n` })
    expect(execFileSync('tar', ['-xOf', file, 'x'], { encoding: 'utf8' })).toBe('x\nx\n')
    expect(execFileSync('tar', ['-tf', file], { encoding: 'utf8' })).toContain('bin/busybox\n')
    const refused = await layerstore(['export', 'work', '--platform', 'linux/arm64', '-o', file])
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('work is a container') })
    expect((await layerstore(['export', 'none', '-o', file])).stderr).toContain('"layerstore images" lists the names')
    const committed = await layerstore(['commit', '-m', 'why', '-c', 'CMD ["cat /x"]', 'work', 'box:2'])
    expect(committed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
    expect((await layerstore(['run', 'box:2'])).stdout).toBe('x\nx\n')
    expect(JSON.parse((await layerstore(['config', 'box:2'])).stdout).history.at(-1)).toMatchObject({ comment: 'why' })
    expect((await layerstore(['run', '--keep', 'work', 'box:1'])).stderr).toContain('ERR_CONTAINER_EXISTS')
    expect(await layerstore(['rm', 'work', 'absent'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /no image or container named absent in the store; .*"layerstore containers" the ids/,
      ),
    })
    for (const act of ['start', 'commit']) {
      expect((await layerstore([act, 'absent'])).stderr).toContain('"absent"; "layerstore containers" lists the ids')
    }
    expect(await layerstore(['rm', 'work'])).toMatchObject({ code: 0, stdout: 'work\n' })
    expect((await layerstore(['containers', 'rm', 'work'])).stderr).toContain('ERR_CONTAINER_NOT_FOUND')
    expect((await layerstore(['-q', 'containers'])).stdout).toBe('')
  })
})
