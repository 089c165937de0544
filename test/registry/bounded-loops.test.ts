import { describe, expect, test } from 'vitest'
import { MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient, RegistryClientOptions } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf, sampleBlob } from '../helpers/sample-blob.ts'
import { startRawServer } from '../helpers/start-raw-server.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/* Each row of the table «Bounds» in lib/registry/README.md; lists and uploads have files of their own. */

const MIB = 1024 * 1024
const config = descriptorOf(Buffer.from('{}'), MediaType.OciConfig)
const subject = descriptorOf(Buffer.from('subject'), MediaType.OciManifest)
const signed = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [], subject }),
)
type Act = (registry: RegistryClient, host: string) => Promise<unknown>
const fetchTag: Act = (registry, host) => registry.fetchManifest({ registry: host, repository: 'a', tag: 'v' })

/** Resolves to the outcome of an act and the number of its requests. */
async function end(script: Script, act: Act = fetchTag, options: RegistryClientOptions = {}) {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor(options)
  const error = await thrownBy(() => act(registry, server.host))
  return { error, requests: server.seen.length, seen: server.seen }
}

describe('every loop against a registry that never ends it is bounded', () => {
  test.each([100, 102, 103])('interim answers (%d)', async status => {
    let sent = 0
    await using server = await startRawServer(socket => {
      const head = `HTTP/1.1 ${status} Go on\r\nlink: </x>\r\n\r\n`.repeat(50)
      const more = () => {
        if (socket.destroyed) return
        sent += 50
        socket.write(head, () => setImmediate(more))
      }
      socket.once('data', more)
    })
    await using registry = registryClientFor()
    const push = () =>
      registry.pushManifest({ registry: server.host, repository: 'a' }, { bytes: signed, descriptor: subject })
    for (const act of [() => fetchTag(registry, server.host), push]) {
      const error = await thrownBy(act)
      expect(error).toMatchObject({
        code: 'ERR_PROTOCOL',
        message: expect.stringMatching(/more than 100 interim answers/),
      })
    }
    await expect.poll(() => server.connections.size).toBe(0)
    expect(sent).toBeLessThan(20_000)
  })

  test('interim answers of a proxy', async () => {
    await using proxy = await startRawServer(socket => {
      const head = 'HTTP/1.1 103 Go on\r\n\r\n'.repeat(50)
      const more = () => void (socket.destroyed || socket.write(head, () => setImmediate(more)))
      socket.once('data', more)
    })
    await using registry = registryClientFor({ proxy: `http://${proxy.host}` })
    const error = await thrownBy(() => fetchTag(registry, 'registry.test'))
    expect(error).toMatchObject({ code: 'ERR_NETWORK', status: 103, method: 'CONNECT', url: `http://${proxy.host}/` })
  })

  test('a few interim answers are accepted', async () => {
    await using server = await startScriptedRegistry((_, response) => {
      for (let i = 0; i < 50; i++) response.writeEarlyHints({ link: '</x>; rel=preload' })
      response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(signed)
    })
    await using registry = registryClientFor()
    expect(await fetchTag(registry, server.host)).toMatchObject({ descriptor: { size: signed.length } })
  })

  test('redirects', async () => {
    const { error, requests } = await end((_, response, number) =>
      response.writeHead(307, { location: `/there?${number}` }).end(),
    )
    expect(error).toMatchObject({ code: 'ERR_PROTOCOL', message: expect.stringMatching(/more than 10 redirects/) })
    expect(requests).toBe(11)
  })

  test('redirects of a body, in its bytes', async () => {
    const { bytes, descriptor } = sampleBlob(2 * MIB)
    let received = 0
    const { error } = await end(
      async (request, response, number) => {
        if (request.method === 'POST') return response.writeHead(202, { location: '/u' }).end()
        received += (await readAll(request)).length
        return response.writeHead(request.method === 'DELETE' ? 204 : 307, { location: `/u?${number}` }).end()
      },
      (registry, host) =>
        registry.pushBlob({ registry: host, repository: 'a' }, descriptor, async function* () {
          yield bytes
        }),
    )
    expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 6 * bytes.length + MIB })
    expect(received).toBeLessThanOrEqual(6 * bytes.length + MIB)
  })

  test('challenges', async () => {
    const { error, seen } = await end((request, response, number) => {
      if (request.url!.startsWith('/token')) return response.end(`{"token":"t${number}"}`)
      const more = `error="insufficient_scope",scope="repository:a${number}:pull"`
      const challenge = `Bearer realm="http://${request.headers.host}/token",${more}`
      return response.writeHead(401, { 'www-authenticate': challenge }).end()
    })
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
    expect(seen.filter(({ path }) => path.startsWith('/v2/'))).toHaveLength(3)
    expect(seen.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2)
  })

  test('failures of a request, with and without `Retry-After`', async () => {
    for (const headers of [{}, { 'retry-after': '0' }]) {
      const { error, requests } = await end((_, response) => response.writeHead(503, headers).end())
      expect([error, requests]).toMatchObject([{ status: 503 }, 5])
    }
  })

  test('documents that break off', async () => {
    const { error, requests } = await end((_, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('{', () => response.destroy())
    })
    expect([error, requests]).toMatchObject([{ code: 'ERR_NETWORK' }, 5])
  })

  test('blobs that break off a little later each time and are sent again whole', async () => {
    const { bytes, descriptor } = sampleBlob(8 * MIB)
    let sent = 0
    const { error, requests } = await end(
      (_, response, number) => {
        const part = bytes.subarray(0, (number + 1) * MIB + 1)
        sent += part.length
        response.writeHead(200, { 'content-length': bytes.length })
        response.write(part, () => setTimeout(() => response.destroy(), 5))
      },
      (registry, host) => readAll(registry.fetchBlob({ registry: host, repository: 'a' }, descriptor)),
      { retries: { tries: 2 } },
    )
    expect(error).toMatchObject({
      code: 'ERR_LIMIT_EXCEEDED',
      what: expect.stringMatching(/received/),
      limit: 25 * MIB,
    })
    expect(requests).toBeLessThan(9)
    expect(sent).toBeLessThan(34 * MIB)
  })

  test('blobs that break off after a few bytes, whole or in parts', async () => {
    const { bytes, descriptor } = sampleBlob(9 * MIB)
    for (const parallel of [1, 2]) {
      const { error, requests } = await end(
        (request, response) => {
          const [, first = '0', last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
          const range = `bytes ${first}-${last || bytes.length - 1}/${bytes.length}`
          response.writeHead(request.headers.range ? 206 : 200, request.headers.range ? { 'content-range': range } : {})
          response.write(bytes.subarray(Number(first), Number(first) + 1000), () =>
            setTimeout(() => response.destroy(), 5),
          )
        },
        (registry, host) => readAll(registry.fetchBlob({ registry: host, repository: 'a' }, descriptor, { parallel })),
      )
      expect([error, requests]).toMatchObject([{ code: 'ERR_NETWORK' }, 5])
    }
  })

  test('URLs of a foreign layer', async () => {
    const { descriptor } = sampleBlob(10)
    const { error, requests } = await end(
      (_, response) => response.writeHead(404).end(),
      (registry, host) => {
        const urls = Array.from({ length: 1000 }, (_, i) => `http://${host}/elsewhere/${i}`)
        const options = { foreign: true }
        return readAll(registry.fetchBlob({ registry: host, repository: 'a' }, { ...descriptor, urls }, options))
      },
    )
    expect([error, requests]).toMatchObject([{ code: 'ERR_REMOTE_BLOB_NOT_FOUND' }, 17])
  })

  test('a list of referrers that other programs overwrite each time', async () => {
    const { error, seen } = await end(
      (request, response) =>
        request.method === 'PUT'
          ? request.resume().on('end', () => response.writeHead(201).end())
          : response.writeHead(404, { 'docker-distribution-api-version': 'registry/2.0' }).end(),
      (registry, host) =>
        registry.pushManifest(
          { registry: host, repository: 'a' },
          { bytes: signed, descriptor: descriptorOf(signed, MediaType.OciManifest) },
        ),
    )
    expect(error).toMatchObject({ code: 'ERR_REGISTRY', message: expect.stringMatching(/does not stay as written/) })
    expect(seen.filter(({ path }) => path.includes('/sha256-'))).toHaveLength(9)
  })

  test('mirrors, each with two tries', async () => {
    await using mirror = await startScriptedRegistry((_, response) => response.writeHead(503).end())
    await using other = await startScriptedRegistry((_, response) => response.writeHead(503).end())
    await using own = await startScriptedRegistry((_, response) => response.writeHead(503).end())
    await using registry = registryClientFor({ hosts: { [own.host]: { mirrors: [mirror.host, other.host] } } })
    expect(await thrownBy(() => fetchTag(registry, own.host))).toMatchObject({ status: 503 })
    expect([mirror, other, own].map(({ seen }) => seen.length)).toEqual([2, 2, 5])
  })

  test('kept connections that close without an answer', async () => {
    let connections = 0
    await using server = await startRawServer(socket => {
      connections++
      let requests = 0
      socket.on('data', () => {
        const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
        if (requests++ === 0) socket.write(ok)
        else socket.resetAndDestroy()
      })
    })
    await using registry = registryClientFor()
    const tags = async () => {
      for await (const _ of registry.listTags({ registry: server.host, repository: 'a' }));
    }
    for (let i = 0; i < 4; i++) await tags()
    expect(connections).toBe(4)
  })
})
