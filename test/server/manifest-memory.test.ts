import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ManifestMemory } from '../../lib/server/manifests/manifest-memory.ts'
import type { Store } from '../../lib/store/index.ts'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'

const MIB = 1024 * 1024

function largeImage(seed: string, bytes = MIB) {
  return rawImage(seed, { annotations: { note: 'y'.repeat(bytes) } })
}

/** Announces a manifest and sends the start of its body. */
function stalledPut(registry: RunningServer, bytes: number) {
  const { hostname, port } = new URL(registry.url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  socket.write(`PUT /v2/app/manifests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n{"schemaVersion":2,`)
  return socket
}

/** Counts the reads of a store. */
function countReads(store: Store): { count: number } {
  const reads = { count: 0 }
  const { read } = store
  store.read = (...args) => {
    reads.count++
    return read.apply(store, args)
  }
  return reads
}

test('concurrent manifests are processed as far as their memory allows', async () => {
  await using registry = await runningServer({ manifestMemoryBytes: 4.5 * MIB })
  const { put } = registry.store
  let [now, most] = [0, 0]
  registry.store.put = async (...args) => {
    most = Math.max(most, ++now)
    // As long as the next manifest takes to arrive on a busy machine.
    await delay(100)
    now--
    return put.apply(registry.store, args)
  }
  const images = Array.from({ length: 10 }, (_, i) => largeImage(`${i}`))
  await Promise.all(images.map((image, i) => pushImage(registry.url, 'app', `${i}`, image)))
  // Three quarters of the memory are for large manifests.
  expect(most).toBeLessThanOrEqual(3)
  expect(most).toBeGreaterThan(1)
})

test('large manifests that do not arrive block no small one, and are answered with 408', async () => {
  await using registry = await runningServer({ manifestMemoryBytes: 4 * MIB, manifestTimeoutMs: 500 })
  const stalled = Array.from({ length: 5 }, () => stalledPut(registry, 3 * MIB))
  await pushImage(registry.url, 'app', '1', rawImage('small'))
  const answer = await Promise.race(
    stalled.map(socket => new Promise<string>(resolve => socket.once('data', data => resolve(data.toString())))),
  )
  expect(answer).toMatch(/^HTTP\/1.1 408 .*connection: close/is)
  for (const socket of stalled) socket.destroy()
})

test('a manifest of unknown length takes the memory of the largest, and is refused if it is longer', async () => {
  await using registry = await runningServer({ manifestMemoryBytes: 4 * MIB })
  const pieces = [Buffer.alloc(3 * MIB, ' '), Buffer.alloc(3 * MIB, ' ')]
  expect((await registry.ask('PUT', '/v2/app/manifests/1', { body: pieces })).status).toBe(413)
})

test('a client that disconnects while its manifest waits for memory leaves the queue', async () => {
  const memory = new ManifestMemory(4 * MIB)
  const gone = new AbortController()
  let end!: () => void
  const first = memory.during(3 * MIB, gone.signal, () => new Promise<void>(resolve => (end = resolve)))
  const left = new AbortController()
  const second = memory.during(3 * MIB, left.signal, async () => 'never')
  const third = memory.during(3 * MIB, gone.signal, async () => 'done')
  left.abort('left')
  await expect(second).rejects.toBe('left')
  await expect.poll(() => end).toBeDefined()
  end()
  await first
  expect(await third).toBe('done')
})

test('too many manifests waiting for memory are answered with 429', async () => {
  const memory = new ManifestMemory(4 * MIB)
  const { signal } = new AbortController()
  const hold = () => memory.during(3 * MIB, signal, () => new Promise<void>(() => {}))
  void hold()
  await delay(1)
  for (let i = 0; i < 1000; i++) void hold()
  await expect(hold()).rejects.toMatchObject({ status: 429 })
})

test('a small manifest is read once while the store has it', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const reads = countReads(registry.store)
  for (const path of [`/v2/app/manifests/${image.digest}`, `/v2/app/manifests/${image.digest}`]) {
    expect(await registry.ask('GET', path)).toMatchObject({ status: 200, body: image.manifest })
  }
  expect(reads.count).toBe(1)
  await registry.ask('DELETE', `/v2/app/manifests/${image.digest}`)
  expect((await registry.ask('GET', `/v2/app/manifests/${image.digest}`)).status).toBe(404)
})

test('a large manifest is streamed, and its media type is read once', async () => {
  await using registry = await runningServer()
  const image = largeImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const reads = countReads(registry.store)
  const path = `/v2/app/manifests/${image.digest}`
  const answer = await registry.ask('GET', path)
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': image.mediaType } })
  expect(answer.body.equals(image.manifest)).toBe(true)
  expect((await registry.ask('HEAD', path)).headers['content-length']).toBe(`${image.manifest.length}`)
  // One read for the media type, one to send it.
  expect(reads.count).toBeLessThanOrEqual(3)
  expect((await registry.ask('GET', path)).body.equals(image.manifest)).toBe(true)
})

test('a blob that is no manifest is read once', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(Buffer.from('no manifest'))
  const reads = countReads(registry.store)
  for (let i = 0; i < 3; i++) expect((await registry.ask('GET', `/v2/app/manifests/${digest}`)).status).toBe(404)
  expect(reads.count).toBe(1)
})

test('a page of referrers reads only the manifests that it lists and the next one', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const subject = { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length }
  for (const seed of ['b', 'c', 'd', 'e', 'f']) {
    const note = 'y'.repeat(1.5 * MIB)
    await pushImage(registry.url, 'app', seed, rawImage(seed, { subject, annotations: { note } }))
  }
  // The first scan of the store reads everything.
  await registry.ask('GET', `/v2/app/referrers/${image.digest}`)
  const reads = countReads(registry.store)
  let path: string | undefined = `/v2/app/referrers/${image.digest}`
  const found: string[] = []
  while (path !== undefined) {
    const { headers, json } = await registry.ask('GET', path)
    const { manifests } = json() as unknown as { manifests: { digest: string }[] }
    found.push(...manifests.map(({ digest }) => digest))
    path = /<(.+)>/.exec(String(headers.link ?? ''))?.[1]
  }
  expect(found).toEqual([...new Set(found)].sort())
  expect(found).toHaveLength(5)
  expect(reads.count).toBeLessThanOrEqual(2 * 5)
})
