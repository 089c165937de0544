import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contextTar, dockerfileStages, openContext } from '../../../lib/build/index.ts'
import { compress } from '../../../lib/compression/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { writeTar } from '../../../lib/tar/index.ts'
import { buildFiles, filesOf } from '../../helpers/build-files.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { readAll } from '../../helpers/read-all.ts'
import { commitFiles, git, makeRepository, serveGit } from '../../helpers/serve-git.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const hasGit = needsProgram('git')
let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(() => store.close())

async function served(files: Record<string, Uint8Array>) {
  const server = createServer(({ url = '' }, response) => {
    const body = files[url]
    if (body) response.end(body)
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const tar = () => readAll(writeTar([{ path: 'src/a.js', type: 'file', content: Buffer.from('a') }]))

describe('a context at an address', () => {
  test('is a tar archive, plain or compressed', async () => {
    const files = { '/a.tar': await tar(), '/b': await readAll(compress([await tar()], { type: 'gzip' })) }
    await using server = await served(files)
    for (const path of Object.keys(files)) {
      const stages = dockerfileStages('FROM scratch\nCOPY src /app\n')
      const result = await buildFiles(store, stages, {}, { context: { url: server.url + path } })
      expect((await filesOf(store, result))['app/a.js']).toBe('file 644 0:0 a')
    }
  })

  test('is one file if it is no archive', async () => {
    await using server = await served({ '/x/app.Dockerfile?v=1': Buffer.from('FROM scratch\n') })
    await using context = await openContext({ url: `${server.url}/x/app.Dockerfile?v=1` }, { store })
    expect(context.tree.list('.').map(({ path }) => path)).toEqual(['app.Dockerfile'])
    expect(Buffer.from((await context.readControlFile('app.Dockerfile'))!).toString()).toBe('FROM scratch\n')
  })

  test('is a typed error if it is not there, needs a store, is too large, or is compressed with bzip2', async () => {
    await using server = await served({
      '/big': Buffer.alloc(5 << 20, 'x'),
      '/a.bz2': Buffer.from('BZh91AY&SY.........'),
    })
    const failureOf = (path: string) => thrownBy(() => openContext({ url: server.url + path }, { store }))
    expect(await failureOf('/none')).toMatchObject({ code: 'ERR_BUILD_FETCH' })
    expect(await failureOf('/big')).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    expect(await failureOf('/a.bz2')).toMatchObject({ code: 'ERR_UNSUPPORTED_COMPRESSION' })
    expect(await thrownBy(() => openContext({ url: server.url }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

describe.runIf(hasGit)('a context in git', () => {
  test('has the files of a ref and a directory; .git only if that is asked for', async () => {
    using place = temporaryDirectory('git-context')
    const app = makeRepository(place.path, 'app', {
      Dockerfile: 'FROM scratch\n',
      'sub/a': '1',
      '.dockerignore': 'sub',
    })
    git(app, 'tag', 'v1')
    commitFiles(app, { 'sub/a': '2' })
    await using server = await serveGit(place.path)
    const address = `${server.url}/app.git`
    const textOf = async (source: string) => {
      await using context = await openContext({ git: source })
      return Buffer.from((await context.readControlFile('a'))!).toString()
    }
    expect(await textOf(`${address}#v1:sub`)).toBe('1')
    expect(await textOf(`${address}#:sub`)).toBe('2')
    await using whole = await openContext({ git: address })
    expect(whole.tree.list('.').map(({ path }) => path)).toEqual(['.dockerignore', 'Dockerfile', 'sub'])
    expect((await readAll(contextTar(whole))).byteLength).toBeGreaterThan(0)
    await using kept = await openContext({ git: address, keepGitDirectory: true })
    expect(kept.tree.stat('.git/HEAD')?.type).toBe('file')
  })

  test('is a typed error if the address is malformed or has nothing', async () => {
    const failureOf = (address: string) => thrownBy(() => openContext({ git: address }))
    expect(await failureOf('https://x/r.git?ref=a&ref=b')).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(await failureOf('http://127.0.0.1:1/r.git')).toMatchObject({ code: 'ERR_BUILD_FETCH' })
  })
})
