import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const { bytes, descriptor } = sampleBlob(100_000)
const pour = (response: ServerResponse) => {
  const more = () => response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more))
  more()
}

describe('a blob that is longer than announced', () => {
  test.each([
    ['by one byte', (response: ServerResponse) => void response.write(Buffer.concat([bytes, Buffer.from('x')]))],
    ['without end', pour],
  ])('HT-11: %s is cut off there, and nothing beyond is delivered', async (_, send) => {
    await using server = await startScriptedRegistry((_request, response) => send(response))
    await using registry = registryClientFor()
    let delivered = 0
    const error = await thrownBy(async () => {
      for await (const chunk of registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor))
        delivered += chunk.length
    })
    expect(error).toMatchObject({ code: 'ERR_SIZE_MISMATCH', expected: 100_000 })
    expect(delivered).toBeLessThanOrEqual(100_000)
    expect(server.seen).toHaveLength(1)
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test('HT-11: is refused before the first byte if the registry admits it', async () => {
    await using server = await startScriptedRegistry((_, response) =>
      response.writeHead(200, { 'content-length': 100_001 }).write(bytes),
    )
    await using registry = registryClientFor()
    const iterator = registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor)[Symbol.asyncIterator]()
    expect(await thrownBy(() => iterator.next())).toMatchObject({ code: 'ERR_SIZE_MISMATCH', actual: 100_001 })
    await expect.poll(() => server.connections.size).toBe(0)
  })
})
