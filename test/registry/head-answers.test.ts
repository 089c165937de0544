import { describe, expect, test } from 'vitest'
import { MediaType } from '../../lib/oci/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf, sampleBlob } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const bytes = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptorOf(Buffer.from('{}'), MediaType.OciConfig), layers: [] }),
)
const manifest = descriptorOf(bytes, MediaType.OciManifest)
const blob = sampleBlob(1000)
const json = (answer: Parameters<Script>[1], status: number) =>
  answer.writeHead(status, { 'content-type': 'application/json' }).end('{}')

/** Requests a manifest from a registry that answers HEAD by one script and GET by another. */
async function ask(head: Script, get: Script = right) {
  await using server = await startScriptedRegistry((request, response, number) =>
    (request.method === 'HEAD' ? head : get)(request, response, number),
  )
  await using registry = registryClientFor()
  const at = { registry: server.host, repository: 'a' }
  const settle = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)
  const resolved = await settle(registry.resolve({ ...at, tag: 'v' }))
  const stat = await settle(registry.statBlob(at, blob.descriptor.digest))
  return { resolved, stat, asked: server.seen.map(({ method, path }) => `${method} ${path}`) }
}
const right: Script = (request, response) =>
  request.url!.includes('/blobs/')
    ? response.writeHead(206, { 'content-range': 'bytes 0-0/1000' }).end('x')
    : response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(bytes)
const redirected =
  (status: number): Script =>
  (request, response) =>
    request.url!.startsWith('/signed')
      ? response.writeHead(status).end()
      : response.writeHead(307, { location: '/signed?X-Signature=abc' }).end()

describe('a GET decides after an inconclusive HEAD', () => {
  test.each([400, 401, 403, 404, 405, 429, 500, 503])(
    'if a redirect leads the HEAD to a URL that answers %d',
    async status => {
      const { resolved, stat } = await ask(redirected(status))
      expect(resolved).toEqual(manifest)
      expect(stat).toEqual({ size: 1000 })
    },
  )

  test.each([400, 403, 405, 500, 501, 503])('if the registry answers the HEAD with %d', async status => {
    const { resolved, stat, asked } = await ask((_, response) => response.writeHead(status).end())
    expect(resolved).toEqual(manifest)
    expect(stat).toEqual({ size: 1000 })
    expect(asked).toHaveLength(4)
  })

  test.each([
    ['no digest', { 'content-type': MediaType.OciManifest, 'content-length': '5' }],
    ['an invalid digest', { 'content-type': MediaType.OciManifest, 'docker-content-digest': 'sha256:1' }],
    ['no media type', { 'docker-content-digest': manifest.digest }],
    ['no length', { 'docker-content-digest': manifest.digest, 'content-type': MediaType.OciManifest }],
    ['a length of zero', { 'content-length': '0', 'docker-content-digest': manifest.digest }],
    ['a content coding', { 'content-encoding': 'gzip', 'content-length': '5' }],
  ])('if the HEAD names %s', async (_, headers) => {
    const { resolved, stat } = await ask((request, response) => {
      const isBlob = request.url!.includes('/blobs/')
      const { 'content-length': length, ...rest } = headers as Record<string, string>
      response.writeHead(200, isBlob && length !== '0' && !('content-encoding' in headers) ? rest : headers).end()
    })
    expect(resolved).toEqual(manifest)
    expect(stat).toEqual({ size: 1000 })
  })
})

test('a missing blob costs one request, and a forbidden one is an error', async () => {
  const { stat, asked } = await ask((_, response) => response.writeHead(404).end())
  expect(stat).toBeUndefined()
  expect(asked.at(-1)).toMatch(/^HEAD/)
  const denied = await ask(
    (_, response) => response.writeHead(403).end(),
    (_, response) => json(response, 403),
  )
  expect([denied.resolved, denied.stat]).toMatchObject([{ code: 'ERR_UNAUTHORIZED' }, { code: 'ERR_UNAUTHORIZED' }])
})

test('the size of a blob is unknown if the target of a redirect allows neither method', async () => {
  for (const status of [400, 403, 404]) expect((await ask(redirected(status), redirected(status))).stat).toBeUndefined()
})

test('a wrong password is sent once', async () => {
  const { resolved, asked } = await ask((_, response) => response.writeHead(401).end())
  expect(resolved).toMatchObject({ code: 'ERR_UNAUTHORIZED', method: 'HEAD' })
  expect(asked.filter(line => line.includes('/manifests/'))).toHaveLength(1)
})
