import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { MediaType } from '../../lib/oci/index.ts'
import type { RegistryClientOptions } from '../../lib/registry/index.ts'
import { makeCertificate } from '../helpers/make-certificate.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf } from '../helpers/sample-blob.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { startProxy } from '../helpers/start-proxy.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptorOf(Buffer.from('{}'), MediaType.OciConfig), layers: [] }),
)
const answer: Script = (_, response) => response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(manifest)
const fetch = async (host: string, options: RegistryClientOptions) => {
  await using registry = registryClientFor({ retries: { tries: 2 }, ...options })
  return registry.fetchManifest({ registry: host, repository: 'a', tag: 'v' }).then(
    ({ bytes }) => bytes.length,
    (error: unknown) => error,
  )
}
const listen = async (server: Server) => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close }
}
const startTls = (options: ServerOptions, script: Script = answer) =>
  listen(createServer(options, (request, response) => void script(request, response, 0)))
const local = async () => [{ address: '127.0.0.1', family: 4 }]

describe('a proxy', () => {
  const { key, cert } = selfSignedCertificate()

  test('receives the whole URL of a plain request, and only its own password', async () => {
    await using server = await startScriptedRegistry(answer)
    await using proxy = await startProxy()
    const host = `registry.test:${server.host.split(':')[1]}`
    const environment = { http_proxy: `http://ann:p%40ss@${proxy.host}` }
    const credentials = { [host]: { registryToken: 'token' } }
    expect(await fetch(host, { environment, plainHttp: [host], credentials })).toBe(manifest.length)
    const authorization = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`
    expect(proxy.seen).toMatchObject([{ method: 'GET', target: `http://${host}/v2/a/manifests/v`, authorization }])
    expect(server.seen[0]!.headers.host).toBe(host)
  })

  test("sees only the host's name of an encrypted request", async () => {
    await using server = await startTls({ key, cert })
    await using proxy = await startProxy()
    const host = `localhost.test:${server.port}`
    const options = { environment: { HTTPS_PROXY: proxy.host }, insecure: [host] }
    expect(await fetch(host, options)).toBe(manifest.length)
    expect(proxy.seen.map(({ method, target }) => [method, target])).toEqual([['CONNECT', host]])
    expect(Object.keys(proxy.seen[0]!.headers)).not.toContain('authorization')
    // The certificate is checked all the same.
    expect(await fetch(host, { environment: { HTTPS_PROXY: proxy.host }, ca: cert })).toMatchObject({
      code: 'ERR_NETWORK',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  test('is not used for exempt hosts', async () => {
    await using server = await startScriptedRegistry(answer)
    await using proxy = await startProxy()
    const host = `registry.test:${server.host.split(':')[1]}`
    const environment = { HTTP_PROXY: proxy.host, NO_PROXY: '.test' }
    expect(await fetch(host, { environment, plainHttp: [host], lookup: local })).toBe(manifest.length)
    expect(proxy.seen).toEqual([])
  })

  test.each([
    [407, false, 1],
    [503, true, 2],
  ])('that refuses (%d) is an error', async (refuse, retryable, tries) => {
    await using proxy = await startProxy({ refuse })
    const error = await fetch('registry.test', { proxy: `http://ann:secret@${proxy.host}` })
    expect(error).toMatchObject({ code: 'ERR_NETWORK', status: refuse, retryable })
    expect(String(error)).not.toContain('secret')
    expect(proxy.seen).toHaveLength(tries)
  })

  test('that does not answer or does not exist is an error within the time limit', async () => {
    await using proxy = await startProxy({ silent: true })
    const timeouts = { connectMs: 100 }
    const silent = await fetch('registry.test', { proxy: `http://${proxy.host}`, timeouts, retries: { tries: 1 } })
    expect(silent).toMatchObject({ code: 'ERR_NETWORK', retryable: true })
    const absent = await fetch('registry.test', { proxy: 'http://127.0.0.1:1', retries: { tries: 1 } })
    expect(absent).toMatchObject({
      code: 'ERR_NETWORK',
      cause: { code: 'ECONNREFUSED' },
      message: expect.stringMatching(
        /^proxy http:\/\/127\.0\.0\.1:1\/ not reached: no server listens on 127\.0\.0\.1 port 1 \(ECONNREFUSED\): GET https:/,
      ),
    })
  })

  test('that breaks the handshake is an error', async () => {
    await using plain = await startScriptedRegistry(answer)
    await using proxy = await startProxy()
    const error = await fetch(`registry.test:${plain.host.split(':')[1]}`, { proxy: `http://${proxy.host}` })
    expect(error).toMatchObject({ code: 'ERR_NETWORK' })
  })
})

describe('HT-32: a client certificate', () => {
  const authority = { commonName: 'authority', ...makeCertificate({ commonName: 'authority' }) }
  const ca = authority.cert
  const server = makeCertificate({ commonName: 'server', issuer: authority })
  const client = makeCertificate({ commonName: 'client', issuer: authority })
  const strict = { ...server, ca, requestCert: true, rejectUnauthorized: true }
  const nameOf = (request: Parameters<Script>[0]) => (request.socket as TLSSocket).getPeerCertificate().subject?.CN

  test('is presented to its registry; without it or without the authority the connection fails', async () => {
    await using registry = await startTls(strict)
    const host = `127.0.0.1:${registry.port}`
    const plainHttp = () => false
    expect(await fetch(host, { plainHttp, hosts: { [host]: { ca, ...client } } })).toBe(manifest.length)
    expect(await fetch(host, { plainHttp, hosts: { [host]: { ca: [ca] } } })).toMatchObject({ code: 'ERR_NETWORK' })
    expect(await fetch(host, { plainHttp, hosts: { [host]: client } })).toMatchObject({ code: 'ERR_NETWORK' })
    expect(await fetch(host, { plainHttp, hosts: { 'other.test': { ca, ...client } } })).toMatchObject({
      code: 'ERR_NETWORK',
    })
  })

  test('HT-07: is not presented to a host that the registry redirects to', async () => {
    const shown: unknown[] = []
    const asking = { ...server, ca, requestCert: true, rejectUnauthorized: false }
    await using elsewhere = await startTls(asking, (request, response, number) => {
      shown.push(nameOf(request))
      return answer(request, response, number)
    })
    await using registry = await startTls(strict, (request, response) => {
      shown.push(nameOf(request))
      return response.writeHead(307, { location: `https://127.0.0.1:${elsewhere.port}/x` }).end()
    })
    const host = `127.0.0.1:${registry.port}`
    expect(await fetch(host, { plainHttp: () => false, ca, hosts: { [host]: client } })).toBe(manifest.length)
    expect(shown).toEqual(['client', undefined])
  })

  test('without its key is refused', async () => {
    expect(() => registryClientFor({ hosts: { a: { cert: client.cert } } })).toThrow(/cert and key/)
  })
})

describe('settings of one host', () => {
  test('take precedence over the general ones', async () => {
    await using server = await startScriptedRegistry(answer)
    const host = `registry.test:${server.host.split(':')[1]}`
    const options = { lookup: local, plainHttp: () => false }
    expect(await fetch(host, { ...options, hosts: { [host]: { plainHttp: true } } })).toBe(manifest.length)
    expect(
      await fetch(host, { lookup: local, plainHttp: [host], hosts: { [host]: { plainHttp: false } } }),
    ).toMatchObject({
      code: 'ERR_NETWORK',
    })
    expect(() => registryClientFor({ hosts: { a: { concurrency: 0 } } })).toThrow(/concurrency/)
  })
})

describe('a reported rate limit', () => {
  test('is an event each time it changes', async () => {
    const events: object[] = []
    await using server = await startScriptedRegistry((request, response, number) => {
      const remaining = ['76;w=21600', '76;w=21600', '75', 'nonsense'][number]!
      response.setHeader('ratelimit-remaining', remaining).setHeader('ratelimit-limit', '100;w=21600')
      return answer(request, response, number)
    })
    await using registry = registryClientFor({ onEvent: event => events.push(event) })
    for (let i = 0; i < 4; i++) await registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'v' })
    const common = { type: 'rate-limit', registry: server.host, limit: 100, windowSeconds: 21600 }
    expect(events).toEqual([
      { ...common, remaining: 76 },
      { ...common, remaining: 75 },
    ])
  })
})
