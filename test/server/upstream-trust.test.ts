import { get } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { StoreError } from '../../lib/errors/index.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import type { RegistryRequestEvent } from '../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { HttpAnswer } from '../helpers/http-request.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { type ScriptedRegistry, type SeenRequest, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { putStoreImage } from '../helpers/store-image.ts'

/* Answers of an upstream registry that a mirror accepts, and those that it refuses. */

/** Answer of the upstream registry. */
interface Said {
  readonly status?: number
  readonly type?: string
  readonly body?: Uint8Array | string
  readonly headers?: Record<string, string>
  /** Closes the connection: instead of an answer, or after some bytes as soon as the test allows. */
  readonly hangUp?: boolean | { readonly after: number; readonly when: Promise<void> }
  /** Sends no Content-Length. */
  readonly chunked?: boolean
}

/** Mirror of an upstream registry that answers by path; an unknown path is answered with 404. */
class Mirror implements AsyncDisposable {
  readonly said = new Map<string, Said>()
  readonly here: Store = createMemoryStore()
  readonly failures: unknown[] = []
  readonly events: RegistryRequestEvent[] = []
  #parts: { origin: ScriptedRegistry; client: RegistryClient; server: RunningServer } | undefined

  static async start(): Promise<Mirror> {
    const mirror = new Mirror()
    const origin = await startScriptedRegistry((request, response) => {
      const said = mirror.said.get(request.url!.replace(/^\/v2\//, '').replace(/\?.*/, '')) ?? {
        status: 404,
        body: '{}',
      }
      if (said.hangUp === true) return request.socket.destroy()
      const body = Buffer.from(said.body ?? '')
      const length = said.chunked ? {} : { 'content-length': `${body.length}` }
      response.writeHead(said.status ?? 200, {
        'content-type': said.type ?? 'application/json',
        ...length,
        ...said.headers,
      })
      if (!said.hangUp) return response.end(request.method === 'HEAD' ? undefined : body)
      response.write(body.subarray(0, said.hangUp.after))
      return said.hangUp.when.then(() => request.socket.destroy())
    })
    const client = registryClientFor({ retries: { tries: 1 } })
    const upstream = { registry: origin.host, client }
    const onError = (error: unknown) => void mirror.failures.push(error)
    const onRequest = (event: RegistryRequestEvent) => void mirror.events.push(event)
    const server = await runningServer({ upstream, onError, onRequest }, mirror.here)
    mirror.#parts = { origin, client, server }
    return mirror
  }

  get host(): string {
    return this.#parts!.origin.host
  }

  get url(): string {
    return this.#parts!.server.url
  }

  get seen(): readonly SeenRequest[] {
    return this.#parts!.origin.seen
  }

  ask(method: string, path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.#parts!.server.ask(method, `/v2/${path}`, { headers })
  }

  /** Adds a manifest of a repository to the upstream registry, under a tag and its digest. */
  async manifest(
    repository: string,
    tag: string,
    body: Uint8Array,
    type: string = MediaType.OciManifest,
  ): Promise<Digest> {
    const digest = await digestOf(body)
    const said = { type, body, headers: { 'docker-content-digest': digest } }
    for (const reference of [tag, digest]) this.said.set(`${repository}/manifests/${reference}`, said)
    return digest
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts!.server[Symbol.asyncDispose]()
    await this.#parts!.client.close()
    await this.#parts!.origin.stop()
  }
}

let open: Mirror | undefined
const start = async (): Promise<Mirror> => {
  open = await Mirror.start()
  return open
}
afterEach(async () => {
  await open?.[Symbol.asyncDispose]()
  open = undefined
})

const layer = Buffer.alloc(300_000, 'layer of the image ')
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')

async function imageOf(size: number, note: string): Promise<Buffer> {
  const described = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    return { mediaType, digest: await digestOf(bytes), size: bytes.byteLength }
  }
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.OciManifest,
      config: await described(MediaType.OciConfig, config),
      layers: [{ ...(await described(MediaType.OciLayer, layer)), size }],
      annotations: { note },
    }),
  )
}

/** Two repositories: one with a correct manifest, and one whose manifest states a wrong size for the same layer. */
async function twoRepositories(mirror: Mirror, wrongSize: number, chunked = false): Promise<string> {
  const digest = await digestOf(layer)
  await mirror.manifest('good/app', '1', await imageOf(layer.length, 'good'))
  await mirror.manifest('evil/x', '1', await imageOf(wrongSize, 'evil'))
  for (const repository of ['good/app', 'evil/x']) {
    mirror.said.set(`${repository}/blobs/${digest}`, { body: layer, chunked })
    mirror.said.set(`${repository}/blobs/${await digestOf(config)}`, { body: config })
    expect((await mirror.ask('GET', `${repository}/manifests/1`)).status).toBe(200)
  }
  return digest
}

const isWhole = ({ status, complete, body }: HttpAnswer) => status === 200 && complete && body.equals(layer)

describe('an answer about one repository does not affect another', () => {
  const challenge = { 'www-authenticate': 'Basic realm="x"' }
  test.each<[string, Said, number]>([
    ['401', { status: 401, headers: challenge }, 403],
    ['403', { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }, 403],
    ['404', { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN","message":"no"}]}' }, 404],
    ['a page of HTML', { type: 'text/html', body: '<html></html>' }, 502],
    ['an invalid manifest', { type: MediaType.OciManifest, body: '{"schemaVersion":2}' }, 502],
  ])('%s', async (_, said, status) => {
    const mirror = await start()
    await mirror.manifest('good/app', 'one', await imageOf(layer.length, 'good'))
    const body = Buffer.from(said.body ?? '')
    for (const reference of ['1', await digestOf(body)]) mirror.said.set(`bad/x/manifests/${reference}`, said)
    expect((await mirror.ask('GET', 'bad/x/manifests/1')).status).toBe(status)
    expect((await mirror.ask('GET', 'good/app/manifests/one')).status).toBe(200)
  })
})

describe('a failing host is not asked for a while', () => {
  test.each<[string, Said, number]>([
    ['500', { status: 500 }, 502],
    ['503', { status: 503 }, 502],
    ['429', { status: 429 }, 429],
    ['no answer', { hangUp: true }, 502],
  ])('%s', async (_, said, status) => {
    const mirror = await start()
    mirror.said.set('bad/x/manifests/1', said)
    expect((await mirror.ask('GET', 'bad/x/manifests/1')).status).toBe(status)
    const before = mirror.seen.length
    for (const path of ['good/app/manifests/1', 'good/app/tags/list', 'bad/x/manifests/1']) {
      const answer = await mirror.ask('GET', path)
      expect([path, answer.status]).toEqual([path, path.endsWith('list') ? 404 : status])
    }
    expect(mirror.seen.length).toBe(before)
    // The log has the reasons; clients learn nothing about the upstream host.
    expect(mirror.events).toHaveLength(4)
    for (const { error } of mirror.events) expect((error as Error).message).toContain(mirror.host)
  })
})

describe('a wrong blob size in a manifest of one repository', () => {
  test.each([layer.length + 7, layer.length - 7, 0, 1e15])('does not affect another repository (%i)', async size => {
    const mirror = await start()
    const digest = await twoRepositories(mirror, size)
    const head = await mirror.ask('HEAD', `good/app/blobs/${digest}`)
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': `${layer.length}` } })
    // Its own repository serves the right blob, too: the server asks the registry for the size.
    expect(isWhole(await mirror.ask('GET', `evil/x/blobs/${digest}`))).toBe(true)
    expect(isWhole(await mirror.ask('GET', `good/app/blobs/${digest}`))).toBe(true)
  })

  test('does not affect a range, nor HEAD in its own repository', async () => {
    const mirror = await start()
    const digest = await twoRepositories(mirror, layer.length + 7)
    const head = await mirror.ask('HEAD', `evil/x/blobs/${digest}`)
    expect(head.headers['content-length']).toBe(`${layer.length}`)
    const part = await mirror.ask('GET', `evil/x/blobs/${digest}`, { range: 'bytes=299998-' })
    expect([part.status, part.headers['content-range']]).toEqual([206, 'bytes 299998-299999/300000'])
  })

  test('does not affect concurrent clients of both repositories', async () => {
    const mirror = await start()
    const digest = await twoRepositories(mirror, layer.length - 7)
    const repositories = ['evil/x', 'good/app', 'evil/x', 'good/app']
    const answers = await Promise.all(repositories.map(name => mirror.ask('GET', `${name}/blobs/${digest}`)))
    expect(answers.map(isWhole)).toEqual([true, true, true, true])
  })

  test('is forgotten after a mismatch, also without a Content-Length', async () => {
    const mirror = await start()
    const digest = await twoRepositories(mirror, layer.length + 7, true)
    await mirror.ask('GET', `evil/x/blobs/${digest}`).catch(() => undefined)
    mirror.said.set(`evil/x/blobs/${digest}`, { body: layer })
    expect(isWhole(await mirror.ask('GET', `evil/x/blobs/${digest}`))).toBe(true)
  })

  test('does not affect the next fetch by a partial blob that it left', async () => {
    for (const left of [Buffer.alloc(1000, 'wrong'), Buffer.alloc(400_000, 'wrong and long')]) {
      await using mirror = await Mirror.start()
      const digest = (await twoRepositories(mirror, layer.length)) as Digest
      {
        await using writer = await mirror.here.ingest(digest)
        await writer.write(left)
      }
      // The registry ignores the range: it sends the whole blob again, and the client skips the first bytes.
      expect(isWhole(await mirror.ask('GET', `good/app/blobs/${digest}`))).toBe(true)
    }
  })
})

describe('a manifest is verified before it is served or named', () => {
  const html = Buffer.from('<html><script>alert(1)</script></html>')
  const image = '{"schemaVersion":2,"layers":[]}'

  test.each([
    ['text/html', html],
    ['image/svg+xml', html],
    [MediaType.OciManifest, html],
    [MediaType.OciLayer, html],
    [MediaType.OciManifest, Buffer.from(image)],
    ['application/json', Buffer.from('{"secret":true}')],
  ])('a stored blob is not served as a manifest because the upstream registry names it %s', async (type, bytes) => {
    const mirror = await start()
    const { digest } = await mirror.here.put(bytes)
    await mirror.manifest('a/b', 't', bytes, type)
    for (const method of ['GET', 'HEAD']) {
      const answer = await mirror.ask(method, 'a/b/manifests/t')
      expect([answer.status, answer.headers['content-type']]).toEqual([502, 'application/json'])
    }
    expect((await mirror.ask('GET', `a/b/manifests/${digest}`)).status).toBe(404)
    for await (const { name } of mirror.here.references.list()) expect.unreachable(name)
  })

  test('an invalid manifest is not stored', async () => {
    const mirror = await start()
    const digest = await mirror.manifest('a/b', 't', html, MediaType.OciManifest)
    for (const reference of ['t', digest]) {
      expect((await mirror.ask('GET', `a/b/manifests/${reference}`)).status).toBe(502)
    }
    expect(await mirror.here.stat(digest)).toBeUndefined()
  })

  test.each([
    ['an index', MediaType.OciIndex],
    ['a Docker manifest', MediaType.DockerManifest],
    ['an SVG image', 'image/svg+xml'],
  ])('a manifest announced as %s is refused, stored before or not', async (_, type) => {
    const mirror = await start()
    const bytes = await imageOf(layer.length, 'x')
    const digest = await mirror.manifest('a/b', 't', bytes, type)
    expect((await mirror.ask('GET', 'a/b/manifests/t')).status).toBe(502)
    expect(await mirror.here.stat(digest)).toBeUndefined()
    await mirror.here.put(bytes)
    expect((await mirror.ask('GET', 'a/b/manifests/t')).status).toBe(502)
  })

  test('a manifest with a wrong digest is refused', async () => {
    const mirror = await start()
    const digest = await mirror.manifest('a/b', 't', await imageOf(layer.length, 'x'))
    const said = mirror.said.get('a/b/manifests/t')!
    const other = { ...said, body: await imageOf(layer.length, 'y') }
    for (const reference of ['t', digest]) mirror.said.set(`a/b/manifests/${reference}`, other)
    for (const reference of ['t', digest]) {
      expect((await mirror.ask('GET', `a/b/manifests/${reference}`)).status).toBe(502)
    }
    expect(await mirror.here.stat(digest)).toBeUndefined()
  })

  test('a name of the store that refers to another kind of blob is not served', async () => {
    await using registry = await runningServer()
    const { digest, size } = await registry.store.put(html)
    await registry.store.references.set('app:1', { mediaType: 'text/html', digest, size })
    expect((await registry.ask('GET', '/v2/app/manifests/1')).status).toBe(404)
  })
})

describe('lists of a mirror', () => {
  test('leave out a referrer of another repository', async () => {
    const mirror = await start()
    const { manifest } = await putStoreImage(mirror.here, 'image')
    const signature = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [], subject: manifest }
    await mirror.manifest('evil/x', 'sig', Buffer.from(JSON.stringify(signature)), MediaType.OciIndex)
    expect((await mirror.ask('GET', 'evil/x/manifests/sig')).status).toBe(200)
    const empty = '{"schemaVersion":2,"manifests":[]}'
    mirror.said.set(`good/app/referrers/${manifest.digest}`, { type: MediaType.OciIndex, body: empty })
    const listed = await mirror.ask('GET', `good/app/referrers/${manifest.digest}`)
    expect(listed.json().manifests).toEqual([])
    expect(listed.headers.warning).toBeUndefined()
  })

  test('leave out tags that the upstream registry no longer has', async () => {
    const mirror = await start()
    const { manifest } = await putStoreImage(mirror.here, 'image')
    await mirror.here.references.set(`${mirror.host}/some/app:old`, manifest)
    mirror.said.set('some/app/tags/list', { body: '{"name":"some/app","tags":["new"]}' })
    expect((await mirror.ask('GET', 'some/app/tags/list')).json().tags).toEqual(['new'])
    mirror.said.set('some/app/tags/list', { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN","message":"no"}]}' })
    expect((await mirror.ask('GET', 'some/app/tags/list')).status).toBe(404)
  })
})

describe('onError alone gets failures that no request waits for', () => {
  test('a fetch whose client has disconnected', async () => {
    const mirror = await start()
    const digest = await digestOf(layer)
    let hangUp = () => {}
    const when = new Promise<void>(resolve => {
      hangUp = resolve
    })
    mirror.said.set(`good/app/blobs/${digest}`, { body: layer, hangUp: { after: 200_000, when } })
    await mirror.manifest('good/app', '1', await imageOf(layer.length, 'good'))
    expect((await mirror.ask('GET', 'good/app/manifests/1')).status).toBe(200)
    const request = get(`${mirror.url}/v2/good/app/blobs/${digest}`).on('error', () => {})
    await expect.poll(() => mirror.seen.some(({ path }) => path.includes('/blobs/'))).toBe(true)
    request.destroy()
    await expect.poll(() => mirror.events.at(-1)).toMatchObject({ status: 0, complete: false, error: undefined })
    hangUp()
    await expect.poll(() => mirror.failures).toMatchObject([{ code: 'ERR_NETWORK' }])
  })

  test('a name that cannot be set; an exception of the listener is ignored', async () => {
    const mirror = await start()
    const full = new StoreError('ERR_STORE_IO', 'cannot write index.json: ENOSPC')
    mirror.here.references.set = () => Promise.reject(full)
    mirror.failures.push = () => {
      mirror.failures.unshift(full)
      throw new Error('listener')
    }
    await mirror.manifest('good/app', '1', await imageOf(layer.length, 'good'))
    expect((await mirror.ask('GET', 'good/app/manifests/1')).status).toBe(200)
    expect([...mirror.failures]).toEqual([full])
  })
})

test('If-None-Match of an upstream blob is answered with 304, of a missing one with 404', async () => {
  const mirror = await start()
  const [digest, none] = [await digestOf(layer), await digestOf(config)]
  mirror.said.set(`good/app/blobs/${digest}`, { body: layer })
  const known = { 'if-none-match': `"${digest}"` }
  expect((await mirror.ask('GET', `good/app/blobs/${digest}`, known)).status).toBe(304)
  expect(mirror.seen.map(({ method }) => method)).toEqual(['HEAD'])
  for (const [method, headers] of [
    ['HEAD', {}],
    ['GET', {}],
    ['GET', { range: 'bytes=0-1' }],
    ['GET', { 'if-none-match': `"${none}"` }],
  ] as const) {
    expect((await mirror.ask(method, `good/app/blobs/${none}`, headers)).status).toBe(404)
  }
})
