import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { FetchBlobOptions } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf, sampleBlob } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const blob = sampleBlob(300_000)
const config = descriptorOf(Buffer.from('{}'), MediaType.OciConfig)
const document = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [] }))
const manifest = descriptorOf(document, MediaType.OciManifest)

type Response = Parameters<Script>[1]
/** Sends bytes as a proxy does that has compressed them. */
const coded = (
  response: Response,
  bytes: Uint8Array,
  coding = 'gzip',
  headers: Record<string, string> = {},
  status = 200,
) =>
  response.writeHead(status, { 'content-encoding': coding, 'content-type': 'application/json', ...headers }).end(bytes)
const ask = async <T>(
  script: Script,
  act: (registry: ReturnType<typeof registryClientFor>, host: string) => Promise<T>,
) => {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor({ retries: { tries: 2 } })
  return await act(registry, server.host).catch((error: unknown) => error as T)
}
const fetchManifest = (script: Script, reference: object = { tag: 'v' }) =>
  ask(script, async (registry, host) =>
    registry.fetchManifest({ registry: host, repository: 'a', ...reference } as never),
  )
const fetchBlob = (script: Script, descriptor: Descriptor, options?: FetchBlobOptions) =>
  ask(script, async (registry, host) =>
    readAll(registry.fetchBlob({ registry: host, repository: 'a' }, descriptor, options)),
  )

describe('the client removes a content coding that it did not request', () => {
  test.each([
    ['gzip', gzipSync(document)],
    ['X-GZip', gzipSync(document)],
    ['gzip, identity', gzipSync(document)],
    ['gzip, gzip', gzipSync(gzipSync(document))],
    ['gzip', document],
    ['identity', document],
    ['utf-8', document],
    ['aws-chunked', document],
    ['', document],
  ])('in a manifest (%s)', async (coding, bytes) => {
    const headers = { 'content-type': MediaType.OciManifest, 'docker-content-digest': manifest.digest }
    for (const reference of [{ tag: 'v' }, { digest: manifest.digest }]) {
      const result = await fetchManifest((_, response) => coded(response, bytes, coding, headers), reference)
      expect(result).toMatchObject({ descriptor: manifest })
    }
  })

  test('in the answers of a token service, of a list and of a refusal', async () => {
    const result = await ask(
      (request, response) => {
        if (request.url!.startsWith('/token')) return coded(response, gzipSync('{"token":"good"}'))
        const { authorization, host } = request.headers
        if (authorization === 'Bearer good') return coded(response, gzipSync('{"tags":["a","b"]}'))
        const challenge = { 'www-authenticate': `Bearer realm="http://${host}/token"` }
        return coded(response, gzipSync('{}'), 'gzip', challenge, 401)
      },
      async (registry, host) => {
        const tags: string[] = []
        for await (const tag of registry.listTags({ registry: host, repository: 'a' })) tags.push(tag)
        return tags
      },
    )
    expect(result).toEqual(['a', 'b'])
    const refusal = gzipSync('{"errors":[{"code":"DENIED","message":"not yours"}]}')
    expect(await fetchManifest((_, response) => coded(response, refusal, 'gzip', {}, 403))).toMatchObject({
      errors: [{ code: 'DENIED', message: 'not yours' }],
    })
  })

  test.each(['a config', 'a layer that is compressed too'])('in %s, with and without a length', async kind => {
    const bytes = kind === 'a config' ? blob.bytes : gzipSync(blob.bytes)
    const descriptor = descriptorOf(bytes, kind === 'a config' ? MediaType.OciConfig : MediaType.OciLayerZstd)
    const packed = gzipSync(bytes)
    for (const headers of [{}, { 'content-length': String(packed.length) }]) {
      for (const options of [{}, { borrow: true }, { parallel: 4 }]) {
        const got = await fetchBlob((_, response) => coded(response, packed, 'gzip', headers), descriptor, options)
        expect(Buffer.compare(got, bytes)).toBe(0)
      }
    }
  })

  test('in a blob whose connection breaks, which is then fetched from its start', async () => {
    const packed = gzipSync(blob.bytes)
    const ranges: unknown[] = []
    const got = await fetchBlob(
      (request, response, number) => {
        ranges.push(request.headers.range)
        if (number > 0) return coded(response, packed)
        response.writeHead(200, { 'content-encoding': 'gzip' })
        return response.write(packed.subarray(0, packed.length / 2), () => setTimeout(() => response.destroy(), 5))
      },
      descriptorOf(blob.bytes, MediaType.OciConfig),
    )
    expect(Buffer.compare(got, blob.bytes)).toBe(0)
    expect(ranges).toHaveLength(2)
  })
})

describe("the client keeps a layer's own compression that the answer calls a content coding", () => {
  const layer = gzipSync(blob.bytes)
  const descriptor = descriptorOf(layer, MediaType.OciLayerGzip)

  test('whether the answer has a length or not', async () => {
    for (const headers of [{}, { 'content-length': String(layer.length) }]) {
      const got = await fetchBlob((_, response) => coded(response, layer, 'gzip', headers), descriptor)
      expect(Buffer.compare(got, layer)).toBe(0)
    }
  })

  test('but it removes a coding around it if the length shows it', async () => {
    const packed = gzipSync(layer)
    const headers = { 'content-length': String(packed.length) }
    const got = await fetchBlob((_, response) => coded(response, packed, 'gzip', headers), descriptor)
    expect(Buffer.compare(got, layer)).toBe(0)
  })

  test("and it uses a part of it whose total is the blob's size", async () => {
    const got = await fetchBlob(
      (_, response) => {
        const range = { 'content-range': `bytes 100-${layer.length - 1}/${layer.length}` }
        coded(response, layer.subarray(100), 'gzip', range, 206)
      },
      descriptor,
      { offset: 100 },
    )
    expect(Buffer.compare(got, layer.subarray(100))).toBe(0)
  })
})

describe('a content coding that cannot be removed is an error', () => {
  test.each([
    ['br', brotliCompressSync(document)],
    ['deflate', deflateSync(document)],
    ['gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(document)))],
  ])('because it is unknown or too deep (%s)', async (coding, bytes) => {
    expect(await fetchManifest((_, response) => coded(response, bytes, coding))).toMatchObject({
      code: 'ERR_PROTOCOL',
      message: expect.stringContaining(`content coding ${coding} was not asked for, and cannot be undone: GET http://`),
    })
  })

  test('because it is damaged or ends early', async () => {
    const packed = gzipSync(document)
    const damaged = Buffer.from(packed)
    damaged[packed.length - 5]! ^= 1
    for (const bytes of [damaged, packed.subarray(0, -10)]) {
      expect(await fetchManifest((_, response) => coded(response, bytes))).toMatchObject({
        code: 'ERR_PROTOCOL',
        message: expect.stringContaining('content coding gzip is damaged'),
        cause: { code: 'ERR_INVALID_COMPRESSION' },
      })
    }
  })

  test("because it decodes to more than a document's limit, or needs more input than that without output", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    expect(await fetchManifest((_, response) => coded(response, bomb))).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    const nothing = gzipSync('')
    const many = Buffer.alloc(5 * 1024 * 1024, Buffer.concat(new Array(100).fill(nothing)))
    expect(await fetchManifest((_, response) => coded(response, many))).toMatchObject({
      code: 'ERR_LIMIT_EXCEEDED',
      what: 'manifest bytes, coded,',
    })
  })

  test("because it decodes to more than the blob's size", async () => {
    const result = await fetchBlob(
      (_, response) => coded(response, gzipSync(Buffer.alloc(8 * 1024 * 1024))),
      descriptorOf(Buffer.from('{}'), MediaType.OciConfig),
    )
    expect(result).toMatchObject({ code: 'ERR_SIZE_MISMATCH', expected: 2 })
  })
})
