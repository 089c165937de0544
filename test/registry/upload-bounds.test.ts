import { describe, expect, test } from 'vitest'
import type { PushBlobOptions, RegistryClientOptions } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const { bytes, descriptor } = sampleBlob(200_000)
const open = async function* () {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000)
}
interface Upload {
  /** Bytes that the registry says it holds. */
  held: number
  sessions: number
}
type Answer = (response: Parameters<Script>[1], body: Buffer, upload: Upload, method: string) => unknown

/** Pushes the blob to a registry that never has all of it; how that ended, and what it cost. */
async function pushInto(answer: Answer, options: PushBlobOptions = {}, client: RegistryClientOptions = {}) {
  const upload: Upload = { held: 0, sessions: 0 }
  const cost = { requests: 0, bytes: 0 }
  await using server = await startScriptedRegistry(async (request, response) => {
    const body = await readAll(request)
    cost.requests++
    cost.bytes += body.length
    if (request.method === 'DELETE') return response.writeHead(204).end()
    if (request.method === 'POST') {
      upload.sessions++
      upload.held = 0
      return response.writeHead(202, { location: '/u' }).end()
    }
    if (request.method === 'HEAD') return response.writeHead(500).end()
    if (request.method === 'GET') return response.writeHead(204, { range: `0-${upload.held - 1}` }).end()
    return answer(response, body, upload, request.method!)
  })
  await using registry = registryClientFor(client)
  const target = { registry: server.host, repository: 'a' }
  const result = await registry.pushBlob(target, descriptor, open, options).catch((error: unknown) => error)
  return { result, upload, ...cost }
}
const range = ({ held }: Upload) => ({ range: `0-${held - 1}` })
/** Six times the blob and 1 MiB. */
const MOST_BYTES = 6 * bytes.length + 1024 * 1024

describe('an upload that a registry never completes is bounded', () => {
  test('if it accepts a few bytes of each piece', async () => {
    const {
      result,
      requests,
      bytes: sent,
    } = await pushInto(
      (response, _, upload) => {
        upload.held += 10
        response.writeHead(202, range(upload)).end()
      },
      { chunkBytes: 50_000 },
    )
    expect(result).toMatchObject({ code: 'ERR_PROTOCOL', message: expect.stringMatching(/upload holds 0-\d+, not 0-/) })
    expect(requests).toBeLessThan(20)
    expect(sent).toBeLessThan(MOST_BYTES)
  })

  test('if it loses the upload again and again, each time a piece later', async () => {
    const {
      result,
      upload,
      requests,
      bytes: sent,
    } = await pushInto(
      (response, body, upload) => {
        if (upload.held >= upload.sessions * 8000) return response.writeHead(404).end()
        upload.held += body.length
        return response.writeHead(202, range(upload)).end()
      },
      { chunkBytes: 8000 },
    )
    expect(result).toMatchObject({
      code: 'ERR_LIMIT_EXCEEDED',
      limit: MOST_BYTES,
      what: expect.stringMatching(/bytes sent/),
    })
    expect(upload.sessions).toBeGreaterThan(10)
    expect(sent).toBeLessThanOrEqual(MOST_BYTES)
    expect(requests).toBeLessThan(1000)
  })

  test('if it resets the upload after each failure', async () => {
    const { result, requests } = await pushInto(
      (response, body, upload) => {
        upload.held = upload.held > 0 ? 0 : body.length
        return response.writeHead(upload.held > 0 ? 202 : 503, range(upload)).end()
      },
      { chunkBytes: 50_000 },
    )
    expect(result).toMatchObject({ code: 'ERR_REGISTRY', status: 503 })
    expect(requests).toBeLessThan(25)
  })

  test('if the closing request fails each time with another status', async () => {
    const statuses = [409, 416, 404, 400, 409, 416, 404, 400, 409, 416, 404, 400]
    const { result, requests } = await pushInto(
      (response, body, upload, method) => {
        upload.held += body.length
        return response.writeHead(method === 'PUT' ? statuses.shift()! : 202, range(upload)).end()
      },
      { chunkBytes: 50_000 },
    )
    expect(result).toMatchObject({ code: 'ERR_REGISTRY' })
    expect(requests).toBeLessThan(60)
  })

  test('if it demands ever smaller pieces', async () => {
    const { result, requests } = await pushInto((response, body, upload) => {
      const isSmall = body.length <= 70_000 && upload.sessions > 0
      return response.writeHead(isSmall && body.length > 65_536 ? 202 : 413, {}).end()
    })
    expect(result).toMatchObject({ status: 413 })
    expect(requests).toBeLessThan(20)
  })

  test('in its bytes, by the configured number of tries', async () => {
    const all = await pushInto(
      (response, _, __, method) => response.writeHead(method === 'PUT' ? 503 : 202).end(),
      {},
      {
        retries: { tries: 9 },
      },
    )
    expect(all).toMatchObject({ result: { status: 503 }, bytes: 9 * bytes.length })
  })
})
