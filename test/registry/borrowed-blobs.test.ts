import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { FetchBlobOptions, RegistryClientOptions } from '../../lib/registry/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { standstill } from '../helpers/settle.ts'
import { startRawServer } from '../helpers/start-raw-server.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const MIB = 1024 * 1024
const { bytes, descriptor } = sampleBlob(5_000_001)
type Blob = ReturnType<typeof sampleBlob>

afterEach(() => {
  vi.useRealTimers()
})

/** A server that answers with the given bytes; `from` is the start of the requested range. */
const startServer = (answer: (socket: Socket, from: number, number: number) => unknown) => {
  let number = 0
  return startRawServer(socket => {
    socket.on('data', data => {
      const from = Number(/range: bytes=(\d+)-/i.exec(data.toString('latin1'))?.[1] ?? 0)
      void answer(socket, from, number++)
    })
  })
}
const head = (from = 0, size = bytes.length) =>
  from === 0
    ? `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`
    : `HTTP/1.1 206 Partial\r\nContent-Length: ${size - from}\r\nContent-Range: bytes ${from}-${size - 1}/${size}\r\n\r\n`
const whole = (from = 0, of: Buffer = bytes) => Buffer.concat([Buffer.from(head(from, of.length)), of.subarray(from)])

interface Fetch extends FetchBlobOptions {
  readonly client?: RegistryClientOptions
  readonly blob?: Blob
  readonly onChunk?: (chunk: Uint8Array) => unknown
}
/** Fetches a blob with borrowed chunks, and copies each before it asks for the next. */
const fetchFrom = async (host: string, { client = {}, blob = { bytes, descriptor }, onChunk, ...options }: Fetch) => {
  await using registry = registryClientFor(client)
  const copies: Buffer[] = []
  const repository = { registry: host, repository: 'a' }
  for await (const chunk of registry.fetchBlob(repository, blob.descriptor, { borrow: true, ...options })) {
    copies.push(Buffer.from(chunk))
    await onChunk?.(chunk)
  }
  return Buffer.concat(copies)
}

describe('a blob whose chunks are borrowed is whole', () => {
  test('if head and body arrive in small pieces, cut anywhere', async () => {
    await using server = await startServer(async socket => {
      socket.setNoDelay(true)
      const all = whole()
      for (let at = 0, size = 1; at < all.length; size = at < 200 ? 7 : (size * 3) % 300_007) {
        socket.write(all.subarray(at, at + size))
        at += size
        if (at < 1000 || at % 5 === 0) await sleep(1)
      }
    })
    expect((await fetchFrom(server.host, {})).equals(bytes)).toBe(true)
  })

  test.each([MIB - 1, MIB, MIB + 1, 1.5 * MIB, 2 * MIB - 1, 2 * MIB, 3 * MIB + 1])(
    'if head and body arrive at once, with %i bytes',
    async size => {
      const blob = sampleBlob(size)
      await using server = await startServer(socket => socket.write(whole(0, blob.bytes)))
      expect((await fetchFrom(server.host, { blob })).equals(blob.bytes)).toBe(true)
    },
  )

  test('if it has a chunked transfer coding, or no length', async () => {
    await using server = await startScriptedRegistry((_, response, number) => {
      if (number === 1) response.shouldKeepAlive = response.useChunkedEncodingByDefault = false
      response.write(bytes.subarray(0, 2_000_000))
      response.end(bytes.subarray(2_000_000))
    })
    expect((await fetchFrom(server.host, {})).equals(bytes)).toBe(true)
    expect((await fetchFrom(server.host, {})).equals(bytes)).toBe(true)
  })

  test('if the consumer is slow and the server fast', async () => {
    await using server = await startServer(socket => socket.write(whole()))
    expect((await fetchFrom(server.host, { onChunk: () => sleep(5) })).equals(bytes)).toBe(true)
  })

  test('if several are fetched concurrently, over connections that were used before and after', async () => {
    const blobs = [1, 2, 3, 4, 5, 6].map(seed => sampleBlob(3_000_000 + seed, seed))
    await using server = await startScriptedRegistry((request, response) => {
      const { bytes: body } = blobs.find(({ descriptor: { digest } }) => request.url!.endsWith(digest))!
      response.writeHead(200, { 'content-length': body.length }).end(body)
    })
    await using registry = registryClientFor()
    const repository = { registry: server.host, repository: 'a' }
    const fetch = async ({ bytes: expected, descriptor: blob }: Blob) => {
      await registry.statBlob(repository, blob.digest)
      const copies: Buffer[] = []
      for await (const chunk of registry.fetchBlob(repository, blob, { borrow: true })) {
        await sleep(chunk.byteLength % 3)
        copies.push(Buffer.from(chunk))
      }
      return Buffer.concat(copies).equals(expected) && (await registry.statBlob(repository, blob.digest))
    }
    expect(await Promise.all(blobs.map(fetch))).toEqual(blobs.map(({ descriptor: { size } }) => ({ size })))
  })

  test('if the fetch begins in the middle', async () => {
    await using server = await startServer((socket, from) => socket.write(whole(from)))
    expect((await fetchFrom(server.host, { offset: 1_234_567 })).equals(bytes.subarray(1_234_567))).toBe(true)
  })

  test('if a store ingests the stream', async () => {
    await using server = await startServer(socket => socket.write(whole()))
    await using registry = registryClientFor()
    await using store = createMemoryStore()
    const content = registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor, { borrow: true })
    expect(await store.put(content, descriptor)).toMatchObject({ size: bytes.length, digest: descriptor.digest })
  })
})

describe('chunks that are', () => {
  const keep = async (options: FetchBlobOptions) => {
    await using server = await startServer(socket => socket.write(whole()))
    const kept: Uint8Array[] = []
    await fetchFrom(server.host, { ...options, onChunk: chunk => kept.push(chunk) })
    return kept
  }

  test('borrowed lie in reused memory', async () => {
    const kept = await keep({})
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(1)
    expect(Buffer.concat(kept).equals(bytes)).toBe(false)
  })

  test('not borrowed keep their bytes', async () => {
    expect(Buffer.concat(await keep({ borrow: false })).equals(bytes)).toBe(true)
  })

  test('not borrowed keep their bytes if the consumer is slower than the connection', async () => {
    await using server = await startServer(socket => socket.write(whole()))
    const kept: Uint8Array[] = []
    const onChunk = async (chunk: Uint8Array) => {
      kept.push(chunk)
      await sleep(20)
    }
    await fetchFrom(server.host, { borrow: false, onChunk })
    expect(Buffer.concat(kept).equals(bytes)).toBe(true)
  })

  test('borrowed keep their bytes until the next one is requested, whatever else is fetched', async () => {
    await using server = await startServer(socket => socket.write(whole()))
    let position = 0
    const other = sampleBlob(5_000_001, 9)
    await using others = await startServer(socket => socket.write(whole(0, other.bytes)))
    await fetchFrom(server.host, {
      onChunk: async chunk => {
        if (position < 2_000_000) await fetchFrom(others.host, { blob: other })
        expect(Buffer.compare(chunk, bytes.subarray(position, position + chunk.byteLength))).toBe(0)
        position += chunk.byteLength
      },
    })
    expect(position).toBe(bytes.length)
  })
})

describe('a connection of borrowed chunks', () => {
  test('that sends more than it announced is closed, and the surplus ignored', async () => {
    await using server = await startServer(socket =>
      socket.write(Buffer.concat([whole(), Buffer.from('HTTP/1.1 200')])),
    )
    await using registry = registryClientFor()
    for (let i = 0; i < 2; i++) {
      let size = 0
      const repository = { registry: server.host, repository: 'a' }
      for await (const chunk of registry.fetchBlob(repository, descriptor, { borrow: true })) size += chunk.byteLength
      expect(size).toBe(bytes.length)
    }
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test.each(['end', 'resetAndDestroy'] as const)(
    'that breaks (%s) is replaced, and the download resumes there',
    async how => {
      const seen: number[] = []
      await using server = await startServer((socket, from, number) => {
        seen.push(from)
        if (number > 2) return socket.write(whole(from))
        socket.write(whole(from).subarray(0, 1_500_000), () => setTimeout(() => socket[how](), 20))
      })
      expect((await fetchFrom(server.host, {})).equals(bytes)).toBe(true)
      expect(seen).toHaveLength(4)
      expect(seen.every((from, i) => i === 0 || from > seen[i - 1]!)).toBe(true)
    },
  )

  test('that always breaks is a retryable error', async () => {
    await using server = await startServer((socket, from) => socket.end(whole(from).subarray(0, 200_000)))
    const error = await thrownBy(() => fetchFrom(server.host, { client: { retries: { tries: 2 } } }))
    expect(error).toMatchObject({ code: 'ERR_NETWORK', retryable: true, cause: { code: 'ECONNRESET' } })
  })

  test.each([0, 40])('that stalls, or drips every %i ms, ends after its time limit', async every => {
    await using server = await startServer(socket => {
      socket.write(whole().subarray(0, 1000))
      const drip = every > 0 ? setInterval(() => socket.write('x'), every) : undefined
      socket.on('close', () => clearInterval(drip))
    })
    const client = { retries: { tries: 1 }, timeouts: { idleMs: 150 } }
    const error = await thrownBy(() => fetchFrom(server.host, { client }))
    expect(error).toMatchObject({ code: 'ERR_NETWORK', cause: { code: 'ETIMEDOUT' } })
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test('does not time out for a slow consumer', async () => {
    await using server = await startServer(socket => socket.write(whole()))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    let chunks = 0
    const onChunk = async () => {
      if (chunks++ < 3) await vi.advanceTimersByTimeAsync(200)
    }
    const got = await fetchFrom(server.host, { client: { timeouts: { idleMs: 100 } }, onChunk })
    expect(got.equals(bytes)).toBe(true)
  })

  test('ends when the signal fires, with its reason', async () => {
    const stop = new AbortController()
    await using server = await startServer(socket => socket.write(whole().subarray(0, 2_000_000)))
    const onChunk = () => void setTimeout(() => stop.abort(new Error('enough')), 50)
    const error = await thrownBy(() => fetchFrom(server.host, { signal: stop.signal, onChunk }))
    expect(error.message).toBe('enough')
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test('ends when the caller leaves the loop', async () => {
    await using server = await startServer(socket => socket.write(whole()))
    await using registry = registryClientFor()
    for await (const _ of registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor, {
      borrow: true,
    })) {
      break
    }
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test('is refused before a byte of it is read, if the head announces another size', async () => {
    await using server = await startServer(socket => socket.write(whole(0, Buffer.alloc(6_000_000))))
    expect(await thrownBy(() => fetchFrom(server.host, {}))).toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
    await expect.poll(() => server.connections.size).toBe(0)
  })

  test('is read only as far as the ring has room while the consumer is busy', async () => {
    const blob = sampleBlob(60_000_000)
    let sent = 0
    await using server = await startServer(async socket => {
      const all = whole(0, blob.bytes)
      for (let at = 0; at < all.length; at += 100_000) {
        await new Promise<unknown>(resolve => socket.write(all.subarray(at, at + 100_000), resolve))
        sent = at
      }
    })
    let size = 0
    const onChunk = async (chunk: Uint8Array) => {
      if (size === 0) await standstill(() => sent)
      // The socket buffers on both sides, and the ring.
      expect(sent - size).toBeLessThan(20_000_000)
      size += chunk.byteLength
    }
    expect((await fetchFrom(server.host, { blob, onChunk })).equals(blob.bytes)).toBe(true)
  })
})
