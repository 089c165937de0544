import { describe, expect, test } from 'vitest'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
const json = (response: Parameters<Script>[1], body: unknown, headers = {}) =>
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
const at = async <T>(script: Script, act: (registry: RegistryClient, host: string) => Promise<T>) => {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor()
  const result = await act(registry, server.host).catch((error: unknown) => error as Error)
  return { result, seen: server.seen.map(({ method, path }) => `${method} ${path}`), requests: server.seen }
}
const config = descriptorOf(Buffer.from('{}'), MediaType.OciConfig)
const subject = descriptorOf(Buffer.from('subject'), MediaType.OciManifest)
const signature = (more: object = {}) => {
  const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [], subject, ...more }
  const bytes = Buffer.from(JSON.stringify(document))
  return { bytes, descriptor: descriptorOf(bytes, MediaType.OciManifest) }
}
const index = (manifests: readonly Descriptor[]) => ({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests })
const fallback = subject.digest.replace(':', '-')

describe('listRepositories', () => {
  test('follows the pages of the catalog', async () => {
    const { result, seen } = await at(
      (request, response) =>
        request.url!.includes('last=')
          ? json(response, { repositories: ['c/d'] })
          : json(response, { repositories: ['a', 'b'] }, { link: '</v2/_catalog?last=b&n=1000>; rel="next"' }),
      (registry, host) => all(registry.listRepositories(host)),
    )
    expect(result).toEqual(['a', 'b', 'c/d'])
    expect(seen).toEqual(['GET /v2/_catalog?n=1000', 'GET /v2/_catalog?last=b&n=1000'])
  })

  test.each([[{ repositories: ['../x'] }], [{ repositories: [1] }], [{ repositories: 'a' }], ['nothing']])(
    'a document that is not a list of names (%j) is an error',
    async body => {
      const script: Script = (_, response) => response.end(body === 'nothing' ? '{' : JSON.stringify(body))
      const { result } = await at(script, (registry, host) => all(registry.listRepositories(host)))
      expect(result).toMatchObject({ code: 'ERR_PROTOCOL' })
    },
  )

  test('HT-27: a catalog that links to itself under new URLs ends', async () => {
    const { result, seen } = await at(
      (request, response, number) =>
        json(response, { repositories: ['a'] }, { link: `<${request.url}&x=${number}>; rel="next"` }),
      (registry, host) => all(registry.listRepositories(host)),
    )
    expect(result).toEqual(['a'])
    expect(seen).toHaveLength(2)
  })
})

describe('referrers', () => {
  const list = (script: Script, artifactType?: string) =>
    at(script, (registry, host) =>
      all(registry.listReferrers({ registry: host, repository: 'a' }, subject.digest, { artifactType })),
    )
  const one = { ...signature().descriptor, artifactType: 'a/sig' }
  const two = { ...signature({ artifactType: 'a/sbom' }).descriptor, artifactType: 'a/sbom' }

  test('come from the API, page by page, filtered here too', async () => {
    const script: Script = (request, response) =>
      request.url!.includes('page')
        ? json(response, index([two]))
        : json(response, index([one]), { link: `<${request.url}&page=2>; rel="next"` })
    const { result, seen } = await list(script, 'a/sbom')
    expect(result).toEqual([two])
    expect(seen[0]).toBe(`GET /v2/a/referrers/${subject.digest}?artifactType=a%2Fsbom`)
  })

  test.each([400, 404, 405, 406, 410, 501])(
    'come from the list under the fallback tag of a registry without the API (%d)',
    async status => {
      const { result, seen } = await list((request, response) => {
        if (request.url!.includes('/referrers/')) return response.writeHead(status).end()
        return json(response, index([one, two]), { 'content-type': MediaType.OciIndex })
      }, 'a/sig')
      expect(result).toEqual([one])
      expect(seen).toEqual([
        `GET /v2/a/referrers/${subject.digest}?artifactType=a%2Fsig`,
        `GET /v2/a/manifests/${fallback}`,
      ])
    },
  )

  test('come from the list under the fallback tag of a server that answers every URL with an HTML page', async () => {
    const { result } = await list((request, response) => {
      if (request.url!.includes('/referrers/'))
        return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>')
      return json(response, index([one]), { 'content-type': MediaType.OciIndex })
    })
    expect(result).toEqual([one])
  })

  test('are none without API and list, and none if the tag names no list', async () => {
    const none: Script = (_, response) =>
      response.writeHead(404, { 'docker-distribution-api-version': 'registry/2.0' }).end()
    expect((await list(none)).result).toEqual([])
    const image: Script = (request, response, number) =>
      request.url!.includes('/referrers/')
        ? none(request, response, number)
        : response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(signature().bytes)
    expect((await list(image)).result).toEqual([])
  })

  test.each([[{}], [{ manifests: {} }]])('an answer without a list (%j) is an error', async body => {
    expect((await list((_, response) => json(response, body))).result).toMatchObject({ code: 'ERR_PROTOCOL' })
  })

  test('a malformed entry is an error, and so is a fallback list that cannot be fetched', async () => {
    const bad = await list((_, response) => json(response, { manifests: [{ digest: '../x' }] }))
    expect(bad.result).toMatchObject({ code: 'ERR_INVALID_DESCRIPTOR' })
    const denied = await list((request, response) =>
      response.writeHead(request.url!.includes('/referrers/') ? 404 : 403).end(),
    )
    expect(denied.result).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
  })
})

describe('pushManifest', () => {
  /** A registry that keeps manifests by name; it has lists of referrers only if the options say so. */
  const keeping = (options: { subject?: boolean; tags?: boolean; forget?: number } = {}) => {
    const kept = new Map<string, Buffer>()
    let forget = options.forget ?? 0
    const script: Script = async (request, response) => {
      const url = new URL(request.url!, 'http://x')
      const name = url.pathname.split('/').at(-1)!
      if (request.method === 'DELETE') return response.writeHead(kept.delete(name) ? 202 : 404).end()
      if (request.method === 'PUT') {
        const bytes = await readAll(request)
        if (!(name.startsWith('sha256-') && forget-- > 0)) kept.set(name, bytes)
        const tags = url.searchParams.getAll('tag')
        if (options.tags) for (const tag of tags) kept.set(tag, bytes)
        const head = {
          ...(options.subject && { 'oci-subject': subject.digest }),
          ...(options.tags && { 'oci-tag': tags }),
        }
        return response.writeHead(201, head).end()
      }
      const bytes = kept.get(name)
      if (!bytes) return response.writeHead(404, { 'docker-distribution-api-version': 'registry/2.0' }).end()
      const type = JSON.parse(bytes.toString()).mediaType
      return response.writeHead(200, { 'content-type': type }).end(bytes)
    }
    return { kept, script }
  }
  const push = (script: Script, manifest = signature(), tags?: string | string[]) =>
    at(script, (registry, host) => registry.pushManifest({ registry: host, repository: 'a' }, manifest, tags))
  const plain = signature({ subject: undefined })

  test('sends several tags in one request to a registry that accepts them', async () => {
    const { kept, script } = keeping({ tags: true })
    const { seen, result } = await push(script, plain, ['v1', 'v1.2', 'v1'])
    expect(result).toBe(plain.descriptor.digest)
    expect(seen).toEqual([`PUT /v2/a/manifests/${plain.descriptor.digest}?tag=v1&tag=v1.2`])
    expect([...kept.keys()]).toEqual([plain.descriptor.digest, 'v1', 'v1.2'])
    const many = Array.from({ length: 23 }, (_, i) => `t${i}`)
    const more = await push(keeping({ tags: true }).script, plain, many)
    expect(more.seen.map(path => path.split('tag=').length - 1)).toEqual([10, 10, 3])
  })

  test('sends the tags one by one to a registry that refuses or ignores the others', async () => {
    const { seen } = await push(keeping().script, plain, ['v1', 'v2'])
    expect(seen.map(path => path.split('/').at(-1))).toEqual([`${plain.descriptor.digest}?tag=v1&tag=v2`, 'v1', 'v2'])
    for (const status of [400, 405]) {
      const { script } = keeping()
      const refusing: Script = (request, response, number) =>
        request.url!.includes('?tag=') ? response.writeHead(status).end() : script(request, response, number)
      expect((await push(refusing, plain, ['v1', 'v2'])).seen.slice(1)).toEqual([
        'PUT /v2/a/manifests/v1',
        'PUT /v2/a/manifests/v2',
      ])
    }
    const denied = await push((_, response) => response.writeHead(403).end(), plain, ['v1', 'v2'])
    expect(denied.result).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
  })

  test('refuses an invalid tag', async () => {
    const { result, seen } = await push(keeping().script, plain, ['v1', '../x'])
    expect(result).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
    expect(seen).toEqual([])
  })

  test('leaves the list of referrers to a registry with a referrers API', async () => {
    expect((await push(keeping({ subject: true }).script)).seen).toHaveLength(1)
    expect((await push(keeping().script, plain)).seen).toHaveLength(1)
  })

  test('adds a referrer to the list under the fallback tag, with its kind and annotations, once', async () => {
    const { kept, script } = keeping()
    const first = signature({ artifactType: 'a/sig', annotations: { a: 'b' } })
    const second = signature()
    for (const manifest of [first, second, first]) await push(script, manifest)
    expect(JSON.parse(kept.get(fallback)!.toString())).toEqual(
      index([
        { ...first.descriptor, artifactType: 'a/sig', annotations: { a: 'b' } },
        { ...second.descriptor, artifactType: MediaType.OciConfig },
      ]),
    )
    const bytes = Buffer.from(JSON.stringify({ ...index([]), subject }))
    await push(script, { bytes, descriptor: descriptorOf(bytes, MediaType.OciIndex) })
    expect(JSON.parse(kept.get(fallback)!.toString()).manifests[2]).toEqual(descriptorOf(bytes, MediaType.OciIndex))
  })

  test('repeats its change if another program has overwritten the list, a few times', async () => {
    const some = keeping({ forget: 2 })
    await push(some.script)
    expect(JSON.parse(some.kept.get(fallback)!.toString()).manifests).toHaveLength(1)
    const { result } = await push(keeping({ forget: 99 }).script)
    expect(result).toMatchObject({ code: 'ERR_REGISTRY', message: expect.stringContaining('referrers') })
  })

  test('a document that is not a manifest has no subject', async () => {
    const bytes = Buffer.from('something else')
    const { result, seen } = await push(keeping().script, { bytes, descriptor: descriptorOf(bytes, 'a/b') })
    expect(result).toBe(descriptorOf(bytes, 'a/b').digest)
    expect(seen).toHaveLength(1)
  })

  test('the error names what the registry misses', async () => {
    const missing = config.digest
    for (const detail of [missing, { digest: missing }, { Digest: missing }]) {
      const { result } = await push((_, response) =>
        response
          .writeHead(404)
          .end(JSON.stringify({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', message: '', detail }] })),
      )
      expect(result).toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', digest: missing }] })
    }
  })

  test('deleteManifest removes a referrer from the list under the fallback tag', async () => {
    const { kept, script } = keeping()
    const [first, second] = [signature(), signature({ artifactType: 'a/sig' })]
    for (const manifest of [first, second]) await push(script, manifest)
    const remove = ({ descriptor }: typeof first) =>
      at(script, (registry, host) => registry.deleteManifest({ registry: host, repository: 'a' }, descriptor.digest))
    kept.set(first.descriptor.digest, first.bytes)
    expect((await remove(first)).result).toBe(true)
    expect(JSON.parse(kept.get(fallback)!.toString()).manifests).toMatchObject([{ digest: second.descriptor.digest }])
    expect((await remove(first)).result).toBe(false)
    kept.set(plain.descriptor.digest, plain.bytes)
    const simple = await remove(plain)
    expect(simple.seen.map(path => path.split(' ')[0])).toEqual(['GET', 'DELETE'])
    kept.set(plain.descriptor.digest, Buffer.from('{"mediaType":"a/b"}'))
    expect((await remove(plain)).result).toBe(true)
  })
})

describe('deleting', () => {
  test('of tags and blobs reports whether they existed; a refusal of the registry is an error', async () => {
    const answer = async (status: number, act: (registry: RegistryClient, host: string) => Promise<boolean>) =>
      at((_, response) => response.writeHead(status).end(), act)
    const tag = (registry: RegistryClient, host: string) =>
      registry.deleteTag({ registry: host, repository: 'a' }, 'v1')
    const blob = (registry: RegistryClient, host: string) =>
      registry.deleteBlob({ registry: host, repository: 'a' }, config.digest)
    expect(await answer(202, tag)).toMatchObject({ result: true, seen: ['DELETE /v2/a/manifests/v1'] })
    expect(await answer(202, blob)).toMatchObject({ result: true, seen: [`DELETE /v2/a/blobs/${config.digest}`] })
    expect((await answer(404, tag)).result).toBe(false)
    expect((await answer(405, tag)).result).toMatchObject({ code: 'ERR_TAG_DELETION_UNSUPPORTED', status: 405 })
    expect((await answer(405, blob)).result).toMatchObject({ code: 'ERR_REGISTRY', status: 405 })
    await using registry = registryClientFor()
    const target = { registry: '127.0.0.1:1', repository: 'a' }
    expect(await thrownBy(() => registry.deleteTag(target, '../x'))).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
    expect(await thrownBy(() => registry.deleteBlob(target, 'x' as never))).toHaveProperty('code')
    expect(await thrownBy(() => registry.deleteManifest(target, 'x' as never))).toHaveProperty('code')
  })

  test('deleteManifest rejects if it cannot read the manifest first', async () => {
    const { result } = await at(
      (_, response) => response.writeHead(403).end(),
      (registry, host) => registry.deleteManifest({ registry: host, repository: 'a' }, config.digest),
    )
    expect(result).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
  })

  test('without a source a blob is mounted from anywhere', async () => {
    const { seen, result } = await at(
      (_, response) => response.writeHead(201).end(),
      (registry, host) => registry.mountBlob({ registry: host, repository: 'a' }, config.digest),
    )
    expect(result).toBe(true)
    expect(seen).toEqual([`POST /v2/a/blobs/uploads/?mount=${encodeURIComponent(config.digest)}`])
  })
})
