import { statfsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { StoreError } from '../../lib/errors/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { HttpAnswer } from '../helpers/http-request.ts'
import { mount } from '../helpers/mount.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { pushImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const MIB = 1024 * 1024

const codeOf = ({ status, json }: HttpAnswer) => [status, json().errors[0]!.code]

function refusing(errno: string): () => Promise<never> {
  return () => Promise.reject(new StoreError('ERR_STORE_IO', `could not write (${errno})`, { errno }))
}

/** Memory store that accepts `room` bytes of each blob and then fails like a full disk. */
function fullStore(room: number, errno = 'ENOSPC'): Store {
  const store = createMemoryStore()
  const { ingest } = store
  store.ingest = async (...args) => {
    const writer = await ingest.apply(store, args)
    const { write } = writer
    writer.write = chunk => (writer.offset + chunk.byteLength > room ? refusing(errno)() : write.call(writer, chunk))
    return writer
  }
  return store
}

async function begin(registry: RunningServer): Promise<string> {
  return (await registry.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
}

test.each(['ENOSPC', 'EDQUOT'])('an upload that fills the disk is answered with 507 and dropped: %s', async errno => {
  await using registry = await runningServer({}, fullStore(10, errno))
  const location = await begin(registry)
  expect((await registry.ask('PATCH', location, { body: 'some' })).status).toBe(202)
  expect(codeOf(await registry.ask('PATCH', location, { body: 'far too many bytes' }))).toEqual([507, 'STORAGE_FULL'])
  expect(codeOf(await registry.ask('GET', location))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
  const whole = await registry.ask('POST', `/v2/app/blobs/uploads/?digest=${sha256('x')}`, {
    body: 'far too many bytes',
  })
  expect(codeOf(whole)).toEqual([507, 'STORAGE_FULL'])
})

test('a manifest and a tag that do not fit on the disk are answered with 507', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const request = { body: image.manifest, headers: { 'content-type': image.mediaType } }
  const put = () => registry.ask('PUT', '/v2/app/manifests/2', request)
  registry.store.references.set = refusing('ENOSPC')
  expect(codeOf(await put())).toEqual([507, 'STORAGE_FULL'])
  registry.store.put = refusing('ENOSPC')
  expect(codeOf(await put())).toEqual([507, 'STORAGE_FULL'])
})

test('on a full disk without a lease clients can list, pull and delete, but not push', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const location = await begin(registry)
  await using full = await runningServer({}, registry.store)
  full.store.leases.hold = refusing('ENOSPC')
  const blob = `/v2/app/blobs/${image.blobs[0]!.digest}`
  for (const [method, path, status] of [
    ['HEAD', blob, 200],
    ['GET', blob, 200],
    ['GET', '/v2/app/manifests/1', 200],
    ['DELETE', '/v2/app/manifests/1', 202],
    ['DELETE', blob, 202],
    ['POST', '/v2/app/blobs/uploads/', 507],
  ] as const) {
    expect([method, (await full.ask(method, path)).status]).toEqual([method, status])
  }
  expect((await registry.ask('DELETE', location)).status).toBe(204)
})

test.each(['EMFILE', 'ENFILE'])('no free file descriptor is answered with 503 and Retry-After: %s', async errno => {
  await using registry = await runningServer()
  registry.store.ingest = refusing(errno)
  const answer = await registry.ask('PATCH', await begin(registry), { body: 'x' })
  expect([codeOf(answer), answer.headers['retry-after']]).toEqual([[503, 'UNAVAILABLE'], '5'])
})

/** Announces a body of a terabyte, sends none of it, and resolves to the answer. */
function announce(registry: RunningServer, method: string, path: string): Promise<string> {
  const { hostname, port } = new URL(registry.url)
  return new Promise(resolve => {
    const socket = connect(Number(port), hostname).on('error', () => {})
    let text = ''
    socket.on('data', data => {
      text += data
    })
    socket.on('close', () => resolve(text))
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${10 ** 15}\r\n\r\n`)
  })
}

test('an announced length that does not fit is refused before the first byte, and keeps earlier bytes', async () => {
  using directory = temporaryDirectory('announced')
  await using registry = await runningServer({}, await openStore(directory.path))
  const location = await begin(registry)
  await registry.ask('PATCH', location, { body: 'abc' })
  const whole = await announce(registry, 'POST', `/v2/app/blobs/uploads/?digest=${sha256('x')}`)
  const piece = await announce(registry, 'PATCH', location)
  const last = await announce(registry, 'PUT', `${location}?digest=${sha256('x')}`)
  for (const answer of [whole, piece, last])
    expect(answer).toMatch(/^HTTP\/1.1 507 .*connection: close.*STORAGE_FULL/is)
  expect((await registry.ask('GET', location)).headers.range).toBe('0-2')
})

describe.skipIf(!needsRoot())('a registry on a full tmpfs', () => {
  test('releases the space of the upload and serves the next one', async () => {
    using directory = temporaryDirectory('full')
    using disk = mount(join(directory.path, 'disk'), '-t', 'tmpfs', '-o', 'size=16m', 'none')
    await using registry = await runningServer({}, await openStore(disk.path))
    await pushImage(registry.url, 'app', '1', rawImage('a'))
    const free = () => statfsSync(disk.path).bfree * statfsSync(disk.path).bsize
    const before = free()
    const location = await begin(registry)
    const pieces = Array.from({ length: 20 }, () => Buffer.alloc(MIB, 'x'))
    expect(codeOf(await registry.ask('PATCH', location, { body: pieces }))).toEqual([507, 'STORAGE_FULL'])
    expect(free()).toBeGreaterThan(before - MIB)
    await pushImage(registry.url, 'app', '2', rawImage('b'))
    expect((await registry.ask('GET', '/v2/app/manifests/2')).status).toBe(200)
  })
})
