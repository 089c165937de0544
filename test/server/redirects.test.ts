import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import type { RegistryServerOptions } from '../../lib/server/index.ts'
import { createMemoryStore, readOnlyStore, type Store, type StoreDriver } from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { runningServer } from '../helpers/running-server.ts'

const BYTES = Buffer.from('the bytes of a blob')

/** A store in memory whose blobs have addresses at another server, which asks for no credentials. */
async function storeWithAddresses() {
  const store = createMemoryStore()
  const asked: string[] = []
  const outside = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ''} ${request.headers.authorization ?? ''}`.trim())
    response.end(BYTES)
  })
  await new Promise<void>(resolve => outside.listen(0, '127.0.0.1', resolve))
  const { port } = outside.address() as { port: number }
  const members: Partial<StoreDriver> = {
    addressOf: async (digest, { expiresIn }) => `http://127.0.0.1:${port}/${digest}?for=${expiresIn}`,
  }
  const driver = new Proxy(store, {
    get: (target, key) => {
      const member: unknown = Reflect.get(Object.hasOwn(members, key) ? members : target, key)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return {
    ...{ store: driver, asked },
    async [Symbol.asyncDispose]() {
      outside.closeAllConnections()
      await new Promise(resolve => outside.close(resolve))
    },
  }
}

async function served(store: Store, redirects: RegistryServerOptions['redirects']) {
  const server = await runningServer({ redirects }, store)
  const { digest } = await store.put(BYTES)
  return { ...server, path: `/v2/app/blobs/${digest}`, digest }
}

test('a GET of a blob is answered with the address of the store', async () => {
  await using outside = await storeWithAddresses()
  await using server = await served(outside.store, true)
  const { ask, path, digest } = server
  const answer = await ask('GET', path, { headers: { range: 'bytes=2-3' } })
  expect(answer).toMatchObject({ status: 307, body: Buffer.alloc(0) })
  expect(answer.headers.location).toMatch(new RegExp(`/${digest}\\?for=900$`))
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'docker-content-digest': digest })
  expect(await ask('HEAD', path)).toMatchObject({ status: 200, headers: { 'content-length': `${BYTES.length}` } })
  expect((await ask('GET', path, { headers: { 'if-none-match': `"${digest}"` } })).status).toBe(304)
  expect((await ask('GET', `/v2/app/blobs/sha256:${'0'.repeat(64)}`)).status).toBe(404)
})

test('the client of this library follows the address and verifies the bytes', async () => {
  await using outside = await storeWithAddresses()
  await using server = await served(outside.store, true)
  await using registry = registryClientFor()
  const descriptor = { mediaType: 'application/octet-stream', digest: server.digest, size: BYTES.length }
  const read = await readAll(registry.fetchBlob({ registry: new URL(server.url).host, repository: 'app' }, descriptor))
  expect(read).toEqual(BYTES)
  expect(outside.asked).toEqual([`/${server.digest}?for=900`])
})

test('a function decides for each request, and a read-only view has the addresses too', async () => {
  await using outside = await storeWithAddresses()
  const { digest } = await outside.store.put(BYTES)
  const redirects: RegistryServerOptions['redirects'] = ({ headers }) => headers['x-from'] === 'outside'
  await using server = await runningServer({ redirects }, readOnlyStore(outside.store))
  const get = (from: string) => server.ask('GET', `/v2/app/blobs/${digest}`, { headers: { 'x-from': from } })
  expect((await get('outside')).status).toBe(307)
  expect(await get('inside')).toMatchObject({ status: 200, body: BYTES })
})

test('a store without addresses is streamed, and without the option every store', async () => {
  await using plain = await served(createMemoryStore(), true)
  expect(await plain.ask('GET', plain.path)).toMatchObject({ status: 200, body: BYTES })
  await using outside = await storeWithAddresses()
  await using server = await served(outside.store, undefined)
  expect(await server.ask('GET', server.path)).toMatchObject({ status: 200, body: BYTES })
  await expect(runningServer({ redirects: 'yes' as unknown as boolean })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})
