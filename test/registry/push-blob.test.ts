import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { type Script, type ScriptedRegistry, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const { bytes, descriptor } = sampleBlob(500_000)
const asked = (server: ScriptedRegistry) => server.seen.map(({ method, path }) => `${method} ${path.split('?')[0]}`)
const session: Script = (request, response) => {
  response.writeHead(202, { location: `/upload/1?_state=a%2Fb+c~d==` })
  request.resume().on('end', () => response.end())
}
const push = async (script: Script, open?: (opened: number) => AsyncIterable<Uint8Array>, signal?: AbortSignal) => {
  await using server = await startScriptedRegistry((request, response, number) =>
    request.method === 'POST' && request.url?.startsWith('/v2/a/blobs/uploads/')
      ? session(request, response, number)
      : request.method === 'DELETE'
        ? response.writeHead(204).end()
        : script(request, response, number),
  )
  await using registry = registryClientFor()
  let opened = 0
  const source = () => {
    opened++
    return open?.(opened) ?? pieces(bytes)
  }
  const target = { registry: server.host, repository: 'a' }
  const error = await registry.pushBlob(target, descriptor, source, { signal }).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  return { asked: asked(server), seen: server.seen, error, opened }
}
async function* pieces(all: Uint8Array, size = 60_000) {
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size)
}
const store =
  (into: Buffer[]): Script =>
  async (request: IncomingMessage, response) => {
    into.push(await readAll(request))
    response.writeHead(201, { 'docker-content-digest': descriptor.digest }).end()
  }

describe('pushBlob', () => {
  test("HT-23: sends the blob in one piece to the registry's URL, with its query unchanged", async () => {
    const got: Buffer[] = []
    const { error, seen } = await push(store(got))
    expect(error).toBeUndefined()
    expect(got[0]?.equals(bytes)).toBe(true)
    expect(seen[0]).toMatchObject({ method: 'POST', headers: { 'content-length': '0' } })
    expect(seen[1]!.path).toBe(`/upload/1?_state=a%2Fb+c~d==&digest=${encodeURIComponent(descriptor.digest)}`)
    expect(seen[1]!.headers).toMatchObject({ 'content-length': '500000' })
    expect(seen[1]!.headers['transfer-encoding']).toBeUndefined()
  })

  test.each([200, 204])('accepts status %d as success too', async status => {
    const { error } = await push((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end())
    })
    expect(error).toBeUndefined()
  })

  test('HT-19, HT-24: starts anew from the first byte after a transient failure or a lost session', async () => {
    const got: Buffer[] = []
    let tries = 0
    const {
      error,
      opened,
      asked: all,
    } = await push(async (request, response, number) => {
      tries++
      if (tries >= 3) return store(got)(request, response, number)
      for await (const _ of request);
      return response.writeHead(tries === 1 ? 503 : 404).end()
    })
    expect(error).toBeUndefined()
    expect(opened).toBe(3)
    expect(Buffer.concat(got).equals(bytes)).toBe(true)
    expect(all.filter(line => line.startsWith('POST'))).toHaveLength(3)
  })

  test('after a reset in the middle the upload starts anew', async () => {
    const got: Buffer[] = []
    let tries = 0
    const { error, opened } = await push((request, response, number) => {
      if (++tries === 2) return store(got)(request, response, number)
      return request.once('data', () => request.socket.resetAndDestroy())
    })
    expect(error).toBeUndefined()
    expect(opened).toBe(2)
    expect(got[0]?.equals(bytes)).toBe(true)
  })

  test('HT-28: an early refusal stops the sending', async () => {
    let sent = 0
    const endless = async function* () {
      for (;;) {
        sent += 60_000
        yield bytes.subarray(0, 60_000)
        await new Promise(resolve => setTimeout(resolve, 1))
        if (sent > 450_000) await new Promise(() => {})
      }
    }
    const { error, asked: all } = await push(
      (_, response) =>
        response
          .writeHead(422, { connection: 'close' })
          .end('{"errors":[{"code":"SIZE_INVALID","message":"too big"}]}'),
      endless,
    )
    expect(error).toMatchObject({ code: 'ERR_REGISTRY', status: 422, errors: [{ code: 'SIZE_INVALID' }] })
    expect(all).toEqual(['POST /v2/a/blobs/uploads/', 'PUT /upload/1', 'DELETE /upload/1'])
  })

  test('HT-28: after an early refusal the client stops reading the source', async () => {
    let read = 0
    let closed = false
    const slow = async function* () {
      try {
        for (; read < 500; read++) {
          yield bytes.subarray(read * 1000, (read + 1) * 1000)
          await new Promise(resolve => setTimeout(resolve, 2))
        }
      } finally {
        closed = true
      }
    }
    const { error } = await push((_, response) => response.writeHead(403).end(), slow)
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
    await expect.poll(() => closed).toBe(true)
    expect(read).toBeLessThan(250)
  })

  test('HT-28: the client detects an early refusal while the source is silent', async () => {
    const stuck = async function* () {
      yield bytes.subarray(0, 10)
      await new Promise(() => {})
    }
    const { error } = await push((_, response) => response.writeHead(403).end(), stuck)
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', status: 403 })
  })

  test('HT-28: the connection of an incomplete upload is not reused', async () => {
    await using server = await startScriptedRegistry((request, response, number) => {
      if (request.method === 'POST') return session(request, response, number)
      return response.writeHead(request.method === 'PUT' ? 403 : 204).end()
    })
    await using registry = registryClientFor()
    const stuck = async function* () {
      yield bytes.subarray(0, 10)
      await new Promise(() => {})
    }
    const error = await thrownBy(() => registry.pushBlob({ registry: server.host, repository: 'a' }, descriptor, stuck))
    expect(error.code).toBe('ERR_UNAUTHORIZED')
    // The remaining connection is the one on which the upload was cancelled.
    await expect.poll(() => server.connections.size).toBe(1)
  })

  test("the push rejects with the source's error, and cancels the upload", async () => {
    const failure = Object.assign(new Error('disk on fire'), { retryable: true })
    const failing = async function* () {
      yield bytes.subarray(0, 10)
      throw failure
    }
    const { error, opened, asked: all } = await push(() => {}, failing)
    expect(error).toBe(failure)
    expect(opened).toBe(1)
    expect(all.at(-1)).toBe('DELETE /upload/1')
  })

  test.each([
    ['longer', 500_001],
    ['shorter', 499_999],
  ])('a source that is %s than announced is an error, never a wrong blob', async (_, length) => {
    let ended = false
    const { error } = await push(
      request => request.resume().on('end', () => (ended = true)),
      () => pieces(sampleBlob(length).bytes),
    )
    expect(error).toMatchObject({ code: 'ERR_SIZE_MISMATCH', expected: 500_000 })
    expect(ended).toBe(false)
  })

  test('HT-25: the client detects that a registry stored other bytes', async () => {
    const { error } = await push((request, response) => {
      const headers = { 'docker-content-digest': `sha256:${'1'.repeat(64)}` }
      request.resume().on('end', () => response.writeHead(201, headers).end())
    })
    expect(error).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
  })

  test('an abort rejects with the reason at once and cancels the upload', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const slow = async function* () {
      yield bytes.subarray(0, 10)
      stop.abort(reason)
      await new Promise(() => undefined)
    }
    const { error, asked: all } = await push(() => {}, slow, stop.signal)
    expect(error).toBe(reason)
    expect(all.at(-1)).toBe('DELETE /upload/1')
  })

  test('HT-23: an upload without a URL is an error', async () => {
    await using server = await startScriptedRegistry((_, response) => response.writeHead(202).end())
    await using registry = registryClientFor()
    const error = await thrownBy(() =>
      registry.pushBlob({ registry: server.host, repository: 'a' }, descriptor, () => pieces(bytes)),
    )
    expect(error).toMatchObject({ code: 'ERR_PROTOCOL' })
  })

  test('an upload fed by a download from the same registry gets its permits, however few exist', async () => {
    const got: Buffer[] = []
    await using server = await startScriptedRegistry((request, response, number) => {
      if (request.method === 'POST') return session(request, response, number)
      if (request.method === 'PUT') return store(got)(request, response, number)
      return response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    })
    await using registry = registryClientFor({ concurrency: 1 })
    const repository = (name: string) => ({ registry: server.host, repository: name })
    const copy = () =>
      registry.pushBlob(repository('b'), descriptor, () => registry.fetchBlob(repository('a'), descriptor))
    await Promise.all([copy(), copy(), copy()])
    expect(got.map(body => body.equals(bytes))).toEqual([true, true, true])
  })
})

describe('mountBlob', () => {
  const mount = async (script: Script, from = 'team/base') => {
    await using server = await startScriptedRegistry(script)
    await using registry = registryClientFor()
    const target = { registry: server.host, repository: 'a' }
    const result = await registry.mountBlob(target, descriptor.digest, from).catch((error: unknown) => error)
    return { result, asked: asked(server), seen: server.seen }
  }

  test('distinguishes a mounted blob from one that must be sent', async () => {
    const mounted = await mount((_, response) => response.writeHead(201, { location: '/x' }).end())
    expect(mounted.result).toBe(true)
    expect(mounted.seen[0]!.path).toBe(
      `/v2/a/blobs/uploads/?mount=${encodeURIComponent(descriptor.digest)}&from=team%2Fbase`,
    )
    const started = await mount((request, response) =>
      response.writeHead(request.method === 'POST' ? 202 : 204, { location: '/u/1' }).end(),
    )
    expect(started.result).toBe(false)
    expect(started.asked).toEqual(['POST /v2/a/blobs/uploads/', 'DELETE /u/1'])
    const unsaid = await mount((_, response) => response.writeHead(202).end())
    expect(unsaid.result).toBe(false)
    expect(unsaid.asked).toHaveLength(1)
  })

  test('HT-25: a cancellation that fails does not matter', async () => {
    const { result } = await mount((request, response) =>
      response.writeHead(request.method === 'POST' ? 202 : 500, { location: '/u/1' }).end(),
    )
    expect(result).toBe(false)
  })

  test.each([400, 401, 403, 404, 405])('a registry that refuses (%d) did not mount', async status => {
    expect((await mount((_, response) => response.writeHead(status).end())).result).toBe(false)
  })

  test('a registry that fails is an error', async () => {
    expect((await mount((_, response) => response.writeHead(500).end())).result).toMatchObject({
      code: 'ERR_REGISTRY',
      status: 500,
    })
  })

  test('HT-25: the client detects that a registry mounted another blob', async () => {
    const headers = { 'docker-content-digest': `sha256:${'1'.repeat(64)}` }
    expect((await mount((_, response) => response.writeHead(201, headers).end())).result).toMatchObject({
      code: 'ERR_DIGEST_MISMATCH',
    })
  })

  test('an invalid repository name is refused', async () => {
    expect((await mount(() => {}, '../x')).result).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
  })
})

describe('statBlob', () => {
  const stat = async (script: Script) => {
    await using server = await startScriptedRegistry(script)
    await using registry = registryClientFor()
    return {
      result: await registry.statBlob({ registry: server.host, repository: 'a' }, descriptor.digest),
      asked: asked(server),
    }
  }

  test('reports the size by HEAD, and that a blob does not exist', async () => {
    expect(await stat((_, response) => response.writeHead(200, { 'content-length': 7 }).end())).toMatchObject({
      result: { size: 7 },
      asked: [/^HEAD/].map(() => expect.stringMatching(/^HEAD/)),
    })
    expect((await stat((_, response) => response.writeHead(404).end())).result).toBeUndefined()
  })

  test.each([
    ['a part', 206, { 'content-range': 'bytes 0-0/500000' }, 500_000],
    ['the whole blob', 200, { 'content-length': 500_000 }, 500_000],
    ['an empty blob', 416, { 'content-range': 'bytes */0' }, 0],
    ['a part of unknown total', 206, { 'content-range': 'bytes 0-0/*' }, undefined],
    ['no blob', 404, {}, undefined],
  ])('HT-20: if HEAD reports no length, requests one byte (answer: %s)', async (_, status, headers, size) => {
    for (const head of [200, 405]) {
      const { result, asked: all } = await stat((request, response) => {
        if (request.method === 'HEAD') return response.writeHead(head).end()
        response.writeHead(status, headers as Record<string, string>)
        return response.flushHeaders()
      })
      expect(result).toEqual(size === undefined ? undefined : { size })
      expect(all).toHaveLength(2)
    }
  })
})
