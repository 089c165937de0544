import { describe, expect, test } from 'vitest'
import { MediaType } from '../../lib/oci/index.ts'
import { createRegistryClient, type RegistryEvent, type RegistryMirror } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf, sampleBlob } from '../helpers/sample-blob.ts'
import { type Script, type ScriptedRegistry, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const { bytes, descriptor } = sampleBlob(3_000_000)
const document = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptorOf(Buffer.from('{}'), MediaType.OciConfig), layers: [] }),
)
const manifest = descriptorOf(document, MediaType.OciManifest)
const manifestHead = { 'content-type': MediaType.OciManifest, 'docker-content-digest': manifest.digest }

/** Answers everything right, with ranges. */
const good: Script = (request, response) => {
  if (request.url!.includes('/manifests/')) {
    response.writeHead(200, { ...manifestHead, 'content-length': document.length })
    return response.end(request.method === 'HEAD' ? undefined : document)
  }
  return part(request, response, bytes, bytes.length)
}
const part = (request: Parameters<Script>[0], response: Parameters<Script>[1], all: Buffer, end: number) => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const range = from > 0 ? { 'content-range': `bytes ${from}-${all.length - 1}/${all.length}` } : {}
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': all.length - from, ...range })
  if (end >= all.length) return response.end(all.subarray(from))
  return response.write(all.subarray(from, Math.max(from, end)), () => response.destroy())
}
const status =
  (code: number): Script =>
  (_, response) =>
    response.writeHead(code, { 'docker-distribution-api-version': 'registry/2.0' }).end()

/** A registry with mirrors before it; the last script is the registry's. */
const start = async (scripts: readonly Script[], mirror: (host: string) => string | RegistryMirror = host => host) => {
  const servers = await Promise.all(scripts.map(script => startScriptedRegistry(script)))
  const events: RegistryEvent[] = []
  const own = servers.at(-1)!
  const mirrors = servers.slice(0, -1).map(({ host }) => mirror(host))
  const registry = registryClientFor({
    credentials: { [own.host]: { username: 'ann', password: 'secret' } },
    hosts: { [own.host]: { mirrors } },
    onEvent: event => events.push(event),
  })
  const failed = () =>
    events.flatMap(event =>
      event.type === 'mirror-failed'
        ? [[servers.findIndex(({ host }) => event.mirror.startsWith(host)), event.reason]]
        : [],
    )
  return {
    servers: servers as readonly ScriptedRegistry[],
    registry,
    failed,
    repository: { registry: own.host, repository: 'team/app' },
    async [Symbol.asyncDispose]() {
      await registry.close()
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

describe('mirrors', () => {
  test('HT-30: are asked in order, then the registry; each failed one is reported and skipped', async () => {
    await using set = await start([status(404), status(503), good, good])
    const { registry, repository, servers, failed } = set
    expect((await registry.fetchManifest({ ...repository, tag: 'v' })).descriptor).toEqual(manifest)
    expect(await registry.resolve({ ...repository, tag: 'v' })).toEqual(manifest)
    expect((await readAll(registry.fetchBlob(repository, descriptor))).equals(bytes)).toBe(true)
    expect(servers[3]!.seen).toEqual([])
    expect(failed()).toEqual([
      [0, 'ERR_MANIFEST_NOT_FOUND'],
      [1, 'ERR_REGISTRY'],
      [0, 'ERR_MANIFEST_NOT_FOUND'],
      [1, 'ERR_REGISTRY'],
      [0, 'ERR_REMOTE_BLOB_NOT_FOUND'],
      [1, 'ERR_REGISTRY'],
    ])
  })

  test("receive the registry's name unless `sendOrigin` is false, and never its credentials", async () => {
    await using set = await start([good, good])
    await readAll(set.registry.fetchBlob(set.repository, descriptor))
    await set.registry.resolve({ ...set.repository, tag: 'v' })
    const ns = `?ns=${encodeURIComponent(set.repository.registry)}`
    expect(set.servers[0]!.seen.map(({ path }) => path)).toEqual([
      `/v2/team/app/blobs/${descriptor.digest}${ns}`,
      `/v2/team/app/manifests/v${ns}`,
    ])
    const header = set.servers[0]!.seen.map(({ headers }) => headers['oci-namespace'])
    expect(header).toEqual([set.repository.registry, set.repository.registry])
    const challenge = { 'www-authenticate': 'Basic realm="x"' }
    const refusing: Script = (_, response) => response.writeHead(401, challenge).end()
    await using other = await start([refusing, good], location => ({ location: `${location}/hub`, sendOrigin: false }))
    await readAll(other.registry.fetchBlob(other.repository, descriptor))
    expect(other.servers[0]!.seen.map(({ path }) => path)).toEqual([`/v2/hub/team/app/blobs/${descriptor.digest}`])
    const shown = other.servers[0]!.seen.map(({ headers }) => [headers.authorization, headers['oci-namespace']])
    expect(shown).toEqual([[undefined, undefined]])
    expect(other.failed()).toEqual([[0, 'ERR_UNAUTHORIZED']])
  })

  test('that answer for another registry do not resolve tags; a digest proves itself', async () => {
    const confused: Script = (request, response, number) => {
      response.setHeader('oci-namespace', 'other.example')
      return good(request, response, number)
    }
    await using set = await start([confused, good])
    await set.registry.resolve({ ...set.repository, tag: 'v' })
    await set.registry.fetchManifest({ ...set.repository, tag: 'v' })
    expect(set.failed()).toEqual([
      [0, 'ERR_PROTOCOL'],
      [0, 'ERR_PROTOCOL'],
    ])
    await set.registry.fetchManifest({ ...set.repository, digest: manifest.digest })
    expect(set.servers.map(({ seen }) => seen.length)).toEqual([3, 2])
  })

  test('may name the registry they answer for, Docker Hub by each of its names', async () => {
    for (const name of ['docker.io', 'index.docker.io', 'Registry-1.docker.io']) {
      await using mirror = await startScriptedRegistry((request, response, number) => {
        response.setHeader('oci-namespace', name)
        return good(request, response, number)
      })
      await using registry = registryClientFor({ hosts: { 'docker.io': { mirrors: [mirror.host] } } })
      const reference = { registry: 'docker.io', repository: 'library/app', tag: 'v' }
      expect(await registry.resolve(reference)).toEqual(manifest)
    }
  })

  test('for digests only are not asked for tags', async () => {
    await using set = await start([good, good], location => ({ location, byDigestOnly: true }))
    await set.registry.resolve({ ...set.repository, tag: 'v' })
    expect(set.servers.map(({ seen }) => seen.length)).toEqual([0, 1])
    await set.registry.fetchManifest({ ...set.repository, digest: manifest.digest })
    expect(set.servers.map(({ seen }) => seen.length)).toEqual([1, 1])
  })

  test('are only read from', async () => {
    await using set = await start([
      good,
      (request, response) => request.resume().on('end', () => response.writeHead(201).end()),
    ])
    await set.registry.pushManifest(set.repository, { descriptor: manifest, bytes: document }, 'v')
    expect(set.servers[0]!.seen).toEqual([])
  })

  test('HT-30: a manifest with other bytes than its digest is fetched from the next one', async () => {
    const wrong = Buffer.from(document.toString().replace('2', '2 '))
    const lying: Script = (_, response) => response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(wrong)
    await using set = await start([lying, good])
    const { bytes: got } = await set.registry.fetchManifest({ ...set.repository, digest: manifest.digest })
    expect(Buffer.from(got).equals(document)).toBe(true)
    expect(set.failed()).toEqual([[0, 'ERR_DIGEST_MISMATCH']])
  })

  test('HT-30: if one fails in the middle, the next continues; a wrong digest distrusts both', async () => {
    const flipped = Buffer.from(bytes)
    flipped[10]! ^= 1
    let connections = 0
    const breaking: Script = (request, response) =>
      connections++ === 0 ? part(request, response, flipped, 1_000_000) : response.destroy()
    await using set = await start([breaking, good, good])
    const { registry, repository, servers } = set
    const first = await readAll(registry.fetchBlob(repository, descriptor))
    expect(first.length).toBe(bytes.length)
    expect(first.equals(bytes)).toBe(false)
    expect(servers[1]!.seen[0]!.headers.range).toMatch(/^bytes=[1-9]\d*-$/)
    expect(registry.distrustBlob(repository, descriptor.digest)).toBe(true)
    const before = servers.map(({ seen }) => seen.length)
    expect((await readAll(registry.fetchBlob(repository, descriptor))).equals(bytes)).toBe(true)
    expect(servers.map(({ seen }, i) => seen.length - before[i]!)).toEqual([0, 0, 1])
  })

  test('HT-12: the client fetches wrong bytes of the right length from the same registry once more only', async () => {
    const flipped = Buffer.from(bytes)
    flipped[77]! ^= 1
    await using set = await start([(request, response) => part(request, response, flipped, bytes.length)])
    const { registry, repository } = set
    expect(registry.distrustBlob(repository, descriptor.digest)).toBe(false)
    await readAll(registry.fetchBlob(repository, descriptor))
    expect(registry.distrustBlob(repository, descriptor.digest)).toBe(true)
    expect(registry.distrustBlob(repository, descriptor.digest)).toBe(false)
    await readAll(registry.fetchBlob(repository, descriptor))
    expect(registry.distrustBlob(repository, descriptor.digest)).toBe(false)
  })

  test('the failure of the registry itself is thrown if all fail; an abort ends it at once', async () => {
    await using set = await start([status(500), status(404)])
    expect(await thrownBy(() => readAll(set.registry.fetchBlob(set.repository, descriptor)))).toMatchObject({
      code: 'ERR_REMOTE_BLOB_NOT_FOUND',
    })
    const stop = new AbortController()
    const reason = new Error('enough')
    await using other = await start([() => stop.abort(reason), good])
    const { registry, repository } = other
    await expect(readAll(registry.fetchBlob(repository, descriptor, { signal: stop.signal }))).rejects.toBe(reason)
    await expect(registry.resolve({ ...repository, tag: 'v' }, { signal: stop.signal })).rejects.toBe(reason)
    expect(other.servers[1]!.seen).toEqual([])
  })

  test('that ask for a pause are skipped', async () => {
    const limited: Script = (_, response) => response.writeHead(429, { 'retry-after': '30' }).end()
    await using set = await start([limited, good])
    await set.registry.resolve({ ...set.repository, tag: 'v' })
    expect(set.servers[0]!.seen).toHaveLength(1)
    expect(set.failed()).toEqual([[0, 'ERR_RATE_LIMITED']])
  })

  test.each(['', '/x', 'host/UPPER', 'host/../x'])('a mirror called %j is refused', async mirror => {
    expect(await thrownBy(() => createRegistryClient({ hosts: { a: { mirrors: [mirror] } } }))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })
})

describe('foreign layers', () => {
  const fetchForeign = async (foreign: boolean, urls: (host: string) => string[], script: Script = good) => {
    await using set = await start([status(404)])
    await using elsewhere = await startScriptedRegistry(script)
    const described = { ...descriptor, urls: urls(elsewhere.host) }
    const result = await readAll(set.registry.fetchBlob(set.repository, described, { foreign })).catch(
      (error: unknown) => error,
    )
    return { result, seen: elsewhere.seen, own: set.servers[0]!.seen }
  }

  test('come from their `urls` only with `foreign`, after the registry, without credentials', async () => {
    const urls = (host: string) => [`http://${host}/missing.tar`, `http://${host}/layer.tar?token=x`]
    expect((await fetchForeign(false, urls)).result).toMatchObject({ code: 'ERR_REMOTE_BLOB_NOT_FOUND' })
    const script: Script = (request, ...rest) => (request.url === '/missing.tar' ? status(404) : good)(request, ...rest)
    const { result, seen, own } = await fetchForeign(true, urls, script)
    expect((result as Buffer).equals(bytes)).toBe(true)
    expect(own).toHaveLength(1)
    expect(seen.map(({ path }) => path)).toEqual(['/missing.tar', '/layer.tar?token=x'])
    expect(seen.every(({ headers }) => headers.authorization === undefined)).toBe(true)
  })

  test('at the registry itself are requested without credentials too', async () => {
    await using set = await start([
      (request, response, number) => {
        if (request.url === '/layer.tar') return good(request, response, number)
        const challenge = { 'www-authenticate': 'Basic realm="x"' }
        return response.writeHead(request.headers.authorization ? 404 : 401, challenge).end()
      },
    ])
    const described = { ...descriptor, urls: [`http://${set.repository.registry}/layer.tar`] }
    const got = await readAll(set.registry.fetchBlob(set.repository, described, { foreign: true }))
    expect(got.equals(bytes)).toBe(true)
    const sent = set.servers[0]!.seen.map(({ headers }) => headers.authorization !== undefined)
    expect(sent).toEqual([false, true, false])
  })

  test('that demand credentials get none', async () => {
    const refusing: Script = (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    const { result, seen } = await fetchForeign(true, host => [`http://${host}/layer.tar`], refusing)
    expect(result).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
    expect(seen).toHaveLength(1)
  })

  test.each(['http://169.254.169.254/x', 'file:///etc/passwd', 'http://user:pw@example.test/x', 'nonsense:'])(
    'are not fetched from %s',
    async url => {
      expect((await fetchForeign(true, () => [url])).result).toMatchObject({ code: 'ERR_BLOCKED_URL' })
    },
  )
})

test('a function gives the settings of a registry once, when the client first needs them; wrong ones are refused then', async () => {
  await using mirror = await startScriptedRegistry(good)
  const asked: string[] = []
  await using registry = registryClientFor({
    hosts: name => {
      asked.push(name)
      return name === 'a.test' ? { mirrors: [mirror.host] } : name === 'b.test' ? { concurrency: 0 } : undefined
    },
  })
  expect(asked).toEqual([])
  const reference = { registry: 'a.test', repository: 'app', digest: manifest.digest }
  for (let i = 0; i < 2; i++) expect((await registry.resolve(reference)).digest).toBe(manifest.digest)
  expect(asked.filter(name => name === 'a.test')).toHaveLength(1)
  expect(await thrownBy(() => registry.resolve({ registry: 'b.test', repository: 'app', tag: '1' }))).toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})
