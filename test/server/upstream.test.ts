import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { putStoreDocument, putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/** Mirror of a registry that the test controls, which has an image `some/app:1`. */
async function startMirror(
  options: { tagMaxAgeMs?: number; maxFetches?: number; layer?: Uint8Array } = {},
  here: Store = createMemoryStore(),
): Promise<Standing> {
  const there = createMemoryStore()
  const image = await putStoreImage(there, options.layer ?? 'layer of the image')
  await there.references.set('some/app:1', image.manifest)
  const origin = await createFaultyRegistry({ store: there })
  const client = registryClientFor({ retries: { tries: 1 } })
  const { tagMaxAgeMs, maxFetches } = options
  const upstream = { registry: origin.host, client, tagMaxAgeMs, maxFetches }
  const server = await runningServer({ upstream, closeGraceMs: 50 }, here)
  return {
    ...{ there, here, origin, client, server, image },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await client.close()
      await origin.close()
    },
  }
}

interface Standing extends AsyncDisposable {
  readonly there: Store
  readonly here: Store
  readonly origin: FaultyRegistry
  readonly client: RegistryClient
  readonly server: RunningServer
  readonly image: Awaited<ReturnType<typeof putStoreImage>>
}

const asked = ({ origin }: Standing) => origin.seen.map(({ method, path }) => `${method} ${path}`)
const blob = (digest: string) => `/v2/some/app/blobs/${digest}`

async function pull({ server, image }: Standing): Promise<void> {
  expect((await server.ask('GET', '/v2/some/app/manifests/1')).status).toBe(200)
  for (const { digest } of [image.config, image.layer]) expect((await server.ask('GET', blob(digest))).status).toBe(200)
}

describe('a mirror', () => {
  test('fetches missing content once and stores it', async () => {
    await using all = await startMirror()
    const { server, image, origin } = all
    await pull(all)
    const first = asked(all)
    expect(first.filter(line => line.startsWith('GET') && line.includes('/blobs/'))).toHaveLength(2)
    await pull(all)
    expect(asked(all)).toEqual(first)
    expect((await server.ask('GET', blob(image.layer.digest))).body.toString()).toBe('layer of the image')
    // The complete image has the name that a pull would have set.
    await expect
      .poll(async () => (await all.here.references.get(`${origin.host}/some/app:1`))?.digest)
      .toBe(image.manifest.digest)
  })

  test('answers HEAD and ranges of missing blobs', async () => {
    await using all = await startMirror()
    const { server, image } = all
    expect(await server.ask('HEAD', blob(image.layer.digest))).toMatchObject({
      status: 200,
      headers: { 'content-length': '18', 'docker-content-digest': image.layer.digest },
    })
    expect(await all.here.stat(image.layer.digest)).toBeUndefined()
    const part = await server.ask('GET', blob(image.layer.digest), { headers: { range: 'bytes=6-7' } })
    expect([part.status, part.body.toString()]).toEqual([206, 'of'])
    expect(await server.ask('HEAD', '/v2/some/app/manifests/1')).toMatchObject({ status: 200 })
    expect(await server.ask('GET', `/v2/some/app/manifests/${image.manifest.digest}`)).toMatchObject({ status: 200 })
  })

  test('fetches once for concurrent requests', async () => {
    const layer = Buffer.alloc(3_000_000, 'layer')
    await using all = await startMirror({ layer })
    const { server, image } = all
    const manifests = await Promise.all(Array.from({ length: 8 }, () => server.ask('GET', '/v2/some/app/manifests/1')))
    expect(manifests.every(({ status }) => status === 200)).toBe(true)
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.ask('GET', blob(image.layer.digest))))
    for (const answer of answers) expect([answer.complete, answer.body.equals(layer)]).toEqual([true, true])
    const times = (what: RegExp) => asked(all).filter(line => what.test(line)).length
    expect([times(/GET .*manifests/), times(/GET .*blobs/)]).toEqual([1, 1])
  })

  test('continues a fetch when its first client disconnects', async () => {
    const layer = Buffer.alloc(5_000_000, 'layer')
    await using all = await startMirror({ layer })
    const { server, image } = all
    const { get } = await import('node:http')
    await new Promise<void>(resolve => {
      const request = get(`${server.url}${blob(image.layer.digest)}`, answer => {
        answer.once('data', () => request.destroy())
        answer.on('error', () => {})
        answer.once('close', resolve)
      })
      request.on('error', () => {})
    })
    await expect.poll(async () => (await all.here.stat(image.layer.digest))?.size).toBe(layer.length)
  })

  test('fetches only so many blobs at once, also for clients that have left', async () => {
    await using all = await startMirror({ maxFetches: 1, layer: Buffer.alloc(8_000_000, 'layer') })
    const { server, image } = all
    await server.ask('GET', '/v2/some/app/manifests/1')
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname).on('error', () => {})
    socket.pause()
    socket.write(`GET ${blob(image.layer.digest)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await expect.poll(() => asked(all).some(line => line === `GET ${blob(image.layer.digest)}`)).toBe(true)
    const refused = await server.ask('GET', blob(image.config.digest))
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '10'])
    socket.destroy()
    await expect.poll(async () => (await server.ask('GET', blob(image.config.digest))).status).toBe(200)
  })

  test('waits for a slow first client and sends it the whole blob', async () => {
    const layer = Buffer.alloc(24_000_000, 'layer')
    await using all = await startMirror({ layer })
    const { get } = await import('node:http')
    const received = await new Promise<Buffer>((resolve, reject) => {
      get(`${all.server.url}${blob(all.image.layer.digest)}`, answer => {
        const chunks: Buffer[] = []
        answer.on('error', reject)
        // A delay after which the buffers between server and client are full.
        setTimeout(() => answer.on('data', chunk => chunks.push(chunk)), 300)
        answer.on('end', () => resolve(Buffer.concat(chunks)))
      }).on('error', reject)
    })
    expect(received.equals(layer)).toBe(true)
    expect((await all.here.stat(all.image.layer.digest))?.size).toBe(layer.length)
  })

  test('resumes a fetch that broke off', async () => {
    using directory = temporaryDirectory('upstream')
    const layer = Buffer.alloc(2_000_000, 'layer')
    const here = await openStore(`${directory.path}/store`)
    await using all = await startMirror({ layer }, here)
    const { digest } = all.image.layer
    {
      await using writer = await here.ingest(digest)
      await writer.write(layer.subarray(0, 1_500_000))
    }
    const answer = await all.server.ask('GET', blob(digest))
    expect([answer.complete, answer.body.equals(layer)]).toEqual([true, true])
    const asked = all.origin.seen.find(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
    expect(asked!.headers.range).toMatch(/^bytes=[1-9]/)
  })

  test('neither stores nor serves bytes with a wrong digest', async () => {
    await using all = await startMirror()
    const { server, image, origin } = all
    origin.misbehave({ kind: 'flip', at: 3 }, { method: 'GET', path: /blobs/, times: 9 })
    const answer = await server.ask('GET', blob(image.layer.digest))
    expect(answer.complete && answer.status === 200).toBe(false)
    expect(await all.here.stat(image.layer.digest)).toBeUndefined()
    origin.behave()
    await expect.poll(async () => (await server.ask('GET', blob(image.layer.digest))).complete).toBe(true)
  })

  test('sees a moved tag at the next look-up, not before', async () => {
    for (const [tagMaxAgeMs, sees] of [
      [0, true],
      [60_000, false],
    ] as const) {
      await using all = await startMirror({ tagMaxAgeMs })
      await pull(all)
      const { manifest } = await putStoreImage(all.there, 'another layer')
      await all.there.references.set('some/app:1', manifest)
      const { headers } = await all.server.ask('GET', '/v2/some/app/manifests/1')
      expect(headers['docker-content-digest'] === manifest.digest).toBe(sees)
    }
  })

  test('serves stored content with a Warning while the upstream registry is down', async () => {
    await using all = await startMirror({ tagMaxAgeMs: 0 })
    const { server, image, origin } = all
    await pull(all)
    await origin.close()
    const answer = await server.ask('GET', '/v2/some/app/manifests/1')
    expect(answer).toMatchObject({ status: 200, headers: { 'docker-content-digest': image.manifest.digest } })
    expect(answer.headers.warning).toMatch(/^299 - "/)
    expect((await server.ask('GET', blob(image.layer.digest))).status).toBe(200)
    expect((await server.ask('GET', '/v2/some/app/tags/list')).json().tags).toEqual(['1'])
    const unknown = await server.ask('GET', '/v2/some/app/manifests/2')
    expect([unknown.status, unknown.json().errors[0]!.code]).toEqual([502, 'UNAVAILABLE'])
    expect(unknown.body.toString()).not.toContain(origin.host)
  })

  test('remembers the tag of an incomplete image over a restart', async () => {
    const here = createMemoryStore()
    let digest: Digest
    {
      const all = await startMirror({}, here)
      const index = await putStoreDocument(all.there, MediaType.OciIndex, {
        schemaVersion: 2,
        mediaType: MediaType.OciIndex,
        manifests: [all.image.manifest, (await putStoreImage(all.there, 'for others')).manifest],
      })
      digest = index.digest
      await all.there.references.set('some/app:index', index)
      expect((await all.server.ask('GET', '/v2/some/app/manifests/index')).status).toBe(200)
      await all.origin.close()
      await all.server.server.close()
      const again = await runningServer({ upstream: { registry: all.origin.host, client: all.client } }, here)
      const answer = await again.ask('GET', '/v2/some/app/manifests/index')
      expect(answer).toMatchObject({ status: 200, headers: { 'docker-content-digest': digest } })
      await again[Symbol.asyncDispose]()
      await all.client.close()
    }
  })

  test('answers 404 when the upstream registry does, also for stored content', async () => {
    await using all = await startMirror({ tagMaxAgeMs: 0 })
    await pull(all)
    await all.there.references.delete('some/app:1')
    for (const path of ['/v2/some/app/manifests/1', '/v2/none/manifests/1', '/v2/some/app/manifests/-x']) {
      const answer = await all.server.ask('GET', path)
      expect([answer.status, answer.json().errors[0]!.code]).toEqual([404, 'MANIFEST_UNKNOWN'])
    }
    const none = `sha256:${'0'.repeat(64)}`
    for (const method of ['GET', 'HEAD']) {
      expect((await all.server.ask(method, blob(none))).status).toBe(404)
      expect((await all.server.ask(method, `/v2/some/app/manifests/${none}`)).status).toBe(404)
    }
  })

  test('lists tags and referrers of the upstream registry', async () => {
    await using all = await startMirror()
    const { image, there, server } = all
    await there.references.set('some/app:2', image.manifest)
    expect((await server.ask('GET', '/v2/some/app/tags/list?n=1')).json()).toEqual({ name: 'some/app', tags: ['1'] })
    const members = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [], subject: image.manifest }
    const { digest } = await putStoreDocument(there, MediaType.OciIndex, members)
    const { manifests } = (await server.ask('GET', `/v2/some/app/referrers/${image.manifest.digest}`)).json()
    expect((manifests as { digest: string }[]).map(one => one.digest)).toEqual([digest])
    await pull(all)
    await expect.poll(async () => (await server.ask('GET', '/v2/_catalog')).json().repositories).toEqual(['some/app'])
  })

  test('serves one registry only, is read-only, and hides other names', async () => {
    await using all = await startMirror()
    const { server, image, here, origin } = all
    expect((await server.ask('POST', '/v2/some/app/blobs/uploads/')).status).toBe(405)
    expect((await server.ask('DELETE', '/v2/some/app/manifests/1')).status).toBe(405)
    const other = await putStoreImage(here, 'other')
    await here.references.set('some/app:other', other.manifest)
    expect((await server.ask('GET', '/v2/some/app/manifests/other')).status).toBe(404)
    expect((await server.ask('GET', '/v2/_catalog')).json().repositories).toEqual([])
    const ns = (name: string) => server.ask('GET', `/v2/some/app/manifests/1?ns=${encodeURIComponent(name)}`)
    const meant = { 'docker-content-digest': image.manifest.digest, 'oci-namespace': origin.host }
    expect((await ns(origin.host)).headers).toMatchObject(meant)
    const header = (name: string) =>
      server.ask('GET', '/v2/some/app/manifests/1', { headers: { 'oci-namespace': name } })
    expect((await header(origin.host)).headers).toMatchObject(meant)
    expect((await header('docker.io')).status).toBe(404)
    expect((await server.ask('GET', '/v2/some/app/manifests/1')).headers['oci-namespace']).toBeUndefined()
    expect((await ns('docker.io')).status).toBe(404)
    expect((await ns('?')).status).toBe(404)
  })

  test('passes Retry-After on', async () => {
    await using all = await startMirror()
    all.origin.misbehave({ kind: 'too-many-requests', retryAfter: 100_000 }, { times: 9 })
    const answer = await all.server.ask('GET', '/v2/some/app/manifests/1')
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '100000' } })
  })

  test('aborts its fetches when it is closed', async () => {
    await using all = await startMirror({ layer: Buffer.alloc(2_000_000) })
    all.origin.misbehave({ kind: 'stall', after: 1000 }, { method: 'GET', path: /blobs/ })
    const answer = all.server.ask('GET', blob(all.image.layer.digest)).catch(() => undefined)
    await expect.poll(() => asked(all).some(line => /GET .*blobs/.test(line))).toBe(true)
    const closed = all.server.server.close()
    expect((await answer)?.complete ?? false).toBe(false)
    await closed
  })
})
