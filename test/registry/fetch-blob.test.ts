import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startRawServer } from '../helpers/start-raw-server.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const { bytes, descriptor } = sampleBlob(300_000)
const firstByte = (range: string | undefined) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
const sendPart = (response: ServerResponse, from: number, to = bytes.length) => {
  const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`
  response.writeHead(from === 0 ? 200 : 206, {
    'content-length': bytes.length - from,
    ...(from === 0 ? {} : { 'content-range': range }),
  })
  if (to === bytes.length) response.end(bytes.subarray(from))
  else response.write(bytes.subarray(from, to), () => setTimeout(() => response.destroy(), 5))
}
const fetchFrom = async (script: Script, offset?: number) => {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor()
  const repository = { registry: server.host, repository: 'a' }
  try {
    return { seen: server.seen, got: await readAll(registry.fetchBlob(repository, descriptor, { offset })) }
  } catch (error) {
    return { seen: server.seen, error: error as Error & { code: string } }
  }
}
const ranges = (seen: { headers: { range?: string | undefined } }[]) => seen.map(({ headers }) => headers.range)

describe('fetchBlob', () => {
  test('HT-22: requests the bytes without coding, and uses wire bytes whatever coding the answer names', async () => {
    const { got, seen } = await fetchFrom((_, response) => {
      response.setHeader('content-encoding', 'gzip')
      sendPart(response, 0)
    })
    expect(got?.equals(bytes)).toBe(true)
    expect(seen[0]).toMatchObject({
      path: `/v2/a/blobs/${descriptor.digest}`,
      headers: { 'accept-encoding': 'identity' },
    })
  })

  test('from an offset on, asks for that range and delivers it', async () => {
    const { got, seen } = await fetchFrom(
      (request, response) => sendPart(response, firstByte(request.headers.range)),
      299_990,
    )
    expect(got?.equals(bytes.subarray(299_990))).toBe(true)
    expect(ranges(seen)).toEqual(['bytes=299990-'])
  })

  test('an offset at the end sends no request', async () => {
    const { got, seen } = await fetchFrom(() => {}, 300_000)
    expect(got?.length).toBe(0)
    expect(seen).toEqual([])
  })

  test.each([-1, 0.5, 300_001, Number.NaN])('an offset of %d is refused', async offset => {
    expect((await fetchFrom(() => {}, offset)).error?.code).toBe('ERR_INVALID_ARGUMENT')
  })

  test('HT-10, HT-13: a download that breaks off resumes there', async () => {
    const { got, seen } = await fetchFrom((request, response, number) =>
      sendPart(response, firstByte(request.headers.range), number < 3 ? 70_000 * (number + 1) : undefined),
    )
    expect(got?.equals(bytes)).toBe(true)
    expect(ranges(seen)).toEqual([undefined, 'bytes=70000-', 'bytes=140000-', 'bytes=210000-'])
  })

  test('HT-10: a chunked body that ends early but cleanly resumes, and is an error if every try ends early', async () => {
    const once = await fetchFrom((request, response, number) => {
      if (number > 0) return sendPart(response, firstByte(request.headers.range))
      response.write(bytes.subarray(0, 1000))
      return response.end()
    })
    expect(once.got?.equals(bytes)).toBe(true)
    const always = await fetchFrom((_, response) => response.end(bytes.subarray(0, 1000)))
    expect(always.error?.code).toBe('ERR_SIZE_MISMATCH')
    const chunked = await fetchFrom((_, response) => {
      response.write(bytes.subarray(0, 1000))
      response.end()
    })
    expect(chunked.error?.code).toBe('ERR_NETWORK')
    expect(chunked.seen).toHaveLength(5)
  })

  test('HT-13: a download survives any number of cuts with progress between them', async () => {
    const big = sampleBlob(12 * 1024 * 1024)
    await using server = await startScriptedRegistry((request, response, number) => {
      const from = firstByte(request.headers.range)
      const headers = { 'content-range': `bytes ${from}-${big.bytes.length - 1}/${big.bytes.length}` }
      response.writeHead(from === 0 ? 200 : 206, from === 0 ? {} : headers)
      if (number === 10) response.end(big.bytes.subarray(from))
      else response.write(big.bytes.subarray(from, from + 1_100_000), () => setTimeout(() => response.destroy(), 20))
    })
    await using registry = registryClientFor()
    const got = await readAll(registry.fetchBlob({ registry: server.host, repository: 'a' }, big.descriptor))
    expect(got.equals(big.bytes)).toBe(true)
    expect(server.seen).toHaveLength(11)
  })

  test('HT-13: the client gives up on a server that cuts after every few bytes', async () => {
    const { error, seen } = await fetchFrom((request, response) => {
      const from = firstByte(request.headers.range)
      sendPart(response, from, from + 10)
    })
    expect(error?.code).toBe('ERR_NETWORK')
    expect(seen).toHaveLength(5)
  })

  test('HT-14: a server that answers a range with the whole blob costs time, never a wrong byte', async () => {
    const { got } = await fetchFrom((_, response, number) => sendPart(response, 0, number === 0 ? 123_457 : undefined))
    expect(got?.equals(bytes)).toBe(true)
    const late = await fetchFrom((_, response) => sendPart(response, 0), 250_001)
    expect(late.got?.equals(bytes.subarray(250_001))).toBe(true)
  })

  test.each([
    ['another start', 206, { 'content-range': `bytes 9-299999/300000` }],
    ['no Content-Range', 206, {}],
    ['two Content-Ranges', 206, { 'content-range': 'bytes 1000-299999/300000, bytes 1000-299999/300000' }],
    ['another total', 206, { 'content-range': 'bytes 1000-299999/300001' }],
    ['an end past the blob', 206, { 'content-range': 'bytes 1000-300000/*' }],
    [
      'a length that is not that of the range',
      206,
      { 'content-range': 'bytes 1000-299999/300000', 'content-length': 7 },
    ],
    ['several parts', 206, { 'content-type': 'multipart/byteranges; boundary=x' }],
    ['no such range', 416, {}],
  ])('HT-15, HT-16: after %s, the whole blob is asked for instead', async (_, status, headers) => {
    const { got, seen } = await fetchFrom((_request, response, number) => {
      if (number > 0) return sendPart(response, 0)
      response.writeHead(status, headers as Record<string, string>)
      response.flushHeaders()
      return response.write('wrong')
    }, 1000)
    expect(got?.equals(bytes.subarray(1000))).toBe(true)
    expect(ranges(seen)).toEqual(['bytes=1000-', undefined])
  })

  test.each([400, 403, 405, 412, 501])(
    'after a refused range (%d) the client requests the whole blob',
    async status => {
      for (const parallel of [1, 2]) {
        const big = sampleBlob(9 * 1024 * 1024)
        await using server = await startScriptedRegistry((request, response) =>
          request.headers.range ? response.writeHead(status).end() : response.end(big.bytes),
        )
        await using registry = registryClientFor()
        const from = { registry: server.host, repository: 'a' }
        const got = await readAll(registry.fetchBlob(from, big.descriptor, { offset: 9, parallel }))
        expect(got.equals(big.bytes.subarray(9))).toBe(true)
        expect(server.seen.filter(({ headers }) => headers.range === undefined)).toHaveLength(1)
      }
    },
  )

  test('a blob that the server refuses, whole and in part, is an error with the refusal', async () => {
    const { error, seen } = await fetchFrom((_, response) => response.writeHead(403).end(), 9)
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', status: 403 })
    expect(ranges(seen)).toEqual(['bytes=9-', undefined])
  })

  test('HT-15: the client refuses a 206 to a request for the whole blob', async () => {
    const { error } = await fetchFrom((_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-299999/300000' }).end(bytes)
    })
    expect(error?.code).toBe('ERR_PROTOCOL')
  })

  test('HT-16: a 416 of a registry whose blob has another size is a size mismatch', async () => {
    const { error } = await fetchFrom((_, response) => {
      response.writeHead(416, { 'content-range': 'bytes */1000' }).end()
    }, 1000)
    expect(error).toMatchObject({ code: 'ERR_SIZE_MISMATCH', expected: 300_000, actual: 1000 })
  })

  test('the client uses a shorter range than requested, and requests the rest', async () => {
    const { got, seen } = await fetchFrom((request, response) => {
      const from = firstByte(request.headers.range)
      if (from !== 1000) return sendPart(response, from)
      response.writeHead(206, { 'content-range': 'bytes 1000-1999/*' })
      return response.end(bytes.subarray(1000, 2000))
    }, 1000)
    expect(got?.equals(bytes.subarray(1000))).toBe(true)
    expect(ranges(seen)).toEqual(['bytes=1000-', 'bytes=2000-'])
  })

  test('a missing blob has its own error code, and is requested once', async () => {
    const { error, seen } = await fetchFrom((_, response) => {
      const errors = [{ code: 'BLOB_UNKNOWN', message: 'blob unknown' }]
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }))
    })
    expect(error).toMatchObject({ code: 'ERR_REMOTE_BLOB_NOT_FOUND', status: 404, errors: [{ code: 'BLOB_UNKNOWN' }] })
    expect(seen).toHaveLength(1)
  })

  test('leaving the loop early closes the connection and releases the permit', async () => {
    await using server = await startScriptedRegistry((_, response) => response.write(bytes.subarray(0, 100_000)))
    await using registry = registryClientFor({ concurrency: 1 })
    for (let i = 0; i < 3; i++) {
      for await (const _ of registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor)) break
    }
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test('an abort in the middle rejects with the reason at once and closes the connection', async () => {
    await using server = await startScriptedRegistry((_, response) => response.write(bytes.subarray(0, 100_000)))
    await using registry = registryClientFor()
    const stop = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => stop.abort(reason), 50)
    const repository = { registry: server.host, repository: 'a' }
    const error = await thrownBy(() => readAll(registry.fetchBlob(repository, descriptor, { signal: stop.signal })))
    expect(error).toBe(reason)
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test('HT-36: two contradictory lengths are invalid HTTP', async () => {
    await using server = await startRawServer(socket => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello')
    })
    await using registry = registryClientFor()
    const error = await thrownBy(() =>
      readAll(registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor)),
    )
    expect(error).toMatchObject({ code: 'ERR_PROTOCOL', retryable: false })
  })

  test('HT-36: headers of 60 KiB are accepted, longer ones refused', async () => {
    const sized = (size: number) =>
      fetchFrom((_, response) => {
        response.setHeader('x-long', 'x'.repeat(size))
        sendPart(response, 0)
      })
    expect((await sized(60 * 1024)).got?.equals(bytes)).toBe(true)
    expect((await sized(70 * 1024)).error).toMatchObject({ code: 'ERR_PROTOCOL' })
  })
})
