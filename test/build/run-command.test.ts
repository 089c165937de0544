import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type BuildImageOptions,
  type BuildProgress,
  dockerfileStages,
  from,
  planBuild,
  type ScriptedStage,
} from '../../lib/build/index.ts'
import { type BuildError, SandboxError } from '../../lib/errors/index.ts'
import { readLayer } from '../../lib/layer/index.ts'
import type { ProcessSpec, SnapshotDriver } from '../../lib/sandbox/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../helpers/build-files.ts'
import { fakeExecutor } from '../helpers/fake-executor.ts'
import { plainSnapshots } from '../helpers/plain-snapshots.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { fitsSockets } from '../helpers/short-sockets.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
let place: ReturnType<typeof temporaryDirectory>
beforeEach(async () => {
  store = createMemoryStore()
  place = temporaryDirectory('run-command')
  const files = { 'etc/passwd': 'app:x:0:0::/home/app:/bin/sh\n', 'etc/os': 'base', 'lib/old': 'old' }
  await sampleImage(store, [files], { name: 'base:1' })
})
afterEach(async () => {
  await store.close()
  place[Symbol.dispose]()
})

const base = from('base:1').as('app')
type Act = Parameters<typeof fakeExecutor>[0]

async function run(stage: ScriptedStage, act: Act, options: Partial<BuildImageOptions> = {}) {
  const executor = fakeExecutor(act)
  const snapshots = plainSnapshots(place.path)
  const result = await buildFiles(store, stage, { 'x.txt': 'x' }, { executor, snapshots, ...options })
  return { result, executor, process: executor.ran[0] as ProcessSpec }
}

/** Snapshots that report the file `etc/os` as written, whatever is in it, as an overlay does. */
function touchingSnapshots(directory: string): SnapshotDriver {
  const plain = plainSnapshots(directory)
  return {
    async openStack(...args) {
      const stack = await plain.openStack(...args)
      async function* changes() {
        yield { path: 'etc/os', type: 'file', content: readFileSync(join(stack.path, 'etc/os')), mode: 0o644 } as const
        yield* stack.changes()
      }
      return { ...stack, changes }
    },
  }
}

describe('a command', () => {
  test('sees the root filesystem, and what it changes is the layer', async () => {
    const { result } = await run(base.run('make'), (_, inRoot) => {
      writeFileSync(inRoot('etc/os'), 'changed')
      mkdirSync(inRoot('new'))
      writeFileSync(inRoot('new/file'), 'made')
      rmSync(inRoot('lib/old'))
      return 0
    })
    const found = await filesOf(store, result)
    expect(found['etc/os']).toMatch(/ changed$/)
    expect(found['new/file']).toMatch(/ 0:0 made$/)
    expect(found['lib/old']).toBeUndefined()
    expect(readdirSync(place.path)).toEqual([])
  })

  test('gets its words, variables, user, home and working directory', async () => {
    const stage = base.env({ A: '1' }).user('app').workdir('/work').run('npm ci', { network: 'none' })
    const { process } = await run(stage, () => 0, { ...{} })
    expect(process).toMatchObject({
      args: ['/bin/sh', '-c', 'npm ci'],
      environment: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1', 'HOME=/home/app'],
      workdir: '/work',
      user: { uid: 0, gid: 0, groups: [0] },
      network: 'none',
      mounts: [],
    })
    const exec = await run(base.env({ HOME: '/h' }).run(['a', 'b c']), () => 0)
    expect(exec.process).toMatchObject({ args: ['a', 'b c'], workdir: '/' })
    expect(exec.process.environment).not.toContain('HOME=/')
  })

  test('is not run again if nothing that it depends on has changed, also if it changed nothing', async () => {
    const stage = base.copy('x.txt', '/').run('true')
    const first = await run(stage, () => 0)
    expect(first.result.images[0]!.layers.length).toBe(3)
    const again = await run(stage, () => 1)
    expect(again.executor.ran).toEqual([])
    expect(outcomesOf(again.result)).toEqual(['cached COPY x.txt /', 'cached RUN true'])
    expect(again.result.descriptor).toEqual(first.result.descriptor)
  })

  test('that writes a file as it was leaves it out of the layer if the build wants that, with a key of its own', async () => {
    const act: Act = (_, inRoot) => {
      writeFileSync(inRoot('etc/os'), 'base')
      writeFileSync(inRoot('lib/old'), 'changed')
      return 0
    }
    const touched = touchingSnapshots(place.path)
    const pathsOf = async (policies: { unchanged?: 'omit' }) => {
      const { result } = await run(base.run('x'), act, { snapshots: touched, policies })
      const entries = await readEntries(readLayer(store, result.images[0]!.layers.at(-1)!.descriptor))
      return [outcomesOf(result).join(), ...entries.map(({ path }) => path)]
    }
    expect(await pathsOf({})).toEqual(['made RUN x', 'etc/os', 'lib/old'])
    expect(await pathsOf({ unchanged: 'omit' })).toEqual(['made RUN x', 'lib/old'])
    expect(await pathsOf({ unchanged: 'omit' })).toEqual(['cached RUN x', 'lib/old'])
  })

  test('that fails ends the build with its exit code, and leaves nothing; steps before it stay cached', async () => {
    const stage = base.copy('x.txt', '/').run('false')
    const error = await thrownBy(() => run(stage, () => 7))
    expect(error).toMatchObject({
      code: 'ERR_BUILD_RUN',
      step: 'RUN false',
      message: expect.stringMatching(/step app 3\/3 .*exit code 7/),
    })
    expect(readdirSync(place.path)).toEqual([])
    expect(outcomesOf((await run(stage, () => 0)).result)).toEqual(['cached COPY x.txt /', 'made RUN false'])
  })

  test('writes to progress, not to errors', async () => {
    const seen: string[] = []
    await run(
      base.run('x'),
      process => {
        process.onOutput?.(Buffer.from('hello'), 'stderr')
        return 0
      },
      { onProgress: event => event.kind === 'step-output' && seen.push(`${event.stream} ${Buffer.from(event.chunk)}`) },
    )
    expect(seen).toEqual(['stderr hello'])
  })

  test('that fails has its exit code, its signal and its last lines in the error, without secrets', async () => {
    const stage = base.run('x', { mounts: [{ secret: 'key' }] })
    const act: Act = ({ onOutput }) => {
      for (let i = 0; i < 30; i++) onOutput?.(Buffer.from(`line ${i}\n`), 'stdout')
      onOutput?.(Buffer.from('key is hunter2 of'), 'stderr')
      onOutput?.(Buffer.from(' hunter2\nsecond-line\n'), 'stderr')
      return 137
    }
    const secrets = { key: 'hunter2\nsecond-line\n' }
    const error = (await thrownBy(() => run(stage, act, { secrets }))) as BuildError
    expect(error).toMatchObject({
      code: 'ERR_BUILD_RUN',
      message: expect.stringContaining('exit code 137 (128 + SIGKILL)'),
      command: { exitCode: 137, signal: 'SIGKILL', limit: undefined },
    })
    expect(error.command!.output.slice(-3)).toEqual(['line 28', 'line 29', 'key is *** of ***'])
    expect(error.command!.output.length).toBe(20)
  })

  test('has the limits and hosts of the build, and a limit that it reaches is an error of its own', async () => {
    const limits = { memory: 1000, processes: 5, seconds: 2 }
    const extraHosts = [{ name: 'db', address: '10.0.0.1' }]
    const { process } = await run(base.run('well'), () => 0, { limits, extraHosts })
    expect(process).toMatchObject({ limits, extraHosts })
    const reach = async (limit: 'memory' | 'processes' | 'seconds', code: number) => {
      const executor = { ...fakeExecutor(() => 0), run: async () => ({ code, limit }) }
      const options = { executor, limits, snapshots: plainSnapshots(place.path) }
      return thrownBy(() => buildFiles(store, base.run(limit), {}, options))
    }
    const message = (text: string) => expect.stringContaining(text)
    expect(await reach('memory', 137)).toMatchObject({
      code: 'ERR_BUILD_LIMIT',
      message: message('exit code 137 (128 + SIGKILL): it reached the limit of 1000 bytes of memory'),
    })
    expect(await reach('processes', 2)).toMatchObject({ command: { limit: 'processes', exitCode: 2 } })
    expect(await reach('seconds', 0)).toMatchObject({ message: message('did not end within 2 seconds') })
  })

  test('whose program does not exist fails like one that a shell does not find', async () => {
    const cause = new SandboxError(
      'ERR_SANDBOX_PROGRAM',
      'the program "npm" is in none of the directories of PATH: /bin',
    )
    const error = await thrownBy(() =>
      run(base.run(['npm', 'ci']), () => {
        throw cause
      }),
    )
    expect(error).toMatchObject({ code: 'ERR_BUILD_RUN', message: expect.stringContaining(cause.message) })
  })

  test('is announced with the executor that runs it, once for each build', async () => {
    const events: BuildProgress[] = []
    const passedOver = [{ name: 'best', reason: 'not installed' }]
    const executor = { ...fakeExecutor(() => 0), probe: async () => ({ works: true, passedOver }) }
    const stage = base.copy('x.txt', '/').run('one').run('two')
    const snapshots = plainSnapshots(place.path)
    await buildFiles(store, stage, { 'x.txt': 'x' }, { executor, snapshots, onProgress: event => events.push(event) })
    const chosen = events.filter(({ kind }) => kind === 'executor-chosen')
    expect(chosen).toMatchObject([{ name: 'fake', passedOver, id: 'app 3/4', title: 'RUN one' }])
    expect(events[0]).toBe(chosen[0])
  })

  test('ends when the build is aborted, with the reason of the signal', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const ends: string[] = []
    const error = await thrownBy(() =>
      run(
        base.run('sleep'),
        process => {
          stop.abort(reason)
          process.signal?.throwIfAborted()
          return 0
        },
        { signal: stop.signal, onProgress: ({ kind }) => kind.startsWith('step-') && ends.push(kind) },
      ),
    )
    expect(error).toBe(reason)
    expect(ends.at(-1)).toBe('step-stopped')
    expect(readdirSync(place.path)).toEqual([])
  })
})

describe('mounts', () => {
  test('show files of the context, of stages and of images, and are in no layer', async () => {
    const tools = from('scratch').as('tools').files({ 'bin/tool': 'tool' })
    const stage = base.run('x', {
      mounts: [
        { bind: '/ctx' },
        { bind: '/deep/one.txt', source: 'x.txt', writable: true },
        { bind: '/tools', from: tools, source: '/bin' },
        { bind: '/image', from: 'base:1', source: '/etc' },
        { tmpfs: '/tmp/t', size: 100 },
      ],
    })
    const seen: Record<string, string> = {}
    const { result, process } = await run(stage, ({ mounts, root }) => {
      for (const mount of mounts) {
        seen[mount.target] = existsSync(join(root, mount.target)) ? 'there' : 'missing'
        if (mount.type === 'bind') {
          const isDirectory = statSync(mount.source).isDirectory()
          seen[mount.target] += isDirectory ? ` ${readdirSync(mount.source)}` : ` ${readFileSync(mount.source)}`
        }
      }
      return 0
    })
    expect(seen).toEqual({
      '/ctx': 'there x.txt',
      '/deep/one.txt': 'there x',
      '/tools': 'there tool',
      '/image': 'there os,passwd',
      '/tmp/t': 'there',
    })
    expect(process.mounts.map(mount => mount.type === 'bind' && mount.readOnly)).toEqual([
      true,
      false,
      true,
      true,
      false,
    ])
    expect(Object.keys(await filesOf(store, result))).toEqual(['etc', 'etc/os', 'etc/passwd', 'lib', 'lib/old'])
  })

  test('of the context are part of the key, those of caches and secrets are not', async () => {
    const mounts = (secret: string) => [{ bind: '/c' }, { cache: '/k', id: secret }, { secret: 'npm' }] as const
    const stage = (id: string) => base.run('x', { mounts: mounts(id) })
    const build = (files: Record<string, string>, id: string, secret: string) =>
      buildFiles(store, stage(id), files, {
        executor: fakeExecutor(() => 0),
        snapshots: plainSnapshots(place.path),
        secrets: { npm: secret },
      })
    await build({ a: '1' }, 'one', 'secret 1')
    expect(outcomesOf(await build({ a: '1' }, 'two', 'secret 2'))).toEqual(['cached RUN x'])
    const changed = await build({ a: '2' }, 'one', 'secret 1')
    expect(outcomesOf(changed)).toEqual(['made RUN x'])
    expect(changed.steps.find(({ title }) => title === 'RUN x')!.differs).toMatchObject([
      { what: 'file', name: 'a', change: 'content' },
    ])
  })

  test('of secrets are files or variables, and leave no trace in the store', async () => {
    const stage = base.run('x', {
      mounts: [{ secret: 'a' }, { secret: 'b', env: 'TOKEN' }, { secret: 'c', required: false }],
    })
    let content = ''
    const { process } = await run(
      stage,
      ({ mounts }) => {
        const [mount] = mounts
        if (mount?.type === 'bind')
          content = `${(statSync(mount.source).mode & 0o777).toString(8)} ${readFileSync(mount.source)}`
        return 0
      },
      { secrets: { a: 'first-secret', b: 'second-secret' } },
    )
    expect(content).toBe('400 first-secret')
    expect(process.mounts.map(({ target }) => target)).toEqual(['/run/secrets/a'])
    expect(process.environment).toContain('TOKEN=second-secret')
    for await (const { digest } of store.list()) {
      const chunks: Uint8Array[] = []
      for await (const chunk of store.read(digest)) chunks.push(chunk)
      expect(Buffer.concat(chunks).includes('secret')).toBe(false)
    }
    const missing = await thrownBy(() => run(base.run('y', { mounts: [{ secret: 'a' }] }), () => 0))
    expect(missing).toMatchObject({
      code: 'ERR_BUILD_SOURCE_NOT_FOUND',
      message: expect.stringMatching(/no secret "a" was given/),
    })
  })

  test('of caches keep their files between builds if there is a place for them', async () => {
    const cacheMounts = join(place.path, 'caches')
    const seen: string[][] = []
    const act: Act = ({ mounts }) => {
      const [mount] = mounts
      if (mount?.type !== 'bind') return 1
      seen.push(readdirSync(mount.source))
      writeFileSync(join(mount.source, `f${seen.length}`), '')
      return 0
    }
    const stage = base.run('x', { mounts: [{ cache: '/k' }], noCache: true })
    await run(stage, act, { cacheMounts })
    await run(stage, act, { cacheMounts })
    await run(stage, act)
    expect(seen).toEqual([[], ['f1'], []])
    for (const id of ['..', '.', '/'])
      await run(base.run('x', { mounts: [{ cache: '/k', id }], noCache: true }), act, { cacheMounts })
    expect(seen.slice(3)).toEqual([[], [], []])
    expect(readdirSync(place.path)).toEqual(['caches'])
  })

  test('of caches begin with the files of their source, and two of one name are one directory', async () => {
    const cacheMounts = join(place.path, 'caches')
    const tools = from('scratch').as('tools').files({ 'bin/tool': 'tool' })
    const seen: string[] = []
    const act: Act = ({ mounts }) => {
      seen.push(mounts.map(mount => (mount.type === 'bind' ? `${readdirSync(mount.source)}` : '')).join(' '))
      seen.push(String(new Set(mounts.map(mount => mount.type === 'bind' && mount.source)).size))
      return 0
    }
    const one = { cache: '/a', id: 'x', sharing: 'locked', from: tools, source: '/bin', mode: 0o700 } as const
    const stage = base.run('x', { mounts: [one, { ...one, cache: '/b' }, { cache: '/c', id: 'x' }], noCache: true })
    await run(stage, act, { cacheMounts })
    await run(stage, act)
    expect(seen).toEqual(['tool tool ', '2', 'tool tool ', '2'])
    const text = 'FROM base:1\nRUN --mount=type=cache,target=/c,id=x,from=named x\n'
    const [executor, snapshots] = [fakeExecutor(act), plainSnapshots(place.path)]
    const contexts = { named: { files: { 'n.txt': 'n' } } }
    await buildFiles(store, dockerfileStages(text), {}, { executor, snapshots, cacheMounts, contexts })
    expect(seen.slice(4)).toEqual(['n.txt', '1'])
  })

  test('of caches with one id and the same files are one, so that a step does not wait for its own lock', async () => {
    const mounts = ['one', 'two', 'odd'].map(
      name => `--mount=type=cache,id=x,sharing=locked,from=${name},target=/${name}`,
    )
    const stages = dockerfileStages(`FROM base:1\nRUN ${mounts.join(' ')} x\n`)
    const contexts = { one: { files: { a: 'a' } }, two: { files: { a: 'a' } }, odd: { files: { b: 'b' } } }
    const executor = fakeExecutor(() => 0)
    const snapshots = plainSnapshots(place.path)
    const options = { executor, snapshots, contexts, cacheMounts: join(place.path, 'caches') }
    await buildFiles(store, stages, {}, { ...options, signal: AbortSignal.timeout(10_000) })
    const [one, two, odd] = executor.ran[0]!.mounts!.map(mount => mount.type === 'bind' && mount.source)
    expect([one === two, one === odd]).toEqual([true, false])
  })

  test('of secrets with a NUL byte cannot be variables', async () => {
    const stage = base.run('x', { mounts: [{ secret: 'a', env: 'A' }] })
    const error = await thrownBy(() => run(stage, () => 0, { secrets: { a: 'b\0--bind' } }))
    expect(error).toMatchObject({
      code: 'ERR_BUILD_INVALID_STEP',
      message: expect.stringMatching(/"a" has a NUL byte/),
    })
    expect(error.message).not.toContain('--bind')
  })

  test('points that a command has replaced by links lead nowhere', async () => {
    const outside = join(place.path, 'outside')
    mkdirSync(join(outside, 'm'), { recursive: true })
    const stage = base.run('x', { mounts: [{ tmpfs: '/made/m' }] })
    await run(stage, (_, inRoot) => {
      rmSync(inRoot('made'), { recursive: true })
      symlinkSync(outside, inRoot('made'))
      return 0
    })
    expect(existsSync(join(outside, 'm'))).toBe(true)
  })

  test('of agents are sockets that lead to them, with the owner and the mode of the mount', async () => {
    if (!fitsSockets(place.path)) return
    const text =
      'FROM base:1\nRUN --mount=type=ssh --mount=type=ssh,id=two,mode=0640 x\nRUN --mount=type=ssh,id=other,required y\n'
    const agent = createServer(socket => socket.once('data', asked => socket.end(`answer to ${asked}`)))
    await new Promise<void>(resolve => agent.listen(join(place.path, 'socket'), resolve))
    const heard: string[] = []
    const executor = fakeExecutor(async ({ mounts }) => {
      for (const mount of mounts) {
        if (mount.type !== 'bind') continue
        const socket = createConnection(mount.source).end('me')
        heard.push(`${(statSync(mount.source).mode & 0o777).toString(8)} ${await new Response(socket).text()}`)
      }
      return 0
    })
    const socket = join(place.path, 'socket')
    const snapshots = plainSnapshots(place.path)
    const options = { executor, snapshots, sshAgents: { default: socket, two: socket } }
    const error = await thrownBy(() => buildFiles(store, dockerfileStages(text), {}, options))
    expect(heard).toEqual(['600 answer to me', '640 answer to me'])
    expect(executor.ran[0]!.mounts.map(({ target }) => target)).toEqual([
      '/run/buildkit/ssh_agent.0',
      '/run/buildkit/ssh_agent.1',
    ])
    expect(executor.ran[0]!.environment).toContain('SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0')
    expect(error).toMatchObject({ code: 'ERR_BUILD_SOURCE_NOT_FOUND', at: 'Dockerfile:3:1' })
    agent.close()
  })
})

test('a script of a here-document is a file that the command sees', async () => {
  const text = 'FROM base:1\nRUN <<EOF\n#!/bin/bash\necho hi\nEOF\n'
  let script = ''
  const executor = fakeExecutor(({ mounts }) => {
    const [mount] = mounts
    if (mount?.type === 'bind') script = readFileSync(mount.source, 'utf8')
    return 0
  })
  await buildFiles(store, dockerfileStages(text), {}, { executor, snapshots: plainSnapshots(place.path) })
  expect(script).toBe('#!/bin/bash\necho hi\n')
})

describe('without an executor', () => {
  test('a build with a command fails before anything is made', async () => {
    const stage = base.copy('x.txt', '/').run('make')
    const error = await thrownBy(() => buildFiles(store, stage, { 'x.txt': 'x' }))
    expect(error).toMatchObject({
      code: 'ERR_BUILD_NO_EXECUTOR',
      message: expect.stringMatching(/app 3\/3.*bubblewrap/),
    })
    expect(await store.derived.list('cache')).toEqual([])
  })

  test('one that does not work here is named with its reason', async () => {
    const executor = {
      ...fakeExecutor(() => 0),
      probe: async () => ({ works: false, reason: 'bwrap is not installed' }),
    }
    const error = await thrownBy(() => buildFiles(store, base.run('make'), {}, { executor }))
    expect(error).toMatchObject({
      code: 'ERR_BUILD_NO_EXECUTOR',
      message: expect.stringMatching(/executor fake does not work here: bwrap/),
    })
  })

  test('a build whose commands are all cached runs', async () => {
    await run(base.run('make'), () => 0)
    expect(outcomesOf(await buildFiles(store, base.run('make'), {}))).toEqual(['cached RUN make'])
    const { images } = await planBuild(store, base.run('make'))
    expect(images[0]!.steps.map(({ need }) => need)).toEqual(['base', 'cached'])
  })
})

describe('commands of stages that do not need each other', () => {
  async function mostAtOnce(concurrency: number): Promise<number> {
    let active = 0
    let most = 0
    let release!: () => void
    const all = new Promise<void>(resolve => {
      release = resolve
    })
    const executor = fakeExecutor(async () => {
      most = Math.max(most, ++active)
      // All that may run at once must be here before the first ends.
      if (active === concurrency) release()
      if (concurrency > 1) await all
      active--
      return 0
    })
    const stages = ['one', 'two', 'three'].map(name => base.as(name).run(name, { noCache: true }))
    let target = from('scratch')
    for (const stage of stages) target = target.copy({ from: stage, source: '/etc/os', to: '/' })
    await buildFiles(store, target, {}, { executor, concurrency, snapshots: plainSnapshots(place.path) })
    return most
  }

  test('run at once, as many as the caller allows', async () => {
    expect(await mostAtOnce(3)).toBe(3)
    expect(await mostAtOnce(1)).toBe(1)
  })
})

test('a working directory that the image lacks is made for the command, and stays', async () => {
  const text = 'FROM base:1\nRUN pwd\n'
  const lacking = await sampleImage(store, [{ 'etc/passwd': '' }], { config: { WorkingDir: '/srv/app' } })
  await store.references.set('base:1', lacking.descriptor)
  let there = false
  const executor = fakeExecutor(({ workdir }, inRoot) => {
    there = existsSync(inRoot(workdir))
    return 0
  })
  const options = { executor, snapshots: plainSnapshots(place.path) }
  const result = await buildFiles(store, dockerfileStages(text), {}, options)
  expect(there).toBe(true)
  expect(Object.keys(await filesOf(store, result))).toContain('srv/app')
})
