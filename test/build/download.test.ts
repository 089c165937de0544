import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dockerfileStages, from, planBuild } from '../../lib/build/index.ts'
import { digestOf } from '../../lib/digest/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { writeTar } from '../../lib/tar/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../helpers/build-files.ts'
import { readAll } from '../helpers/read-all.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(() => store.close())

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function served(handler: Handler) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url!)
    handler(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const plain: Handler = (_, response) => {
  response.setHeader('last-modified', 'Thu, 01 Jan 1970 00:01:00 GMT')
  response.end('content')
}

describe('a download', () => {
  test('is a file of mode 0600 with the name and the time that the server gives', async () => {
    await using server = await served(plain)
    const stage = from('scratch').add(`${server.url}/a/file.txt?token=1`, '/').add(`${server.url}/`, '/dir/')
    const result = await buildFiles(store, stage, {}, { policies: { times: 'source' } })
    expect(await filesOf(store, result)).toEqual({
      dir: 'directory 755 0:0',
      'dir/__unnamed__': 'file 600 0:0 content',
      'file.txt': 'file 600 0:0 content',
    })
    expect(result.images[0]!.config.history![0]!.created_by).toBe(`ADD ${server.url}/a/file.txt?token=1 / # buildkit`)
  })

  test('takes an owner and a mode, and a destination without a slash is the file', async () => {
    await using server = await served(plain)
    const stage = from('scratch').add(`${server.url}/x`, '/y', { chown: '1:2', chmod: '644' })
    expect(await filesOf(store, await buildFiles(store, stage, {}))).toEqual({ y: 'file 644 1:2 content' })
  })

  test('is asked for again with what the server said of it, and is not sent twice', async () => {
    let bodies = 0
    await using server = await served((request, response) => {
      response.setHeader('etag', '"1"')
      if (request.headers['if-none-match'] === '"1"') return response.writeHead(304).end()
      bodies++
      return response.end('content')
    })
    const stage = from('scratch').add(`${server.url}/f`, '/')
    await buildFiles(store, stage, {})
    expect(outcomesOf(await buildFiles(store, stage, {}))).toEqual([`cached ADD ${server.url}/f /`])
    expect(bodies).toBe(1)
  })

  test('with another content is another step; a plan cannot know it', async () => {
    let content = 'one'
    await using server = await served((_, response) => response.end(content))
    const stage = from('scratch').add(`${server.url}/f`, '/')
    await buildFiles(store, stage, {})
    const plan = await planBuild(store, stage)
    expect(plan.images[0]!.steps[1]).toMatchObject({
      need: 'unknown',
      reason: `${server.url}/f must be downloaded first`,
    })
    content = 'two'
    const result = await buildFiles(store, stage, {})
    expect(outcomesOf(result)).toEqual([`made ADD ${server.url}/f /`])
    expect(result.steps[1]!.reason).toBe('f content differs (1 of 1 files)')
  })

  test('with a checksum is known before it is downloaded, and refused if it has another one', async () => {
    await using server = await served(plain)
    const checksum = await digestOf(Buffer.from('content'))
    const stage = from('scratch').add(`${server.url}/f`, '/', { checksum })
    expect(await filesOf(store, await buildFiles(store, stage, {}))).toEqual({ f: 'file 600 0:0 content' })
    const before = server.requests.length
    expect(outcomesOf(await buildFiles(store, stage, {}))).toEqual([`cached ADD ${server.url}/f /`])
    expect(server.requests.length).toBe(before)
    const wrong = from('scratch').add(`${server.url}/f?secret`, '/', { checksum: await digestOf(Buffer.from('other')) })
    const error = await thrownBy(() => buildFiles(store, wrong, {}))
    expect(error).toMatchObject({ code: 'ERR_BUILD_FETCH', cause: { cause: { code: 'ERR_DIGEST_MISMATCH' } } })
    const odd = from('scratch').add(`${server.url}/f`, '/', { checksum: 'md5:1' })
    expect(await thrownBy(() => buildFiles(store, odd, {}))).toMatchObject({ code: 'ERR_BUILD_INVALID_STEP' })
  })

  test('is unpacked only if that is asked for, also beside local archives', async () => {
    const tar = await readAll(writeTar([{ path: 'inside', type: 'file', content: 'i' }]))
    await using server = await served((_, response) => response.end(tar))
    const build = async (flag: string) => {
      const text = `FROM scratch\nADD ${flag}${server.url}/r.tar local.tar /d/\n`
      return Object.keys(await filesOf(store, await buildFiles(store, dockerfileStages(text), { 'local.tar': tar })))
    }
    expect(await build('')).toEqual(['d', 'd/inside', 'd/r.tar'])
    const stage = from('scratch').add(`${server.url}/r.tar`, '/d/', { unpack: true })
    expect(Object.keys(await filesOf(store, await buildFiles(store, stage, {})))).toEqual(['d', 'd/inside'])
  })

  test('follows redirects, but not for ever, and not from the web to elsewhere', async () => {
    await using server = await served((request, response) => {
      if (request.url === '/loop') return response.writeHead(302, { location: '/loop' }).end()
      if (request.url === '/away') return response.writeHead(302, { location: 'file:///etc/passwd' }).end()
      if (request.url === '/none') return response.writeHead(302).end()
      if (request.url === '/lost') return response.writeHead(404).end()
      if (request.url === '/cut') {
        response.setHeader('content-length', '100')
        response.write('x')
        return response.destroy()
      }
      return request.url === '/a' ? response.writeHead(307, { location: '/b' }).end() : response.end('end')
    })
    const build = (path: string) => buildFiles(store, from('scratch').add(server.url + path, '/'), {})
    expect(await filesOf(store, await build('/a'))).toEqual({ a: 'file 600 0:0 end' })
    for (const [path, message] of Object.entries({
      '/loop': /more than 10 redirects/,
      '/away': /another protocol/,
      '/none': /the server answered 302/,
      '/lost?token=x': /the server answered 404: http:\/\/127.0.0.1:\d+\/lost$/,
      '/cut': /the download broke off/,
    })) {
      expect(await thrownBy(() => build(path.replace('?token=x', '')))).toMatchObject({
        code: 'ERR_BUILD_FETCH',
        message,
      })
    }
    const nobody = from('scratch').add('http://127.0.0.1:1/x', '/')
    expect(await thrownBy(() => buildFiles(store, nobody, {}))).toMatchObject({
      code: 'ERR_BUILD_FETCH',
      message: expect.stringMatching(/no server listens on 127\.0\.0\.1 port 1 \(ECONNREFUSED\): http:/),
    })
    expect(await thrownBy(async () => from('scratch').add('ftp://x/y', '/'))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })
})
