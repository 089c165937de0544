import { chmodSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { dockerfileStages, from, openContext, planBuild } from '../../lib/build/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../helpers/build-files.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { commitFiles, type GitServer, git, makeRepository, serveGit, serveSilence } from '../helpers/serve-git.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const hasGit = needsProgram('git')

let place: ReturnType<typeof temporaryDirectory>
let server: GitServer
let store: Store
let app: string
let firstCommit: string
beforeAll(async () => {
  if (!hasGit) return
  place = temporaryDirectory('git')
  makeRepository(place.path, 'lib', { 'lib.c': 'lib' })
  app = makeRepository(place.path, 'app', {
    'README.md': 'one',
    'docs/a.md': 'a',
    '.gitattributes': '*.md filter=evil\n',
  })
  firstCommit = git(app, 'rev-parse', 'HEAD')
  git(app, 'tag', '-a', 'v1', '-m', 'm')
  chmodSync(join(app, 'docs/a.md'), 0o755)
  commitFiles(app, { 'README.md': 'two' })
  server = await serveGit(place.path)
})
afterAll(async () => {
  if (!hasGit) return
  await server[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await store.close()
})

const build = (text: string, options = {}) =>
  buildFiles(store, dockerfileStages(`FROM scratch\n${text}\n`), {}, options)
const addressOf = (name: string) => `${server.url}/${name}.git`

describe.runIf(hasGit)('ADD of a git repository', () => {
  test('gives the files of a branch, a tag, a commit, and of a directory, without .git', async () => {
    const head = await filesOf(store, await build(`ADD ${addressOf('app')} /src`))
    expect(head).toMatchObject({
      'src/README.md': 'file 644 0:0 two',
      'src/docs': 'directory 755 0:0',
      'src/docs/a.md': 'file 755 0:0 a',
    })
    expect(Object.keys(head).filter(path => path.includes('/.git'))).toEqual(['src/.gitattributes'])
    for (const ref of ['v1', firstCommit]) {
      const files = await filesOf(store, await build(`ADD ${addressOf('app')}#${ref} /`))
      expect(files['README.md']).toBe('file 644 0:0 one')
    }
    const docs = await filesOf(store, await build(`ADD ${addressOf('app')}?branch=main&subdir=docs /d/`))
    expect(docs).toEqual({ d: 'directory 755 0:0', 'd/a.md': 'file 755 0:0 a' })
  })

  test('is a step of code too', async () => {
    const stage = from('scratch').add(`${addressOf('app')}#v1:docs`, '/d/', { checksum: firstCommit, chown: '1:2' })
    const result = await buildFiles(store, stage, {})
    expect((await filesOf(store, result))['d/a.md']).toBe('file 644 1:2 a')
    const kept = from('scratch').add(addressOf('app'), '/', { keepGitDirectory: true })
    expect(Object.keys(await filesOf(store, await buildFiles(store, kept, {})))).toContain('.git/HEAD')
    expect(await thrownBy(() => buildFiles(store, from('scratch').add('git://x/y?a=b', '/'), {}))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('is cached by its commit: the repository is asked, not fetched; a commit in the text is not asked for', async () => {
    const text = `ADD ${addressOf('app')} /`
    await build(text)
    server.requests.length = 0
    expect(outcomesOf(await build(text))).toEqual([`cached ${text}`])
    // Protocol 2: one request for the capabilities, one for the refs.
    expect(server.requests).toHaveLength(2)
    await build(`ADD ${addressOf('app')}#${firstCommit} /`)
    server.requests.length = 0
    const context = await openContext({ files: {} })
    const planned = async (source: string) => {
      const stages = dockerfileStages(`FROM scratch\nADD ${source} /\n`)
      return (await planBuild(store, stages, { context })).images[0]!.steps[1]!
    }
    expect(await planned(`${addressOf('app')}#${firstCommit}`)).toMatchObject({ need: 'cached' })
    expect(await planned(addressOf('app'))).toMatchObject({
      need: 'unknown',
      reason: expect.stringMatching(/must be asked first/),
    })
    expect(server.requests).toEqual([])
  })

  test('is made again if the branch has moved', async () => {
    const moving = makeRepository(place.path, 'moving', { f: '1' })
    const text = `ADD ${addressOf('moving')}#main /`
    await build(text)
    commitFiles(moving, { f: '2' })
    const second = await build(text)
    expect(outcomesOf(second)).toEqual([`made ${text}`])
    expect((await filesOf(store, second)).f).toBe('file 644 0:0 2')
  })

  test('keeps .git if that is asked for, without the password of the address', async () => {
    const address = addressOf('app').replace('://', '://me:hunter2@')
    const result = await build(`ADD --keep-git-dir=true ${address}#v1 /src`)
    const files = await filesOf(store, result)
    expect(files['src/.git/HEAD']).toBe(`file 644 0:0 ${firstCommit}\n`)
    expect(files['src/.git/config']).toContain(`url = ${addressOf('app')}`)
    expect(JSON.stringify(files)).not.toContain('hunter2')
    expect(files['src/README.md']).toBe('file 644 0:0 one')
  })

  test('puts no password into the kept .git of a submodule with a relative address', async () => {
    const outer = makeRepository(place.path, 'outer', { f: 'f' })
    git(outer, 'submodule', '--quiet', 'add', '../lib.git', 'deps/lib')
    commitFiles(outer, {})
    const address = addressOf('outer').replace('://', '://me:hunter2@')
    const result = await build(`ADD --keep-git-dir=true ${address} /src`)
    const files = await filesOf(store, result)
    expect(files['src/.git/modules/deps/lib/config']).toContain(`url = ${addressOf('lib')}`)
    expect(files['src/.git/config']).toContain(`url = ${addressOf('lib')}`)
    expect(Object.keys(files).filter(path => files[path]!.includes('hunter2'))).toEqual([])
    expect(JSON.stringify(result.images[0]!.config)).not.toContain('hunter2')
  })

  test('gives no file of .git as a subdirectory: they name the password', async () => {
    const address = addressOf('app').replace('://', '://me:hunter2@')
    for (const step of [`ADD ${address}#main:.git /src`, `ADD --keep-git-dir=true ${address}#main:.git /src`]) {
      expect(await thrownBy(() => build(step))).toMatchObject({ code: 'ERR_BUILD_SOURCE_NOT_FOUND' })
    }
  })

  test('has no password in the history, which keeps the text of all else', async () => {
    const textOf = async (step: string) => (await build(step)).images[0]!.config.history?.at(-1)?.created_by
    const address = addressOf('app').replace('://', '://me:hunter2@')
    expect(await textOf(`ADD ${address} /`)).toMatch(/^ADD http:\/\/xxxxx:xxxxx@127\.0\.0\.1:\d+\/app\.git \/ /)
    expect(await textOf('LABEL a=ssh://git@host/x b=ssh://git:pw@host/x')).toBe(
      'LABEL a=ssh://git@host/x b=ssh://xxxxx:xxxxx@host/x',
    )
  })

  test('takes submodules along, unless they are switched off', async () => {
    const parent = makeRepository(place.path, 'parent', { f: 'f' })
    git(parent, 'submodule', '--quiet', 'add', '../lib.git', 'deps/lib')
    commitFiles(parent, {})
    const withThem = await filesOf(store, await build(`ADD ${addressOf('parent')} /`))
    expect(withThem['deps/lib/lib.c']).toBe('file 644 0:0 lib')
    expect(Object.keys(withThem).filter(path => path.endsWith('.git'))).toEqual([])
    const without = await filesOf(store, await build(`ADD ${addressOf('parent')}?submodules=false /`))
    expect(without['deps/lib/lib.c']).toBeUndefined()
  })

  test('works with a server that gives files only', async () => {
    git(app, 'update-server-info')
    await using plain = await serveGit(place.path, { dumb: true })
    const files = await filesOf(store, await build(`ADD ${plain.url}/app.git#v1 /`))
    expect(files['README.md']).toBe('file 644 0:0 one')
  })

  test('runs no program that the configuration of the user names, and leaves no file behind', async () => {
    using own = temporaryDirectory('git-user')
    const marker = join(own.path, 'ran')
    const hook = join(own.path, 'post-checkout')
    writeFileSync(hook, `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 })
    const evil = `touch ${marker}; cat`
    const config = `[core]\nhooksPath = ${own.path}\nfsmonitor = ${hook}\n[filter "evil"]\nsmudge = ${evil}\n`
    writeFileSync(join(own.path, '.gitconfig'), `${config}[credential]\nhelper = "!touch ${marker}"\n`)
    vi.stubEnv('HOME', own.path)
    vi.stubEnv('GIT_CONFIG_GLOBAL', join(own.path, '.gitconfig'))
    vi.stubEnv('GIT_SSH_COMMAND', hook)
    vi.stubEnv('TMPDIR', own.path)
    await build(`ADD ${addressOf('app')} /`)
    expect(readdirSync(own.path).sort()).toEqual(['.gitconfig', 'post-checkout'])
  })
})

describe.runIf(hasGit)('ADD of a git repository is a typed error', () => {
  const failureOf = (text: string) => thrownBy(() => build(text))

  test('if the commit is not the one of --checksum; a right one, also shortened, is taken', async () => {
    await build(`ADD --checksum=${firstCommit.slice(0, 10)} ${addressOf('app')}#v1 /`)
    await build(`ADD --checksum=${firstCommit} ${addressOf('app')} /`)
    expect(await failureOf(`ADD --checksum=${'0'.repeat(40)} ${addressOf('app')}#v1 /`)).toMatchObject({
      code: 'ERR_BUILD_FETCH',
      message: expect.stringMatching(/v1 is the commit [0-9a-f]{40}, not 0+ \(Dockerfile:2:1\)$/),
    })
  })

  test('for a ref, a repository, a commit or a directory that is missing', async () => {
    const missing = await failureOf(`ADD ${addressOf('app')}#none /`)
    expect(missing).toMatchObject({
      code: 'ERR_BUILD_FETCH',
      message: expect.stringMatching(/has no branch or tag "none/),
    })
    expect(await failureOf(`ADD ${addressOf('app')}#${firstCommit.slice(0, 8)} /`)).toMatchObject({
      message: expect.stringContaining('write all digits of a commit'),
    })
    expect(await failureOf(`ADD ${addressOf('none').replace('//', '//me:hunter2@')} /`)).toMatchObject({
      code: 'ERR_BUILD_FETCH',
      message: expect.not.stringContaining('hunter2'),
    })
    expect(await failureOf(`ADD ${addressOf('app')}#${'1'.repeat(40)} /`)).toMatchObject({
      message: expect.stringContaining('cannot be fetched'),
    })
    expect(await failureOf(`ADD ${addressOf('app')}#:nowhere /`)).toMatchObject({
      code: 'ERR_BUILD_SOURCE_NOT_FOUND',
      path: 'nowhere',
    })
  })

  test('for a directory or a submodule that leads out of the repository', async () => {
    const links = makeRepository(place.path, 'links', { f: 'f' })
    symlinkSync('/etc', join(links, 'out'))
    commitFiles(links, {})
    expect(await failureOf(`ADD ${addressOf('links')}#:out /`)).toMatchObject({ code: 'ERR_BUILD_SOURCE_NOT_FOUND' })
    const local = makeRepository(place.path, 'local', { f: 'f' })
    git(local, 'submodule', '--quiet', 'add', join(place.path, 'lib.git'), 'lib')
    commitFiles(local, {})
    const error = await failureOf(`ADD ${addressOf('local')} /`)
    expect(error).toMatchObject({ code: 'ERR_BUILD_FETCH', message: expect.stringContaining("'file' not allowed") })
  })

  test('for a ref that git would take for an option or for two refs', async () => {
    for (const ref of ['--upload-pack=x', '+a', 'a:b', 'a..b~1']) {
      const error = await failureOf(`ADD ${addressOf('app')}?ref=${encodeURIComponent(ref)} /`)
      expect(error).toMatchObject({ code: ref === '+a' ? 'ERR_BUILD_FETCH' : 'ERR_BUILD_INVALID_STEP' })
    }
  })

  test('and an aborted build ends the git that hangs', async () => {
    await using silent = await serveSilence()
    const stop = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => stop.abort(reason), 200)
    expect(await thrownBy(() => build(`ADD ${silent.url}/x.git /`, { signal: stop.signal }))).toBe(reason)
  })
})
