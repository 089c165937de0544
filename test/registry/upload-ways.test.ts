import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { PushBlobOptions } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

type Asked = { readonly request: IncomingMessage; readonly body: Buffer; readonly held: Buffer }
/** Answer of a registry about the status of an upload; `held` includes the piece just received. */
type Say = (asked: Asked) => { status?: number; range?: string }

interface Way {
  /** Answers instead of taking a body; `undefined` takes it. */
  readonly refuse?: ((asked: Asked) => { status: number; code?: string } | undefined) | undefined
  readonly say?: Say
}

/** Pushes the blob so often to a registry that appends what it is sent; how that ended, and what it was asked. */
async function push(way: Way, options: PushBlobOptions = {}, times = 1, { bytes, descriptor } = sampleBlob(100_000)) {
  const open = async function* () {
    for (let at = 0; at < bytes.length; at += 30_000) yield bytes.subarray(at, at + 30_000)
  }
  let held = Buffer.alloc(0)
  let done: Buffer | undefined
  const asked: string[] = []
  await using server = await startScriptedRegistry(async (request, response) => {
    const body = await readAll(request)
    asked.push(request.method!)
    const refusal = way.refuse?.({ request, body, held })
    if (refusal) return answer(response, refusal.status, {}, refusal.code)
    if (request.method === 'POST') held = Buffer.alloc(0)
    if (request.method === 'PATCH' || request.method === 'PUT') held = Buffer.concat([held, body])
    const said = way.say?.({ request, body, held }) ?? { range: `0-${held.length - 1}` }
    const range = said.range === undefined ? {} : { range: said.range }
    if (request.method === 'PUT') {
      done = held
      return held.equals(bytes) ? answer(response, 201) : answer(response, 400, {}, 'DIGEST_INVALID')
    }
    const status = said.status ?? (request.method === 'GET' || request.method === 'DELETE' ? 204 : 202)
    return answer(response, status, { location: '/u', ...range })
  })
  await using registry = registryClientFor()
  const results: unknown[] = []
  for (let i = 0; i < times; i++) {
    const target = { registry: server.host, repository: 'a' }
    results.push(await registry.pushBlob(target, descriptor, open, options).catch((error: unknown) => error))
  }
  return { results, asked, isRight: done?.equals(bytes) ?? false }
}
const answer = (response: ServerResponse, status: number, headers = {}, code?: string) =>
  response.writeHead(status, headers).end(code && JSON.stringify({ errors: [{ code, message: 'no' }] }))
const refusing =
  (method: string, status: number, code?: string): Way['refuse'] =>
  ({ request, body }) =>
    request.method === method && body.length > 0 ? { status, ...(code && { code }) } : undefined

describe('a body that the registry refuses by one method is sent by the other', () => {
  test.each([400, 404, 405, 406, 410, 411, 415, 416, 500, 501])(
    'by PATCH after a refused PUT (%d), and the next blob at once',
    async status => {
      const { results, asked, isRight } = await push({ refuse: refusing('PUT', status, 'BLOB_UNKNOWN') }, {}, 2)
      expect([results, isRight]).toEqual([['uploaded', 'uploaded'], true])
      expect(asked).toEqual(['POST', 'PUT', 'DELETE', 'POST', 'PATCH', 'PUT', 'POST', 'PATCH', 'PUT'])
    },
  )

  test.each([
    [400, undefined],
    [405, undefined],
    [406, undefined],
    [411, undefined],
    [415, undefined],
    [501, undefined],
    [403, 'UNSUPPORTED'],
  ])('by PUT after a refused PATCH (%d %s), and the next blob at once', async (status, code) => {
    const { results, asked, isRight } = await push(
      { refuse: refusing('PATCH', status, code) },
      { chunkBytes: 50_000 },
      2,
    )
    expect([results, isRight]).toEqual([['uploaded', 'uploaded'], true])
    expect(asked).toEqual(['POST', 'PATCH', 'DELETE', 'POST', 'PUT', 'POST', 'PUT'])
  })

  test.each([404, 410])('by PUT if the registry says that every first piece has no upload (%d)', async status => {
    const { results, asked } = await push({ refuse: refusing('PATCH', status) }, { chunkBytes: 50_000 })
    expect(results).toEqual(['uploaded'])
    expect(asked.filter(method => method !== 'DELETE')).toEqual(['POST', 'PATCH', 'POST', 'PATCH', 'POST', 'PUT'])
  })

  test('if the registry refuses both, the client reports the first refusal and does not retry', async () => {
    const refuse: Way['refuse'] = ({ request, body }) =>
      body.length === 0 ? undefined : request.method === 'PUT' ? { status: 400, code: 'QUOTA' } : { status: 405 }
    for (const options of [{}, { chunkBytes: 50_000 }]) {
      const { results, asked } = await push({ refuse }, options)
      const first = 'chunkBytes' in options ? { status: 405 } : { status: 400, errors: [{ code: 'QUOTA' }] }
      expect(results).toMatchObject([{ code: 'ERR_REGISTRY', ...first }])
      expect(asked.filter(method => method !== 'DELETE')).toHaveLength(4)
    }
  })

  test('if the registry refuses pieces, and the whole blob as too large, the push ends', async () => {
    const refuse: Way['refuse'] = ({ request, body }) =>
      body.length === 0 ? undefined : { status: request.method === 'PUT' ? 413 : 405 }
    const { results, asked } = await push({ refuse }, { chunkBytes: 50_000 })
    expect(results).toMatchObject([{ code: 'ERR_REGISTRY', status: 413 }])
    expect(asked.length).toBeLessThan(10)
  })

  test('an empty blob is not sent by the other method', async () => {
    const refuse: Way['refuse'] = ({ request }) => (request.method === 'PUT' ? { status: 400 } : undefined)
    const { results, asked } = await push({ refuse }, {}, 1, sampleBlob(0))
    expect(results).toMatchObject([{ status: 400 }])
    expect(asked).toEqual(['POST', 'PUT', 'DELETE'])
  })
})

describe('the offset that a registry reports for an upload does not decide', () => {
  const silent: Say = () => ({})
  test.each<[string, Say, string[]]>([
    ['nothing', silent, []],
    ['nothing, and does not know the question (404)', silent, []],
    [
      'the range of the piece alone, here and when it is asked',
      ({ request, body, held }) => ({
        range: `0-${(request.method === 'GET' ? held.length % 40_000 || 40_000 : body.length) - 1}`,
      }),
      ['GET', 'GET'],
    ],
    ['0-0, always', () => ({ range: '0-0' }), ['GET', 'GET', 'GET']],
    [
      'less, and does not answer when it is asked',
      ({ request }) => (request.method === 'GET' ? { status: 404 } : { range: '0-9' }),
      ['GET', 'GET', 'GET'],
    ],
    [
      'less, and nothing when it is asked',
      ({ request }) => (request.method === 'GET' ? {} : { range: '0-9' }),
      ['GET', 'GET', 'GET'],
    ],
  ])('where it says %s', async (_, say, questions) => {
    const { results, asked, isRight } = await push({ say }, { chunkBytes: 40_000 })
    expect([results, isRight]).toEqual([['uploaded'], true])
    expect(asked.filter(method => method === 'PATCH')).toHaveLength(3)
    expect(asked.filter(method => method === 'GET')).toEqual(questions)
  })

  test('after the loss of accepted pieces the client sends the blob once more, in one piece', async () => {
    let lost = false
    const refuse: Way['refuse'] = ({ request }) => {
      if (request.method !== 'PATCH' || lost) return undefined
      lost = true
      return { status: 202 }
    }
    const { results, asked, isRight } = await push({ refuse, say: silent }, { chunkBytes: 40_000 })
    expect([results, isRight]).toEqual([['uploaded'], true])
    expect(asked).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH', 'PUT', 'DELETE', 'POST', 'PUT'])
  })
})
