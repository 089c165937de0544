import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { secretsOf, sshAgentsOf } from '../../lib/cli/building/secret-options.ts'
import { makeBusyboxRoot } from '../helpers/busybox-root.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { cli } from '../helpers/run-cli.ts'
import { fitsSockets } from '../helpers/short-sockets.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let place: ReturnType<typeof temporaryDirectory>
let at: (path: string) => string
beforeEach(() => {
  place = temporaryDirectory('build-mounts')
  at = path => join(place.path, path)
})
afterEach(() => place[Symbol.dispose]())

describe('--secret', () => {
  test('takes a file, a variable, or the variable or file that is named like the secret', async () => {
    writeFileSync(at('a,b'), 'file')
    const env = { TOKEN: 't', named: 'n' }
    const given = [`id=f,src=${at('x')}`, 'id=v,env=TOKEN', 'type=env,id=e,source=TOKEN', 'id=named', 'id=unset,env=NO']
    writeFileSync(at('x'), 'x')
    expect(await secretsOf([...given, `"src=${at('a,b')}",id=q`], env)).toEqual({
      f: Buffer.from('x'),
      v: 't',
      e: 't',
      named: 'n',
      q: Buffer.from('file'),
    })
  })

  test.each([
    ['src=x', /takes id=ID/],
    ['id=a,src=/nowhere/x', /--secret a: no such file: "\/nowhere\/x"/],
    ['id=a,src=', /the file of --secret a is empty/],
    ['id=a,src=/', /--secret a: "\/" is a directory, not a file/],
    ['id=a,file=x', /takes id, src, source, env, type, not file=x/],
    ['id=a,type=vault', /the type is file or env/],
    ['id=/nowhere/b', /no such file/],
  ])('%s is wrong usage', async (option, message) => {
    expect((await thrownBy(() => secretsOf([option], {}))).message).toMatch(message)
  })

  test('of over 500 KiB is refused', async () => {
    writeFileSync(at('big'), Buffer.alloc(500 * 1024 + 1))
    expect((await thrownBy(() => secretsOf([`id=a,src=${at('big')}`], {}))).message).toMatch(/over 512000 bytes/)
  })
})

test('--ssh takes the agent of the environment, or a socket', async () => {
  if (!fitsSockets(place.path)) return
  const server = createServer().listen(at('socket'))
  await new Promise(resolve => server.once('listening', resolve))
  writeFileSync(at('key'), '')
  const env = { SSH_AUTH_SOCK: at('socket') }
  expect(await sshAgentsOf(['default', `other=${at('socket')}`], env)).toEqual({
    default: at('socket'),
    other: at('socket'),
  })
  const refusals: [string, NodeJS.ProcessEnv, RegExp][] = [
    ['default', {}, /start ssh-agent/],
    ['', env, /takes default/],
    [`a=${at('key')}`, env, /no socket of an agent; add keys/],
    [`a=${at('none')}`, env, /there is no socket/],
  ]
  for (const [option, variables, message] of refusals) {
    expect((await thrownBy(() => sshAgentsOf([option], variables))).message).toMatch(message)
  }
  server.close()
})

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

describe.skipIf(!able)('build', () => {
  /** Writes a Dockerfile on a base with a shell, and returns a function that builds it. */
  async function project(steps: string) {
    makeBusyboxRoot(at('root'))
    execFileSync('tar', ['-C', at('root'), '-cf', at('base.tar'), '.'])
    await cli(['import', at('base.tar'), '-t', 'base:1'], { store: at('store') })
    mkdirSync(at('context'))
    writeFileSync(at('context/Dockerfile'), `FROM base:1\n${steps}`)
    return (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
      cli(['build', '-t', 'app:1', ...args, at('context')], { store: at('store'), env })
  }

  /** Names of all files of the store that have a text in their name or content, also in compressed layers. */
  async function filesWith(text: string): Promise<string[]> {
    const names = readdirSync(at('store'), { recursive: true, withFileTypes: true })
    const raw = names
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter(path => path.includes(text) || readFileSync(path).includes(text))
    const exported = await cli(['export', 'app:1'], { store: at('store') })
    return exported.stdout.includes(text) ? [...raw, 'the image'] : raw
  }

  test('gives secrets and agents to commands, and keeps nothing of them', async () => {
    const secret = 'canary-7d1f'
    const server = createServer(socket => socket.end('agent says hi')).listen(at('socket'))
    const run = await project(
      [
        'RUN --mount=type=secret,id=file,target=/s,mode=0440,uid=5 \\',
        '    --mount=type=secret,id=var,env=TOKEN --mount=type=ssh \\',
        '    [ "$(cat /s)" = "$TOKEN" ] && ls -n /s | sed "s/ *[0-9]* [A-Z].*//" && ls -l $SSH_AUTH_SOCK | sed "s/ .*//"',
        'RUN ls -d /s /run/secrets /run/buildkit || echo gone',
      ].join('\n'),
    )
    writeFileSync(at('secret'), secret)
    const given = [
      '--secret',
      `id=file,src=${at('secret')}`,
      '--secret',
      'id=var,env=V',
      '--ssh',
      `default=${at('socket')}`,
      '--provenance=mode=max',
      '--sbom',
      '--lock',
      at('image.lock'),
    ]
    const done = await run(given, { V: secret })
    expect(done).toMatchObject({ code: 0 })
    expect(done.stderr).toMatch(/-r--r----- +1 5 +0/)
    expect(done.stderr).toMatch(/^.*srw-------$/m)
    expect(done.stderr).toMatch(/gone/)
    const history = await cli(['--json', 'history', 'app:1'], { store: at('store') })
    const chroot = await run([...given, '--sandbox', 'chroot', '--no-cache'], { V: secret })
    expect(chroot).toMatchObject({ code: 0, stderr: expect.stringMatching(/gone/) })
    const lock = readFileSync(at('image.lock'), 'utf8')
    for (const trace of [secret, at('socket')])
      expect([done.stderr, chroot.stderr, history.stdout, lock].filter(text => text.includes(trace))).toEqual([])
    // The provenance is among the files of the store, and names the secrets by their ids only.
    expect(await filesWith('slsa.dev/provenance')).not.toEqual([])
    for (const trace of [secret, at('socket')]) expect(await filesWith(trace)).toEqual([])
    // Another value is no reason to run the step again.
    writeFileSync(at('secret'), 'other')
    expect((await run(given, { V: 'other' })).stderr.match(/CACHED/g)).toHaveLength(2)
    server.close()
  })

  test.skipIf(!needsProgram('ssh-agent'))('lets commands use the keys of an agent of OpenSSH', async () => {
    if (!fitsSockets(place.path)) return
    const build = await project('COPY tools /\nRUN --mount=type=ssh ssh-add -l\nRUN ssh-add -l || echo no agent\n')
    const tool = execFileSync('which', ['ssh-add'], { encoding: 'utf8' }).trim()
    const libraries = execFileSync('ldd', [tool], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
    for (const path of libraries) {
      const copy = at(`context/tools${path}`)
      mkdirSync(dirname(copy), { recursive: true })
      copyFileSync(path, copy)
    }
    mkdirSync(at('context/tools/bin'), { recursive: true })
    copyFileSync(tool, at('context/tools/bin/ssh-add'))
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'the key', '-f', at('key')])
    const agent = spawn('ssh-agent', ['-D', '-a', at('agent')], { stdio: 'ignore' })
    const ended = once(agent, 'exit')
    try {
      await expect.poll(() => existsSync(at('agent'))).toBe(true)
      execFileSync('ssh-add', ['-q', at('key')], { env: { ...process.env, SSH_AUTH_SOCK: at('agent') } })
      const done = await build(['--ssh', 'default'], { SSH_AUTH_SOCK: at('agent') })
      expect(done).toMatchObject({ code: 0, stderr: expect.stringMatching(/\| 256 SHA256:\S+ the key \(ED25519\)/) })
      expect(done.stderr).toContain('| no agent')
    } finally {
      agent.kill()
      await ended
    }
  })

  test('that fails says nothing of its secrets', async () => {
    const secret = 'canary-99aa'
    const run = await project(
      'RUN --mount=type=secret,id=a --mount=type=secret,id=b,env=B cat /run/secrets/a >/x; exit 3',
    )
    writeFileSync(at('secret'), secret)
    const failed = await run(['--secret', `id=a,src=${at('secret')}`, '--secret', `id=b,src=${at('secret')}`])
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/exit code 3/) })
    expect(failed.stderr).not.toContain(secret)
    const names = readdirSync(at('store'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    const holding = names.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(secret))
    expect(holding).toEqual([])
  })

  test('unpacks layers that df shows, and gc removes if they are too large or no more in the store', async () => {
    const run = await project('RUN true\nRUN true && true\n')
    const store = { store: at('store') }
    await run()
    expect((await cli(['df'], store)).stdout).toMatch(/^unpacked layers +3 +\S+B$/m)
    expect((await cli(['gc', '-n'], store)).stdout).toMatch(/nothing to remove/)
    expect((await cli(['gc', '-n', '--max-snapshots', '0'], store)).stdout).toMatch(
      /^drop unpacked layer +sha256:\w{12} +\S+B +over the size limit$/m,
    )
    const all = ['gc', '--force', '--grace', '0s', '--max-bytes', '0']
    expect((await cli([...all, '-n'], store)).stdout).toMatch(/^drop unpacked layer .* its layer is not in the store$/m)
    expect((await cli(all, store)).stdout).toMatch(/^removed 3 unpacked layers, \S+B, 2 names and /)
    expect((await cli(['df'], store)).stdout).not.toMatch(/unpacked/)
  })

  test('keeps cache mounts between builds, in the store; df and gc know them, and fsck finds no fault', async () => {
    const run = await project(
      'RUN --mount=type=cache,target=/c,uid=3 echo one >>/c/log; sed "s/^/log: /" /c/log; ls -nd /c\n',
    )
    expect((await run()).stderr).toMatch(/log: one/)
    const again = await run(['--no-cache'])
    expect(again.stderr.match(/log: one/g)).toHaveLength(2)
    expect(again.stderr).toMatch(/drwxr-xr-x +2 3 +0/)
    const store = { store: at('store') }
    expect((await cli(['df'], store)).stdout).toMatch(/^cache mounts +1 +\S+B$/m)
    expect(JSON.parse((await cli(['df', '--json'], store)).stdout).cacheMounts).toMatchObject({
      count: 1,
      bytesInUse: 0,
    })
    expect((await cli(['fsck'], store)).code).toBe(0)
    expect((await cli(['gc'], store)).stdout).toMatch(/nothing to remove/)
    const planned = await cli(['gc', '-n', '--max-cache-mounts', '0'], store)
    expect(planned.stdout).toMatch(/^drop cache mount +\/c +\S+B +over the size limit$/m)
    expect((await cli(['gc', '--max-cache-mounts', '0'], store)).stdout).toMatch(/^removed 1 cache mount, \S+B$/m)
    expect((await cli(['df'], store)).stdout).not.toMatch(/cache mounts/)
    expect((await run(['--no-cache'])).stderr.match(/log: one/g)).toHaveLength(1)
  })
})
