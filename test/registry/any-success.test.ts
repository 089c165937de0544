import { describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import type { PushBlobOptions } from '../../lib/registry/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf, sampleBlob } from '../helpers/sample-blob.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const blob = sampleBlob(100_000)
const open = async function* () {
  yield blob.bytes
}
const bytes = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptorOf(Buffer.from('{}'), MediaType.OciConfig), layers: [] }),
)
const manifest = { bytes, descriptor: descriptorOf(bytes, MediaType.OciManifest) }

/** A registry that keeps what it is sent, and answers one method with another success than it should. */
async function startMixedUp(method: string, status: number) {
  const held: Buffer[] = []
  const rightly: Record<string, number> = { POST: 202, PATCH: 202, PUT: 201, DELETE: 202 }
  const server = await startScriptedRegistry(async (request, response) => {
    const body = await readAll(request)
    if (request.method !== 'POST') held.push(body)
    const range = `0-${Buffer.concat(held).length - 1}`
    const code = request.method === method ? status : (rightly[request.method!] ?? 200)
    response.writeHead(code, { location: '/v2/a/blobs/uploads/1', range }).end()
  })
  return { server, held: () => Buffer.concat(held) }
}

describe('the client accepts any success status', () => {
  const numbers = [200, 201, 202, 203, 204]
  const ways: [string, string, PushBlobOptions][] = [
    ['opens an upload', 'POST', {}],
    ['opens an upload without a mount', 'POST', { mount: false }],
    ['takes a piece', 'PATCH', { chunkBytes: 40_000 }],
    ['takes a blob whole', 'PUT', {}],
    ['closes an upload', 'PUT', { chunkBytes: 40_000 }],
  ]
  test.each(ways.flatMap(([act, ...way]) => numbers.map(number => [act, number, ...way] as const)))(
    'where a registry %s with %d',
    async (_, number, method, options) => {
      const { server, held } = await startMixedUp(method, number)
      await using _server = server
      await using registry = registryClientFor()
      const target = { registry: server.host, repository: 'a' }
      expect(await registry.pushBlob(target, blob.descriptor, open, options)).toBe('uploaded')
      expect(held().equals(blob.bytes)).toBe(true)
    },
  )

  test.each(numbers)('when a registry stores or deletes a manifest, a tag or a blob with %d', async number => {
    const { server } = await startMixedUp('DELETE', number)
    await using _server = server
    const { server: keeper, held } = await startMixedUp('PUT', number)
    await using _keeper = keeper
    await using registry = registryClientFor()
    await registry.pushManifest({ registry: keeper.host, repository: 'a' }, manifest, 'v')
    expect(held().equals(bytes)).toBe(true)
    const target = { registry: server.host, repository: 'a' }
    expect(await registry.deleteTag(target, 'v')).toBe(true)
    expect(await registry.deleteBlob(target, blob.descriptor.digest)).toBe(true)
  })

  test('the client accepts document and blob with 203, the answer of a proxy that changed a header', async () => {
    await using server = await startScriptedRegistry((request, response) =>
      response.writeHead(203).end(request.url!.includes('/blobs/') ? blob.bytes : bytes),
    )
    await using registry = registryClientFor()
    const from = { registry: server.host, repository: 'a' }
    expect((await registry.fetchManifest({ ...from, digest: manifest.descriptor.digest })).bytes).toEqual(bytes)
    expect((await readAll(registry.fetchBlob(from, blob.descriptor))).equals(blob.bytes)).toBe(true)
  })
})

describe('a blob of another algorithm than sha256', () => {
  test.each(['sha512', 'blake3'] as const)('is announced (%s) when its upload begins', async algorithm => {
    const digest = await digestOf(blob.bytes, { algorithm })
    const descriptor = { ...blob.descriptor, digest }
    const asked: string[] = []
    await using server = await startScriptedRegistry(async (request, response) => {
      asked.push(request.url!)
      await readAll(request)
      response.writeHead(request.method === 'POST' ? 202 : 201, { location: '/u' }).end()
    })
    await using registry = registryClientFor()
    const target = { registry: server.host, repository: 'a' }
    await registry.pushBlob(target, descriptor, open, { mount: false })
    await registry.pushBlob(target, descriptor, open, { mount: { from: 'b' } })
    await registry.pushBlob(target, blob.descriptor, open, { mount: false })
    const mount = encodeURIComponent(digest)
    expect(asked.filter(path => path.startsWith('/v2/'))).toEqual([
      `/v2/a/blobs/uploads/?digest-algorithm=${algorithm}`,
      `/v2/a/blobs/uploads/?mount=${mount}&from=b&digest-algorithm=${algorithm}`,
      '/v2/a/blobs/uploads/',
    ])
  })

  test.each([{}, { chunkBytes: 40_000 }])("is stored by this library's server (%j)", async options => {
    const store = createMemoryStore()
    await using server = await serveStore(store, {})
    await using registry = registryClientFor()
    const digest = await digestOf(blob.bytes, { algorithm: 'sha512' })
    const target = { registry: server.host, repository: 'a' }
    await registry.pushBlob(target, { ...blob.descriptor, digest }, open, { mount: false, ...options })
    expect((await readAll(store.read(digest))).equals(blob.bytes)).toBe(true)
  })
})
