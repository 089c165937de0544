import { describe, expect, test } from 'vitest'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const MiB = 1024 * 1024
const { bytes, descriptor } = sampleBlob(22 * MiB + 5)

/** A registry with ranges, and how many requests it served at a time. */
const serve = (spoil: Script = () => false) => {
  const state = { now: 0, most: 0 }
  const script: Script = (request, response, number) => {
    state.now++
    state.most = Math.max(state.most, state.now)
    response.on('close', () => state.now--)
    if (spoil(request, response, number) !== false) return
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    if (first === undefined) return response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    const end = last ? Number(last) : bytes.length - 1
    const range = `bytes ${first}-${end}/${bytes.length}`
    const body = bytes.subarray(Number(first), end + 1)
    response.writeHead(206, { 'content-range': range, 'content-length': body.length })
    return setTimeout(() => response.end(body), 50)
  }
  return { script, state }
}
const fetch = async (script: Script, options: { parallel?: number; offset?: number; signal?: AbortSignal } = {}) => {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor()
  const blob = registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor, { parallel: 4, ...options })
  const result = await readAll(blob).catch((error: unknown) => error)
  return {
    result,
    isRight: Buffer.isBuffer(result) && result.equals(bytes.subarray(options.offset ?? 0)),
    ranges: server.seen.map(({ headers }) => headers.range),
  }
}

describe('fetchBlob in parallel ranges', () => {
  test('delivers the bytes in order, from any offset, with that many concurrent requests', async () => {
    for (const offset of [0, 1, 5 * MiB + 3]) {
      const { script, state } = serve()
      const { isRight, ranges } = await fetch(script, { offset, parallel: 3 })
      expect(isRight).toBe(true)
      expect(ranges).toHaveLength(Math.ceil((bytes.length - offset) / (4 * MiB)))
      expect(state.most).toBe(3)
    }
  })

  test('a caller that borrows gets the right bytes in memory that is used again', async () => {
    await using server = await startScriptedRegistry(serve().script)
    await using registry = registryClientFor()
    const options = { parallel: 2, borrow: true }
    const copies: Buffer[] = []
    const memory = new Set<ArrayBufferLike>()
    for await (const chunk of registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor, options)) {
      copies.push(Buffer.from(chunk))
      memory.add(chunk.buffer)
    }
    expect(Buffer.concat(copies).equals(bytes)).toBe(true)
    // Six parts, of which two are held at a time.
    expect(memory.size).toBe(2)
  })

  test('a small rest is read in one stream', async () => {
    const { ranges, isRight } = await fetch(serve().script, { offset: bytes.length - MiB })
    expect(isRight).toBe(true)
    expect(ranges).toEqual([`bytes=${bytes.length - MiB}-`])
  })

  test('HT-14: a registry without ranges gets one range request, then one stream', async () => {
    const { script } = serve((_, response) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes))
    const { ranges, isRight } = await fetch(script)
    expect(isRight).toBe(true)
    expect(ranges).toEqual([`bytes=0-${4 * MiB - 1}`, undefined])
  })

  test.each([
    ['another part', (i: number) => ({ 'content-range': `bytes ${i + 1}-${i + 4 * MiB}/${bytes.length}` })],
    ['another total', (i: number) => ({ 'content-range': `bytes ${i}-${i + 4 * MiB - 1}/${bytes.length + 1}` })],
    ['missing', () => ({})],
  ])('HT-15: a part whose range is %s is not used', async (_, head) => {
    const { script } = serve((request, response) => {
      const first = Number(/=(\d+)-\d/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN)
      if (first !== 8 * MiB) return false
      return response.writeHead(206, head(first)).end(bytes.subarray(0, 4 * MiB))
    })
    const { isRight, ranges } = await fetch(script)
    expect(isRight).toBe(true)
    expect(ranges.at(-1)).toBe(`bytes=${8 * MiB}-`)
  })

  test('a part that is longer than it should be is not used', async () => {
    const { script } = serve((request, response) => {
      const first = Number(/=(\d+)-\d/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN)
      if (first !== 4 * MiB) return false
      const range = `bytes ${first}-${first + 4 * MiB - 1}/${bytes.length}`
      return response.writeHead(206, { 'content-range': range }).end(bytes.subarray(first, first + 4 * MiB + 1))
    })
    expect((await fetch(script)).isRight).toBe(true)
  })

  test('HT-10: a part that breaks off is fetched again', async () => {
    const { script } = serve((request, response, number) => {
      if (number !== 2) return false
      const [, first, last] = /=(\d+)-(\d+)/.exec(request.headers.range!)!
      response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${bytes.length}`, 'content-length': 4 * MiB })
      return response.write(bytes.subarray(0, 1000), () => response.destroy())
    })
    const { isRight, ranges } = await fetch(script)
    expect(isRight).toBe(true)
    expect(ranges).toHaveLength(7)
  })

  test('HT-10: a part that ends early without a length is fetched again', async () => {
    const { script } = serve((request, response, number) => {
      if (number !== 1) return false
      const [, first, last] = /=(\d+)-(\d+)/.exec(request.headers.range!)!
      return response
        .writeHead(206, { 'content-range': `bytes ${first}-${last}/${bytes.length}`, connection: 'close' })
        .end(bytes.subarray(Number(first), Number(first) + 1000))
    })
    expect((await fetch(script)).isRight).toBe(true)
  })

  test('a part that always fails ends the fetch, and an abort or an early end stops all parts', async () => {
    const failing = serve((_, response, number) => (number === 3 ? response.writeHead(404).end() : false))
    expect((await fetch(failing.script)).result).toMatchObject({ code: 'ERR_REMOTE_BLOB_NOT_FOUND' })
    const stop = new AbortController()
    const reason = new Error('enough')
    const hanging = serve((_, __, number) => (number === 3 ? stop.abort(reason) : number > 0 ? undefined : false))
    expect((await fetch(hanging.script, { signal: stop.signal })).result).toBe(reason)
    const { script, state } = serve()
    await using server = await startScriptedRegistry(script)
    await using registry = registryClientFor()
    for await (const _ of registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor, { parallel: 4 }))
      break
    await expect.poll(() => state.now).toBe(0)
  })

  test('holds no more parts than allowed while the caller is slow', async () => {
    const { script } = serve()
    await using server = await startScriptedRegistry(script)
    await using registry = registryClientFor()
    const blob = registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor, { parallel: 2 })
    let position = 0
    for await (const chunk of blob) {
      position += chunk.byteLength
      if (server.seen.length < 6) await new Promise(resolve => setTimeout(resolve, 2))
      expect(server.seen.length).toBeLessThanOrEqual(Math.ceil(position / (4 * MiB)) + 2)
    }
    expect(position).toBe(bytes.length)
  })

  test.each([0, 17, 1.5])('%d concurrent ranges are refused', async parallel => {
    expect((await fetch(serve().script, { parallel })).result).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})
