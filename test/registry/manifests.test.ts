import { describe, expect, test } from 'vitest'
import { type Digest, digestOf, parseDigest } from '../../lib/digest/index.ts'
import { MediaType, type Reference } from '../../lib/oci/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const config = descriptorOf(Buffer.from('{}'), MediaType.OciConfig)
const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [] }))
const descriptor = descriptorOf(bytes, MediaType.OciManifest)
const other = parseDigest(`sha256:${'1'.repeat(64)}`)
const whole = { 'content-type': MediaType.OciManifest, 'docker-content-digest': descriptor.digest }

const headed =
  (headers: Record<string, string | string[] | number>, head = 200): Script =>
  (request, response) => {
    response.writeHead(request.method === 'HEAD' ? head : 200, headers)
    response.end(request.method === 'GET' ? bytes : undefined)
  }
const ask = async (script: Script, act: 'resolve' | 'fetchManifest', reference: Partial<Reference> = { tag: 'v1' }) => {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor()
  const target = { registry: server.host, repository: 'team/app', ...reference }
  const asked = () => server.seen.map(({ method, path }) => `${method} ${path}`)
  try {
    const result = await registry[act](target)
    return {
      asked: asked(),
      seen: server.seen,
      descriptor: 'descriptor' in result ? result.descriptor : result,
      result,
    }
  } catch (error) {
    return { asked: asked(), seen: server.seen, error: error as Error & { code: string } }
  }
}

describe('resolve', () => {
  test('sends one HEAD that accepts every kind of image', async () => {
    const {
      asked,
      seen,
      descriptor: found,
    } = await ask(headed({ ...whole, 'content-length': bytes.length }), 'resolve')
    expect(found).toEqual(descriptor)
    expect(asked).toEqual(['HEAD /v2/team/app/manifests/v1'])
    for (const type of [
      MediaType.OciIndex,
      MediaType.OciManifest,
      MediaType.DockerManifestList,
      MediaType.DockerManifest,
    ]) {
      expect(seen[0]!.headers.accept).toContain(type)
    }
  })

  test('without tag and digest, requests latest; with both, the digest', async () => {
    const script = headed({ ...whole, 'content-length': bytes.length })
    expect((await ask(script, 'resolve', {})).asked).toEqual(['HEAD /v2/team/app/manifests/latest'])
    const both = await ask(script, 'resolve', { tag: 'v1', digest: descriptor.digest })
    expect(both.asked).toEqual([`HEAD /v2/team/app/manifests/${descriptor.digest}`])
  })

  test.each([404, 405, 400, 501])('HT-20: fetches the manifest if HEAD answers %d', async status => {
    const { asked, descriptor: found } = await ask(headed(whole, status), 'resolve')
    expect(found).toEqual(descriptor)
    expect(asked.map(line => line.split(' ')[0])).toEqual(['HEAD', 'GET'])
  })

  test.each([
    ['no digest', { 'content-type': MediaType.OciManifest, 'content-length': bytes.length }],
    ['a digest in upper case', { ...whole, 'docker-content-digest': descriptor.digest.toUpperCase() }],
    ['no length', whole],
    ['the length 0', { ...whole, 'content-length': 0 }],
    ['no type', { 'docker-content-digest': descriptor.digest, 'content-length': bytes.length }],
    ['a generic type', { ...whole, 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length }],
    ['an encoded body', { ...whole, 'content-encoding': 'gzip', 'content-length': bytes.length }],
  ] as [string, Record<string, string>][])(
    'HT-20, HT-21: fetches the manifest if HEAD reports %s',
    async (_, headers) => {
      const { 'content-length': length, ...rest } = headers
      const { asked, descriptor: found } = await ask((request, response) => {
        const get = request.method === 'GET'
        const digest = get ? { 'docker-content-digest': descriptor.digest } : {}
        response.writeHead(200, {
          ...rest,
          ...digest,
          ...(length === undefined || get ? {} : { 'content-length': length }),
        })
        response.end(get ? bytes : undefined)
      }, 'resolve')
      expect(found).toEqual(descriptor)
      expect(asked.map(line => line.split(' ')[0])).toEqual(['HEAD', 'GET'])
    },
  )

  test('HT-21: two digests in the header count as none', async () => {
    const twice = { ...whole, 'docker-content-digest': [descriptor.digest, other], 'content-length': bytes.length }
    const { asked, descriptor: found } = await ask(headed(twice), 'resolve')
    expect(found).toEqual(descriptor)
    expect(asked).toHaveLength(2)
  })

  test('HT-21: the requested digest takes precedence over the announced one', async () => {
    const script = headed({ ...whole, 'docker-content-digest': other, 'content-length': bytes.length })
    const { descriptor: found } = await ask(script, 'resolve', { digest: descriptor.digest })
    expect(found).toEqual(descriptor)
  })

  test('a missing manifest has its own error code', async () => {
    const { error, asked } = await ask(
      (_, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{}'),
      'resolve',
    )
    expect(error).toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND', status: 404 })
    expect(asked).toHaveLength(2)
  })
})

describe('fetchManifest', () => {
  test("returns the bytes as received, with the answer's type without its parameters", async () => {
    const { result } = await ask(
      headed({ ...whole, 'content-type': `${MediaType.OciManifest.toUpperCase()}; charset=utf-8` }),
      'fetchManifest',
    )
    expect(result).toEqual({ descriptor, bytes: expect.anything() })
    expect(Buffer.from((result as { bytes: Uint8Array }).bytes).equals(bytes)).toBe(true)
  })

  test.each(['', 'application/json', 'application/octet-stream', 'text/plain'])(
    'takes the type from the document if the answer says %j',
    async type => {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
      expect((await ask(headed(headers), 'fetchManifest')).descriptor).toEqual(descriptor)
    },
  )

  test('HT-21: refuses bytes that do not have the requested digest, or else the announced one', async () => {
    const asked = await ask(headed(whole), 'fetchManifest', { digest: other })
    expect(asked.error).toMatchObject({ code: 'ERR_DIGEST_MISMATCH', expected: other, actual: descriptor.digest })
    expect(asked.asked).toHaveLength(1)
    const announced = await ask(headed({ ...whole, 'docker-content-digest': other }), 'fetchManifest')
    expect(announced.error).toMatchObject({ code: 'ERR_DIGEST_MISMATCH', expected: other })
    const nonsense = await ask(headed({ ...whole, 'docker-content-digest': 'sha256:abc' }), 'fetchManifest')
    expect(nonsense.descriptor).toEqual(descriptor)
  })

  test('compares with the algorithm of the digest', async () => {
    const digest: Digest = await digestOf(bytes, { algorithm: 'sha512' })
    const { descriptor: found } = await ask(headed({ 'content-type': MediaType.OciManifest }), 'fetchManifest', {
      digest,
    })
    expect(found?.digest).toBe(digest)
  })

  test('reads at most 4 MiB, announced or not', async () => {
    for (const announced of [true, false]) {
      const { error } = await ask((_, response) => {
        response.writeHead(200, { ...whole, ...(announced ? { 'content-length': 2 ** 32 } : {}) })
        const more = () => response.destroyed || response.write(Buffer.alloc(1 << 16, ' '), () => setImmediate(more))
        more()
      }, 'fetchManifest')
      expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 4 * 1024 * 1024 })
    }
  })

  test('HT-10: starts again if the body breaks off', async () => {
    const { descriptor: found, asked } = await ask((_, response, number) => {
      response.writeHead(200, { ...whole, 'content-length': bytes.length })
      if (number === 1) response.end(bytes)
      else response.write(bytes.subarray(0, 10), () => response.destroy())
    }, 'fetchManifest')
    expect(found).toEqual(descriptor)
    expect(asked).toHaveLength(2)
  })

  test('HT-31: a server that answers with an HTML page is not a registry', async () => {
    const page = await ask(
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in'),
      'resolve',
    )
    expect(page.error).toMatchObject({ code: 'ERR_PROTOCOL', retryable: false })
  })

  test.each([404, 200])(
    'HT-31: the error distinguishes a server that is not a registry from a missing image (%d)',
    async status => {
      const { error, asked } = await ask((request, response) => {
        response.writeHead(request.url === '/v2/' ? status : 404, { 'content-type': 'text/html' }).end('<html>')
      }, 'fetchManifest')
      expect(error).toMatchObject({ code: 'ERR_PROTOCOL' })
      expect(asked.at(-1)).toBe('GET /v2/')
    },
  )

  test('HT-31: a registry without the image may answer in plain text', async () => {
    const { error } = await ask((request, response) => {
      response.writeHead(request.url === '/v2/' ? 200 : 404, { 'content-type': 'text/plain' }).end('ok')
    }, 'fetchManifest')
    expect(error).toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND' })
  })

  test("names that would change the URL's path are refused before a request is sent", async () => {
    for (const reference of [
      { repository: '../x' },
      { repository: 'a?b' },
      { tag: '../../x' },
      { digest: 'sha256:x' as Digest },
    ]) {
      const { error, asked } = await ask(() => {}, 'fetchManifest', reference)
      expect(error?.code).toBe('ERR_INVALID_REFERENCE')
      expect(asked).toEqual([])
    }
  })
})

describe('pushManifest', () => {
  const push = async (script: Script, tag?: string, manifest = { descriptor, bytes }) => {
    await using server = await startScriptedRegistry(async (request, response, number) => {
      for await (const _ of request);
      return script(request, response, number)
    })
    await using registry = registryClientFor()
    // A whole reference is a repository too; its own tag and digest must not matter.
    const repository = { registry: server.host, repository: 'app', digest: other, tag: 'mine' }
    const result = await registry.pushManifest(repository, manifest, tag).catch((error: Error) => error)
    return { result, seen: server.seen, asked: server.seen.map(({ method, path }) => `${method} ${path}`) }
  }

  test('sends the bytes under the tag, or without one under the digest', async () => {
    const created: Script = (_, response) =>
      response.writeHead(201, { 'docker-content-digest': descriptor.digest }).end()
    const tagged = await push(created, 'v1')
    expect(tagged.result).toBe(descriptor.digest)
    expect(tagged.asked).toEqual(['PUT /v2/app/manifests/v1'])
    expect(tagged.seen[0]!.headers).toMatchObject({
      'content-type': MediaType.OciManifest,
      'content-length': String(bytes.length),
    })
    expect((await push(created)).asked).toEqual([`PUT /v2/app/manifests/${descriptor.digest}`])
  })

  test('a digest of another algorithm than the registry would choose is sent too', async () => {
    const sha512 = { bytes, descriptor: { ...descriptor, digest: await digestOf(bytes, { algorithm: 'sha512' }) } }
    const { asked, result } = await push(
      (_, response) => response.writeHead(201, { 'docker-content-digest': descriptor.digest }).end(),
      'v1',
      sha512,
    )
    expect(asked).toEqual([`PUT /v2/app/manifests/${sha512.descriptor.digest}`, 'PUT /v2/app/manifests/v1'])
    expect(result).toBe(sha512.descriptor.digest)
  })

  test('HT-25: the client detects that a registry stored other bytes', async () => {
    const { result } = await push(
      (_, response) => response.writeHead(201, { 'docker-content-digest': other }).end(),
      'v1',
    )
    expect(result).toMatchObject({ code: 'ERR_DIGEST_MISMATCH', actual: other })
  })

  test("HT-26: a refusal carries the registry's message, and is not retried", async () => {
    const errors = [{ code: 'MANIFEST_INVALID', message: 'bad\u001b[2J', detail: {} }, null, { code: 5 }]
    const { result, asked } = await push((_, response) => response.writeHead(400).end(JSON.stringify({ errors })), 'v1')
    expect(result).toMatchObject({
      code: 'ERR_REGISTRY',
      status: 400,
      retryable: false,
      errors: [
        { code: 'MANIFEST_INVALID', message: 'bad [2J' },
        { code: 'UNKNOWN', message: '' },
        { code: 'UNKNOWN', message: '' },
      ],
    })
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['10 MiB', 'x'.repeat(10 * 1024 * 1024)],
    ['a page', '<html>'],
    ['JSON of another shape', '{"errors":{}}'],
    ['null', 'null'],
  ])('HT-26: an error body of %s is ignored', async (_, body) => {
    const { result } = await push((_request, response) => response.writeHead(413).end(body), 'v1')
    expect(result).toMatchObject({ code: 'ERR_REGISTRY', status: 413, errors: [] })
  })

  test('HT-19: retries after a transient failure', async () => {
    const { result, asked } = await push(
      (_, response, number) => response.writeHead(number < 2 ? 503 : 201).end(),
      'v1',
    )
    expect(result).toBe(descriptor.digest)
    expect(asked).toHaveLength(3)
  })

  test('an invalid tag is refused', async () => {
    const { result, asked } = await push(() => {}, 'no tag')
    expect(result).toMatchObject({ code: 'ERR_INVALID_REFERENCE' })
    expect(asked).toEqual([])
  })
})

test('a connection is kept from one request to the next', async () => {
  const ports = new Set<number | undefined>()
  await using server = await startScriptedRegistry((request, response) => {
    ports.add(request.socket.remotePort)
    return headed(whole)(request, response, 0)
  })
  await using registry = registryClientFor()
  for (let i = 0; i < 5; i++) await registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'b' })
  expect(ports.size).toBe(1)
  await registry.close()
  await registry.close()
  await expect.poll(() => server.connections.size).toBe(0)
  expect(
    await thrownBy(() => registry.fetchManifest({ registry: server.host, repository: 'A', tag: 'b' })),
  ).toMatchObject({
    code: 'ERR_INVALID_REFERENCE',
  })
  await registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'b' })
  await expect.poll(() => server.connections.size).toBe(0)
})
