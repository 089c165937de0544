import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { PushBlobOptions } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { uploadMemory } from '../helpers/upload-memory.ts'

const { bytes, descriptor } = sampleBlob(100_000)
const MOUNT = `?mount=${encodeURIComponent(descriptor.digest)}`
const open = async function* () {
  yield bytes
}
const openAt = async function* (offset: number) {
  yield bytes.subarray(offset)
}
type Answer = (response: ServerResponse, request: IncomingMessage) => unknown

/**
 * Uploads the blob once for each answer, which the registry gives to the POST. Resolves to the requests and the
 * outcome.
 */
async function push(answers: Answer | Answer[], options: PushBlobOptions = {}, times = 1) {
  const posts = [answers].flat()
  const got: number[] = []
  let post = 0
  await using server = await startScriptedRegistry(async (request, response) => {
    const body = await readAll(request)
    if (request.method === 'POST') return posts[Math.min(post++, posts.length - 1)]!(response, request)
    if (request.method === 'PUT') got.push(body.byteLength)
    const status = request.method === 'PUT' ? 201 : request.method === 'PATCH' ? 202 : 204
    const held = request.method === 'GET' ? 40_000 : bytes.byteLength
    response.writeHead(status, { location: request.url?.split('?')[0], range: `0-${held - 1}` }).end()
  })
  await using registry = registryClientFor()
  const target = { registry: server.host, repository: 'a' }
  const results: unknown[] = []
  for (let i = 0; i < times; i++) {
    results.push(await registry.pushBlob(target, descriptor, open, options).catch((error: unknown) => error))
  }
  const asked = server.seen.map(({ method, path }) => `${method} ${path.replace('/v2/a/blobs/uploads/', '')}`)
  return { results, asked, got }
}
const session: Answer = response => response.writeHead(202, { location: '/u/1' }).end()
const mounted: Answer = response => response.writeHead(201, { location: '/blob' }).end()
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  response =>
    response.writeHead(code, headers).end()
const PUT = `PUT /u/1?digest=${encodeURIComponent(descriptor.digest)}`

describe('the request that opens an upload', () => {
  test('asks the registry to mount the blob from any repository; then no byte is sent', async () => {
    expect(await push(mounted)).toEqual({ results: ['mounted'], asked: [`POST ${MOUNT}`], got: [] })
  })

  test('costs no request if the registry does not mount: the client uses the opened upload', async () => {
    expect(await push(session)).toEqual({
      results: ['uploaded'],
      asked: [`POST ${MOUNT}`, PUT],
      got: [bytes.byteLength],
    })
  })

  test('names the probable repository, and uses the upload that the registry opened instead', async () => {
    const from = { mount: { from: 'team/base' } }
    const known = `POST ${MOUNT}&from=team%2Fbase`
    expect((await push(mounted, from)).asked).toEqual([known])
    expect((await push(session, from)).asked).toEqual([known, PUT])
  })

  test('asks for a mount from any repository if the registry refuses that one', async () => {
    const { results, asked } = await push([status(403), mounted], { mount: { from: 'not/ours' } })
    expect([results, asked]).toEqual([['mounted'], [`POST ${MOUNT}&from=not%2Fours`, `POST ${MOUNT}`]])
  })

  test('does not ask with `mount: false`', async () => {
    expect((await push(session, { mount: false })).asked).toEqual(['POST ', PUT])
  })

  test.each([400, 403, 404, 405, 501])(
    'a registry that rejects the question (%d) gets later requests without it',
    async code => {
      const answer: Answer = (response, request) =>
        request.url?.includes('mount=') ? response.writeHead(code).end() : session(response, request)
      const { results, asked } = await push(answer, {}, 3)
      expect(results).toEqual(['uploaded', 'uploaded', 'uploaded'])
      expect(asked).toEqual([`POST ${MOUNT}`, 'POST ', PUT, 'POST ', PUT, 'POST ', PUT])
    },
  )

  test('a registry that refuses every upload is not remembered as rejecting the question', async () => {
    const { results, asked } = await push([status(403), status(403), session], {}, 2)
    expect(results).toMatchObject([{ code: 'ERR_UNAUTHORIZED', status: 403 }, 'uploaded'])
    expect(asked).toEqual([`POST ${MOUNT}`, 'POST ', `POST ${MOUNT}`, PUT])
  })

  test('a refused password is not sent again without the question', async () => {
    const { results, asked } = await push(status(401, { 'www-authenticate': 'Basic realm="x"' }))
    expect(results).toMatchObject([{ code: 'ERR_UNAUTHORIZED', status: 401 }])
    expect(asked).toEqual([`POST ${MOUNT}`])
  })

  test.each([500, 503])(
    'a transient failure (%d) is retried without the question, and nothing is remembered',
    async code => {
      const { results, asked } = await push([status(code), session], {}, 2)
      expect(results).toEqual(['uploaded', 'uploaded'])
      expect(asked).toEqual([`POST ${MOUNT}`, 'POST ', PUT, `POST ${MOUNT}`, PUT])
    },
  )

  test('the client gives up on a registry that always fails', async () => {
    const { results, asked } = await push(status(500))
    expect(results).toMatchObject([{ code: 'ERR_REGISTRY', status: 500 }])
    expect(asked).toHaveLength(5)
  })

  test('an answer that opens no upload counts as a refusal', async () => {
    const { results, asked } = await push([status(202), session])
    expect([results, asked]).toEqual([['uploaded'], [`POST ${MOUNT}`, 'POST ', PUT]])
  })

  test('the client detects that a registry mounted another blob', async () => {
    const other = { 'docker-content-digest': `sha256:${'1'.repeat(64)}` }
    expect((await push(status(201, other))).results).toMatchObject([{ code: 'ERR_DIGEST_MISMATCH' }])
    const { results } = await push(status(201, { 'docker-content-digest': `sha512:${'1'.repeat(128)}` }))
    expect(results).toEqual(['mounted'])
  })

  test('an invalid repository name is refused', async () => {
    const { results, asked } = await push(session, { mount: { from: '../x' } })
    expect([results, asked]).toMatchObject([[{ code: 'ERR_INVALID_REFERENCE' }], []])
  })
})

describe('an upload that an earlier call left open', () => {
  const begun = async (answer: Answer, mount?: PushBlobOptions['mount']) => {
    await using server = await startScriptedRegistry(async (request, response) => {
      const body = await readAll(request)
      if (request.method === 'POST') return answer(response, request)
      const codes: Record<string, number> = { PUT: 201, PATCH: 202, GET: 204, DELETE: 204 }
      const held = request.method === 'PATCH' ? 40_000 + body.byteLength : 40_000
      response.writeHead(codes[request.method!]!, { location: '/u/old', range: `0-${held - 1}` }).end()
    })
    await using registry = registryClientFor()
    const target = { registry: server.host, repository: 'a' }
    const uploads = { ...uploadMemory(), get: async () => Buffer.from(JSON.stringify(kept(server.host))) }
    const how = await registry.pushBlob(target, descriptor, open, { openAt, uploads, mount })
    return { how, asked: server.seen.map(({ method, path }) => `${method} ${path.split('?')[0]}`) }
  }
  const kept = (host: string) => ({ version: 1, location: `http://${host}/u/old`, offset: 40_000 })

  test('is resumed without asking for a mount', async () => {
    const { how, asked } = await begun(session)
    expect([how, asked[0]]).toEqual(['uploaded', 'GET /u/old'])
    expect(asked.some(one => one.startsWith('POST'))).toBe(false)
  })

  test('is cancelled if the registry mounts the blob from a known repository', async () => {
    const { how, asked } = await begun(mounted, { from: 'b' })
    expect([how, asked]).toEqual(['mounted', ['GET /u/old', 'POST /v2/a/blobs/uploads/', 'DELETE /u/old']])
  })

  test('is resumed if the registry does not mount; the newly opened one is cancelled', async () => {
    const { how, asked } = await begun(session, { from: 'b' })
    expect(how).toBe('uploaded')
    expect(asked.slice(0, 3)).toEqual(['GET /u/old', 'POST /v2/a/blobs/uploads/', 'DELETE /u/1'])
    expect(asked.slice(3).every(one => one.endsWith('/u/old'))).toBe(true)
  })
})
