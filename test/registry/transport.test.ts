import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { MediaType } from '../../lib/oci/index.ts'
import { createRegistryClient, type RegistryClientOptions } from '../../lib/registry/index.ts'
import { NodeTransport } from '../../lib/registry/transport/node-transport.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf, sampleBlob } from '../helpers/sample-blob.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { startRawServer } from '../helpers/start-raw-server.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

const { bytes, descriptor } = sampleBlob(200_000)
const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptorOf(Buffer.from('{}'), MediaType.OciConfig), layers: [] }),
)
const fetchFrom = async (host: string, options: RegistryClientOptions = {}) => {
  await using registry = registryClientFor(options)
  return registry.fetchManifest({ registry: host, repository: 'a', tag: 'v' })
}
const failure = async (host: string, options: RegistryClientOptions = {}) => {
  const error = await thrownBy(() => fetchFrom(host, options))
  return { error }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a registry that cannot be reached', () => {
  test('because no process listens, is not tried a hundred times', async () => {
    const gone = await startRawServer(() => {})
    await gone.stop()
    const { error } = await failure(gone.host, { retries: { tries: 100, baseDelayMs: 5000, maxDelayMs: 5000 } })
    expect(error).toMatchObject({ code: 'ERR_NETWORK', retryable: true, cause: { code: 'ECONNREFUSED' } })
  })

  test('because its name does not resolve, is reported at once', async () => {
    const { error } = await failure('nowhere.invalid')
    expect(error).toMatchObject({ code: 'ERR_NETWORK' })
    expect((error.cause as { code: string }).code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/)
  })

  test('because it does not speak HTTP, is a protocol error', async () => {
    await using server = await startRawServer(socket => socket.end('220 mail.example ESMTP\r\n'))
    expect((await failure(server.host)).error).toMatchObject({ code: 'ERR_PROTOCOL', retryable: false })
  })

  test('because it speaks no TLS, is reported without a retry', async () => {
    await using server = await startScriptedRegistry((_, response) => response.end())
    const { error } = await failure(server.host, { plainHttp: () => false })
    expect(error).toMatchObject({ code: 'ERR_NETWORK', retryable: false })
  })
})

describe('TLS', () => {
  const start = async () => {
    const certificate = selfSignedCertificate()
    const server = createServer(certificate, (_, response) =>
      response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(manifest),
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const stop = async () => {
      server.closeAllConnections()
      server.close()
    }
    const { port } = server.address() as AddressInfo
    return { host: `127.0.0.1:${port}`, port, cert: certificate.cert, [Symbol.asyncDispose]: stop }
  }
  const tls = { plainHttp: () => false }

  test('HT-32: a certificate of an unknown authority is refused at once', async () => {
    await using server = await start()
    const { error } = await failure(server.host, tls)
    expect(error).toMatchObject({
      code: 'ERR_NETWORK',
      retryable: false,
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
  })

  test('HT-32: a certificate of an authority that the caller names is accepted, for its names only', async () => {
    await using server = await start()
    expect((await fetchFrom(server.host, { ...tls, ca: server.cert })).bytes).toHaveLength(manifest.length)
    const { error } = await failure(`127.0.0.2:${server.port}`, { ...tls, ca: [server.cert] })
    expect(error.code).toBe('ERR_NETWORK')
  })

  test('HT-32: the certificate is not verified for registries in `insecure`, and only for those', async () => {
    await using server = await start()
    expect((await fetchFrom(server.host, { ...tls, insecure: [server.host] })).bytes).toHaveLength(manifest.length)
    expect((await failure(server.host, { ...tls, insecure: ['other.example'] })).error.code).toBe('ERR_NETWORK')
  })
})

describe('waiting', () => {
  const retries = { tries: 2, baseDelayMs: 1 }

  test('HT-17: for a head that never arrives ends', async () => {
    await using server = await startRawServer(() => {})
    const { error } = await failure(server.host, { retries, timeouts: { answerMs: 100 } })
    expect(error).toMatchObject({ code: 'ERR_NETWORK', retryable: true, cause: { code: 'ETIMEDOUT' } })
  })

  test('ends at once if the signal aborts before the request is opened', async () => {
    await using server = await startRawServer(() => {})
    // Longer than the time of a test.
    const long = 600_000
    const timeouts = { connectMs: long, answerMs: long, uploadAnswerMs: long, idleMs: long }
    const transport = new NodeTransport({ timeouts })
    const stop = new AbortController()
    const url = new URL(`http://${server.host}/v2/`)
    const sent = transport.exchange({ method: 'GET', url, headers: {}, signal: stop.signal })
    const reason = new Error('enough')
    stop.abort(reason)
    expect(await thrownBy(() => sent)).toBe(reason)
    transport.close()
  })

  test('HT-17: for a head that drips in ends', async () => {
    await using server = await startRawServer(socket => {
      const drip = setInterval(() => socket.write('H'), 20)
      socket.on('close', () => clearInterval(drip))
      socket.write('HTTP/1.1 200 OK\r\nX: ')
    })
    expect((await failure(server.host, { retries, timeouts: { answerMs: 100 } })).error).toMatchObject({
      code: 'ERR_NETWORK',
    })
  })

  test('HT-17: for a TLS handshake that never completes ends', async () => {
    await using server = await startRawServer(() => {})
    const { error } = await failure(server.host, { retries, plainHttp: () => false, timeouts: { connectMs: 100 } })
    expect(error).toMatchObject({ code: 'ERR_NETWORK', cause: { code: 'ETIMEDOUT', syscall: 'connect' } })
  })

  test('HT-17: for a body that stalls ends, and for one slower than 1 KiB/s', async () => {
    for (const every of [0, 40]) {
      await using server = await startScriptedRegistry((_, response) => {
        response.writeHead(200, { 'content-type': MediaType.OciManifest, 'content-length': 100_000 })
        response.write('x')
        if (every === 0) return
        const drip = setInterval(() => response.write('x'), every)
        response.on('close', () => clearInterval(drip))
      })
      const { error } = await failure(server.host, { retries, timeouts: { idleMs: 150 } })
      expect(error).toMatchObject({ code: 'ERR_NETWORK', cause: { code: 'ETIMEDOUT' } })
    }
  })

  test('for a slow consumer does not count against the registry', async () => {
    const { bytes: big, descriptor: blob } = sampleBlob(4_000_000)
    await using server = await startScriptedRegistry((_, response) => response.end(big))
    await using registry = registryClientFor({ timeouts: { idleMs: 500 } })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    let size = 0
    for await (const chunk of registry.fetchBlob({ registry: server.host, repository: 'a' }, blob)) {
      if (size === 0) await vi.advanceTimersByTimeAsync(1200)
      size += chunk.length
    }
    expect(size).toBe(big.length)
    expect(server.seen).toHaveLength(1)
  })

  test('for a registry that stops reading an upload, or never answers it, ends', async () => {
    for (const reads of [true, false]) {
      await using server = await startScriptedRegistry((request, response) => {
        if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end()
        if (request.method === 'DELETE') return response.writeHead(204).end()
        return reads ? request.resume() : request.pause()
      })
      await using registry = registryClientFor({ retries, timeouts: { idleMs: 100, uploadAnswerMs: 100 } })
      const big = sampleBlob(20_000_000)
      const error = await thrownBy(() =>
        registry.pushBlob({ registry: server.host, repository: 'a' }, big.descriptor, async function* () {
          yield big.bytes.subarray(0, 10_000_000)
          yield big.bytes.subarray(10_000_000)
        }),
      )
      expect(error).toMatchObject({ code: 'ERR_NETWORK', cause: { code: 'ETIMEDOUT' } })
    }
  })

  test('ends with an abort at once, in every phase', async () => {
    const reason = new Error('enough')
    await using silent = await startRawServer(() => {})
    await using failing = await startScriptedRegistry((_, response) => response.writeHead(503).end())
    for (const host of [silent.host, failing.host]) {
      await using registry = createRegistryClient({
        credentials: false,
        retries: { baseDelayMs: 1e6, maxDelayMs: 1e6 },
      })
      const signal = AbortSignal.any([AbortSignal.timeout(60_000), abortIn(100, reason)])
      const error = await thrownBy(() => registry.resolve({ registry: host, repository: 'a', tag: 'v' }, { signal }))
      expect(error).toBe(reason)
    }
    await expect.poll(() => silent.connections.size).toBe(0)
  })

  test('ends with an abort in the queue, and the permit goes to the next request', async () => {
    const reason = new Error('enough')
    await using server = await startScriptedRegistry((_, response) => void response.write(bytes.subarray(0, 10)))
    await using registry = registryClientFor({ concurrency: 1 })
    const repository = { registry: server.host, repository: 'a' }
    const holder = registry.fetchBlob(repository, descriptor)[Symbol.asyncIterator]()
    await holder.next()
    const waiting = thrownBy(() => readAll(registry.fetchBlob(repository, descriptor, { signal: abortIn(50, reason) })))
    const next = registry.fetchBlob(repository, descriptor)[Symbol.asyncIterator]()
    const first = next.next()
    expect(await waiting).toBe(reason)
    expect(server.seen).toHaveLength(1)
    await holder.return!()
    expect((await first).value).toHaveLength(10)
    await next.return!()
    const aborted = await thrownBy(() =>
      registry.statBlob(repository, descriptor.digest, { signal: AbortSignal.abort(reason) }),
    )
    expect(aborted).toBe(reason)
  })
})

const abortIn = (ms: number, reason: Error) => {
  const stop = new AbortController()
  setTimeout(() => stop.abort(reason), ms)
  return stop.signal
}

describe('places', () => {
  test('number four for blobs and one more for documents', async () => {
    const waiting: (() => void)[] = []
    await using server = await startScriptedRegistry((request, response) => {
      if (request.url!.includes('manifests')) {
        return response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(manifest)
      }
      return waiting.push(() => response.end(bytes))
    })
    await using registry = registryClientFor()
    const repository = { registry: server.host, repository: 'a' }
    const blobs = Promise.all(Array.from({ length: 10 }, () => readAll(registry.fetchBlob(repository, descriptor))))
    await expect.poll(() => waiting.length).toBe(4)
    await registry.fetchManifest({ ...repository, tag: 'v' })
    expect(waiting).toHaveLength(4)
    for (const more of [8, 10, 10]) {
      for (const answer of waiting.splice(0)) answer()
      await expect.poll(() => server.seen.length).toBe(more + 1)
    }
    expect((await blobs).every(got => got.equals(bytes))).toBe(true)
  })

  test.each([0, -1, 1.5, Number.NaN])('cannot be %d', concurrency => {
    expect(() => createRegistryClient({ concurrency })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    )
  })
})

test('HT-29: the client replaces a kept connection that the registry closed without using up a try', async () => {
  const served = new Set<unknown>()
  await using server = await startScriptedRegistry((request, response) => {
    // The server resets the connection on its second request, as if it had timed out at that moment.
    if (served.has(request.socket)) return request.socket.resetAndDestroy()
    served.add(request.socket)
    return response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(manifest)
  })
  await using registry = registryClientFor({ retries: { tries: 1 } })
  for (let i = 0; i < 4; i++) await registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'v' })
  expect(served.size).toBe(4)
})

test('the process ends by itself, without close, as soon as there is nothing to do', async () => {
  await using server = await startScriptedRegistry((_, response) =>
    response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(manifest),
  )
  const library = transpileLibrary()
  const program = `
    const { createRegistryClient } = await import(${JSON.stringify(`${library}/registry/index.js`)})
    const registry = createRegistryClient({ credentials: false })
    await registry.fetchManifest({ registry: '${server.host}', repository: 'a', tag: 'v' })
    console.log('fetched', process.getActiveResourcesInfo().filter(name => name === 'Timeout').length)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = readAll(child.stdout)
  let endedAt = 0
  child.stdout.on('data', () => (endedAt = performance.now()))
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
  expect((await output).toString()).toBe('fetched 0\n')
  // The connection is still open at both ends; it must not hold the process for its 30 seconds.
  expect(performance.now() - endedAt).toBeLessThan(29_000)
})
