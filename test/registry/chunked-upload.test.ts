import { describe, expect, test } from 'vitest'
import type { PushBlobOptions } from '../../lib/registry/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { uploadMemory } from '../helpers/upload-memory.ts'

const { bytes, descriptor } = sampleBlob(500_000)
const open = async function* () {
  for (let at = 0; at < bytes.length; at += 60_000) yield bytes.subarray(at, at + 60_000)
}

/** A registry's upload that a test can spoil. */
interface Upload {
  held: Buffer
  sessions: number
  done: Buffer | undefined
}
type Spoil = (...call: [...Parameters<Script>, Upload]) => unknown

/**
 * Pushes the blob in pieces to a registry that holds uploads as it should, except where `spoil` answers (not `false`).
 */
const push = async (
  options: PushBlobOptions,
  spoil: Spoil = () => false,
  head: Record<string, string> = {},
  source: () => AsyncIterable<Uint8Array> = open,
) => {
  const upload: Upload = { held: Buffer.alloc(0), sessions: 0, done: undefined }
  let number = 0
  await using server = await startScriptedRegistry(async (request, response) => {
    if ((await spoil(request, response, number++, upload)) !== false) return
    const place = {
      location: `/upload/${upload.sessions}?n=${number}`,
      range: `0-${Math.max(0, upload.held.length - 1)}`,
    }
    if (request.method === 'POST') {
      upload.sessions++
      upload.held = Buffer.alloc(0)
      return response.writeHead(202, { location: `/upload/${upload.sessions}?n=0`, ...head }).end()
    }
    if (request.method === 'GET') return response.writeHead(204, place).end()
    const body = await readAll(request).catch(() => undefined)
    if (!body) return response.destroy()
    if (request.method === 'DELETE') return response.writeHead(204).end()
    if (request.method === 'PUT') {
      upload.done = Buffer.concat([upload.held, body])
      if (upload.done.equals(bytes)) return response.writeHead(201).end()
      return response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}')
    }
    const [first] = request.headers['content-range']!.split('-').map(Number)
    if (first !== upload.held.length) return response.writeHead(416, place).end()
    upload.held = Buffer.concat([upload.held, body])
    return response.writeHead(202, { ...place, range: `0-${upload.held.length - 1}` }).end()
  })
  await using registry = registryClientFor()
  const to = { registry: server.host, repository: 'a' }
  const error = await registry.pushBlob(to, descriptor, source, options).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  const asked = server.seen.map(({ method }) => method)
  const ranges = server.seen.flatMap(({ headers }) => headers['content-range'] ?? [])
  return { error, asked, ranges, upload, isRight: upload.done?.equals(bytes) ?? false, seen: server.seen }
}
const once = (method: string, number: number, answer: Spoil): Spoil => {
  let seen = 0
  return (request, ...rest) => (request.method === method && seen++ === number ? answer(request, ...rest) : false)
}
const drainAnd = (answer: Parameters<Script>[1], request: Parameters<Script>[0], ...head: [number, object?]) =>
  request.resume().on('end', () => answer.writeHead(...(head as [number, Record<string, string>])).end())

describe('pushBlob in pieces', () => {
  test('sends them in order, each to the latest URL, and closes the upload without a body', async () => {
    const { error, asked, ranges, isRight, seen } = await push({ chunkBytes: 200_000 })
    expect(error).toBeUndefined()
    expect(isRight).toBe(true)
    expect(asked).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH', 'PUT'])
    expect(ranges).toEqual(['0-199999', '200000-399999', '400000-499999'])
    expect(seen.slice(1).map(({ path }) => path.split('&')[0])).toEqual([
      '/upload/1?n=0',
      '/upload/1?n=2',
      '/upload/1?n=3',
      '/upload/1?n=4',
    ])
    expect(seen.at(-1)!.headers['content-length']).toBe('0')
  })

  test('a blob that is not larger than a piece is sent whole', async () => {
    expect((await push({ chunkBytes: 500_000 })).asked).toEqual(['POST', 'PUT'])
  })

  test("pieces are at least as large as the registry's minimum", async () => {
    const { ranges } = await push({ chunkBytes: 1000 }, undefined, { 'oci-chunk-min-length': '300000' })
    expect(ranges).toEqual(['0-299999', '300000-499999'])
    for (const nonsense of ['-1', 'x', '1e3']) {
      const { ranges } = await push({ chunkBytes: 400_000 }, undefined, { 'oci-chunk-min-length': nonsense })
      expect(ranges).toHaveLength(2)
    }
  })

  test('a body refused as too large is sent in smaller pieces, whose size the client remembers for the registry', async () => {
    const max = 150_000
    let refused = 0
    await using server = await startScriptedRegistry(async (request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/u' }).end()
      const body = await readAll(request)
      if (body.length > max) {
        refused++
        return response.writeHead(413).end()
      }
      if (request.method === 'GET') return response.writeHead(204, { range: '0-0' }).end()
      const [, last] = (request.headers['content-range'] ?? '').split('-')
      return response.writeHead(request.method === 'PUT' ? 201 : 202, { range: `0-${last}` }).end()
    })
    await using registry = registryClientFor()
    for (let i = 0; i < 2; i++) {
      await registry.pushBlob({ registry: server.host, repository: 'a' }, descriptor, open)
      // 500,000, then 250,000, then 125,000.
      expect(refused).toBe(2)
    }
  })

  test('a registry that refuses even small pieces is an error', async () => {
    const { error } = await push({ chunkBytes: 200_000 }, (request, response) =>
      request.method === 'PATCH' ? drainAnd(response, request, 413) : false,
    )
    expect(error).toMatchObject({ code: 'ERR_REGISTRY', status: 413 })
  })

  test.each([
    ['says one byte less', { range: '0-199998' }, ['GET']],
    ['says one byte more', { range: '0-200000' }, ['GET']],
    ['says 0-0', { range: '0-0' }, ['GET']],
    ['names no range', {}, []],
    ['says nonsense', { range: 'all of it' }, []],
    ['says nonsense', { range: '5-199999' }, []],
    ['says nonsense', { range: '' }, []],
  ])(
    'HT-24: if the registry %s (%j), the client asks for the status only if that contradicts the bytes sent',
    async (_, headers, questions) => {
      const { error, isRight, asked } = await push(
        { chunkBytes: 200_000 },
        once('PATCH', 0, async (request, response, __, upload) => {
          upload.held = await readAll(request)
          response.writeHead(202, headers as Record<string, string>).end()
        }),
      )
      expect(error).toBeUndefined()
      expect(isRight).toBe(true)
      expect(asked).toEqual(['POST', 'PATCH', ...questions, 'PATCH', 'PATCH', 'PUT'])
    },
  )

  test.each([500, 503, 416, 429])(
    "HT-24: after status %d the upload resumes at the registry's offset",
    async status => {
      const { error, isRight, ranges } = await push(
        { chunkBytes: 200_000 },
        once('PATCH', 1, async (request, response, __, upload) => {
          upload.held = Buffer.concat([upload.held, (await readAll(request)).subarray(0, 777)])
          response.writeHead(status).end()
        }),
      )
      expect(error).toBeUndefined()
      expect(isRight).toBe(true)
      expect(ranges).toEqual(['0-199999', '200000-399999', '200777-400776', '400777-499999'])
    },
  )

  test("HT-13: after a broken connection the upload resumes at the registry's offset", async () => {
    const { error, isRight, asked } = await push(
      { chunkBytes: 200_000 },
      once('PATCH', 1, (request, _, __, upload) => {
        request.once('data', chunk => {
          upload.held = Buffer.concat([upload.held, chunk])
          request.socket.resetAndDestroy()
        })
      }),
    )
    expect(error).toBeUndefined()
    expect(isRight).toBe(true)
    expect(asked.slice(0, 5)).toEqual(['POST', 'PATCH', 'PATCH', 'GET', 'PATCH'])
  })

  test.each([
    ['is forgotten', (request: Parameters<Script>[0]) => request.method === 'PATCH', 404, {}, 3],
    [
      'has more than was sent',
      (request: Parameters<Script>[0]) => request.method !== 'POST',
      204,
      { range: '0-499999' },
      2,
    ],
  ])('HT-24: an upload that %s starts anew', async (_, hits, status, headers, sessions) => {
    let spoiled = 0
    const { error, isRight, upload } = await push({ chunkBytes: 200_000 }, (request, response) => {
      if (!hits(request) || spoiled >= 2) return false
      spoiled++
      return drainAnd(response, request, status, headers)
    })
    expect(error).toBeUndefined()
    expect(isRight).toBe(true)
    expect(upload.sessions).toBe(sessions)
  })

  test('the client gives up on a registry that loses every upload after a bounded number of tries', async () => {
    let pieces = 0
    const { error, upload } = await push({ chunkBytes: 100_000 }, (request, response) => {
      if (request.method !== 'PATCH' || pieces++ % 2 === 0) return false
      return drainAnd(response, request, 404)
    })
    expect(error).toMatchObject({ code: 'ERR_REGISTRY', message: expect.stringMatching(/lost the upload/) })
    expect(upload.sessions).toBeLessThan(10)
  })

  test.each([405, 501])('HT-24: a registry without pieces (%d) gets the blob whole', async status => {
    const { error, isRight, asked } = await push({ chunkBytes: 200_000 }, (request, response) =>
      request.method === 'PATCH' ? drainAnd(response, request, status) : false,
    )
    expect(error).toBeUndefined()
    expect(isRight).toBe(true)
    expect(asked).toEqual(['POST', 'PATCH', 'DELETE', 'POST', 'PUT'])
  })

  test('a registry that assembles the pieces wrongly gets the blob whole', async () => {
    const { error, isRight } = await push(
      { chunkBytes: 200_000 },
      once('PATCH', 1, async (request, response, _, upload) => {
        // The registry reports fewer bytes than it holds.
        const body = await readAll(request)
        upload.held = Buffer.concat([upload.held, body.subarray(0, 100), Buffer.from('!')])
        response.writeHead(202).end()
      }),
    )
    expect(error).toBeUndefined()
    expect(isRight).toBe(true)
  })

  test('a lost answer to the closing request does not lose the blob', async () => {
    const { error, asked } = await push({ chunkBytes: 200_000 }, (request, response, number) => {
      if (request.method === 'HEAD') return response.writeHead(200, { 'content-length': bytes.length }).end()
      if (request.method !== 'PUT') return false
      return number === 4 ? request.socket.resetAndDestroy() : drainAnd(response, request, 404)
    })
    expect(error).toBeUndefined()
    expect(asked.slice(4)).toEqual(['PUT', 'PUT', 'HEAD'])
  })

  test.each([
    ['longer', 500_001],
    ['shorter', 499_999],
  ])('a source that is %s than announced is an error, and nothing is kept', async (_, size) => {
    const source = async function* () {
      yield sampleBlob(size).bytes
    }
    const uploads = uploadMemory()
    const { error, asked } = await push({ chunkBytes: 200_000, uploads }, undefined, {}, source)
    expect(error).toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
    expect(asked.at(-1)).toBe('DELETE')
    expect(uploads.kept.size).toBe(0)
  })

  test('the source is read once if nothing fails, and reopened at the offset after a failure if `openAt` exists', async () => {
    const opened: number[] = []
    const openAt = async function* (offset: number) {
      opened.push(offset)
      yield bytes.subarray(offset)
    }
    await push({ chunkBytes: 50_000, openAt })
    expect(opened).toEqual([0])
    const { isRight } = await push(
      { chunkBytes: 50_000, openAt },
      once('PATCH', 3, (request, response) => drainAnd(response, request, 503)),
    )
    expect(isRight).toBe(true)
    expect(opened).toEqual([0, 0, 150_000])
  })

  test('a piece of no size is refused', async () => {
    for (const chunkBytes of [0, 1.5, -1]) {
      expect((await push({ chunkBytes })).error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
  })

  test('HT-23: a URL that the policy forbids is not followed between pieces either', async () => {
    const { error } = await push(
      { chunkBytes: 200_000 },
      once('PATCH', 0, (request, response) =>
        drainAnd(response, request, 202, { location: 'http://169.254.169.254/x', range: '0-199999' }),
      ),
    )
    expect(error).toMatchObject({ code: 'ERR_BLOCKED_URL' })
  })
})

describe('pushBlob with a memory', () => {
  test('an abort leaves the upload open, and the next call resumes it', async () => {
    const uploads = uploadMemory()
    const stop = new AbortController()
    const reason = new Error('enough')
    let asked: string[] = []
    let held = Buffer.alloc(0)
    await using server = await startScriptedRegistry(async (request, response) => {
      asked.push(request.method!)
      if (request.method === 'POST') return response.writeHead(202, { location: '/u?signed=secret' }).end()
      const range = () => ({ range: `0-${held.length - 1}` })
      if (request.method === 'GET') return response.writeHead(204, range()).end()
      held = Buffer.concat([held, await readAll(request)])
      if (held.length === 300_000) stop.abort(reason)
      return response.writeHead(request.method === 'PUT' ? 201 : 202, range()).end()
    })
    const to = { registry: server.host, repository: 'a' }
    const options = { chunkBytes: 100_000, uploads }
    await using first = registryClientFor()
    await expect(first.pushBlob(to, descriptor, open, { ...options, signal: stop.signal })).rejects.toBe(reason)
    expect(asked).not.toContain('DELETE')
    expect([...uploads.kept.keys()][0]).toMatch(/^[a-z0-9._:+-]{1,200}$/)
    asked = []
    await using second = registryClientFor()
    expect(await second.statUpload(to, descriptor.digest, uploads)).toBe(300_000)
    await second.pushBlob(to, descriptor, open, options)
    expect(asked).toEqual(['GET', 'GET', 'PATCH', 'PATCH', 'PUT'])
    expect(held.equals(bytes)).toBe(true)
    expect(uploads.kept.size).toBe(0)
  })

  test.each([
    [
      'names an unknown upload',
      () => new TextEncoder().encode('{"version":1,"location":"/upload/9"}'),
      ['GET', 'POST'],
    ],
    ['is of another version', () => new TextEncoder().encode('{"version":2,"location":"/u"}'), ['POST']],
    ['is damaged', () => new Uint8Array([1, 2, 3]), ['POST']],
  ])('an entry that %s costs one request at most', async (_, content, begins) => {
    const uploads = { ...uploadMemory(), get: async () => content() }
    const { error, isRight, asked } = await push({ chunkBytes: 200_000, uploads }, (request, response) =>
      request.method === 'GET' ? response.writeHead(404).end() : false,
    )
    expect(error).toBeUndefined()
    expect(isRight).toBe(true)
    expect(asked.slice(0, begins.length)).toEqual(begins)
  })

  test('an upload that holds more than the blob has is cancelled', async () => {
    const uploads = {
      ...uploadMemory(),
      get: async () => new TextEncoder().encode('{"version":1,"location":"/upload/9"}'),
    }
    const { error, asked } = await push({ chunkBytes: 200_000, uploads }, (request, response) =>
      request.method === 'GET' ? response.writeHead(204, { range: '0-999999' }).end() : false,
    )
    expect(error).toBeUndefined()
    expect(asked.slice(0, 3)).toEqual(['GET', 'DELETE', 'POST'])
  })

  test('an entry must pass the URL policy', async () => {
    const content = new TextEncoder().encode('{"version":1,"location":"http://169.254.169.254/upload"}')
    const { error, asked } = await push({ uploads: { ...uploadMemory(), get: async () => content } })
    expect(error).toMatchObject({ code: 'ERR_BLOCKED_URL' })
    expect(asked).toEqual([])
  })
})

test('two clients that resume one upload concurrently both succeed', async () => {
  const store = createMemoryStore()
  await using server = await serveStore(store, {})
  const uploads = uploadMemory()
  const blob = sampleBlob(2_000_000, 9)
  // The first client stops in its second piece until the others have begun to send, whatever is busy.
  let others = 0
  let meet!: () => void
  const met = new Promise<void>(resolve => {
    meet = resolve
  })
  const parts = (offset: number, isFirst: boolean) =>
    (async function* () {
      if (!isFirst && ++others === 2) meet()
      for (let at = offset; at < blob.bytes.length; at += 50_000) {
        if (isFirst && at > 100_000) await met
        await new Promise(resolve => setTimeout(resolve, 1))
        yield blob.bytes.subarray(at, at + 50_000)
      }
    })()
  const push = async (isFirst = false) => {
    await using client = registryClientFor({ retries: { tries: 50, maxDelayMs: 20 } })
    const openAt = (offset: number) => parts(offset, isFirst)
    const options = { uploads, chunkBytes: 100_000, openAt }
    return client.pushBlob({ registry: server.host, repository: 'a' }, blob.descriptor, () => openAt(0), options)
  }
  const first = push(true)
  await expect.poll(() => uploads.kept.size).toBe(1)
  // A client that begins anew when another one is done gets the blob mounted.
  expect(new Set(await Promise.all([first, push(), push()]))).toContain('uploaded')
  expect((await readAll(store.read(blob.descriptor.digest))).equals(blob.bytes)).toBe(true)
  expect(uploads.kept.size).toBe(0)
})
