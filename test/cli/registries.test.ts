import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type ServerOptions } from 'node:https'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { registriesPath } from '../../lib/cli/registries/registries-file.ts'
import type { Image } from '../../lib/image/index.ts'
import { createRegistryServer } from '../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { makeCertificate } from '../helpers/make-certificate.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { startProxy } from '../helpers/start-proxy.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: string
let remote: Store
let image: Image
let count = 0

const authority = makeCertificate({ commonName: 'Test Authority' })
const issuer = { ...authority, commonName: 'Test Authority' }
const server = makeCertificate({ commonName: 'localhost', issuer })
const client = makeCertificate({ commonName: 'ann', issuer })

beforeAll(async () => {
  directory = temporaryDirectory('cli-registries')
  remote = createMemoryStore()
  image = await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
  const files = { 'ca.pem': authority.cert, 'client.pem': client.cert, 'client-key.pem': client.key, 'no.pem': 'hello' }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory.path, name), text)
})
afterAll(() => directory[Symbol.dispose]())
beforeEach(() => {
  store = join(directory.path, `store-${count++}`)
})
const file = (name: string) => join(directory.path, name)
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => cli(args, { store, env })

/** Serves the image over https; `seen` lists the clients that showed a certificate. */
async function startTls(options: ServerOptions = {}) {
  const registry = createRegistryServer(remote)
  const seen: string[] = []
  const https = createServer({ key: server.key, cert: server.cert, ...options }, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    if (subject) seen.push(String(subject.CN))
    registry.handler(request, response)
  })
  await new Promise<void>(resolve => https.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(https.address() as { port: number }).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      https.closeAllConnections()
      await new Promise(resolve => https.close(resolve))
      await registry.close()
    },
  }
}

/** Writes a `registries.json` and returns the variable that names it. */
function config(document: unknown): NodeJS.ProcessEnv {
  const path = file(`registries-${count++}.json`)
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document))
  return { LAYERSTORE_CONFIG: path }
}

const pulled = () => ({ code: 0, stdout: `${image.descriptor.digest}\n` })
const refused = (code: string, ...texts: string[]) => ({
  code: code === 'ERR_USAGE' ? 2 : 1,
  stderr: expect.stringMatching(
    new RegExp(
      `${texts.map(text => `(?=.*${text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')})`).join('')}.*\\(${code}\\)\\n$`,
    ),
  ),
})

describe('a registry with a certificate of a private authority', () => {
  test('is reached with --ca, with --tls-verify=false, by registries.json or by a certs.d folder, and not without', async () => {
    await using tls = await startTls()
    const pull = (options: readonly string[], env?: NodeJS.ProcessEnv) =>
      run(['pull', `${tls.host}/app:1`, '--tag', 'x', ...options], env)
    expect(await pull(['--tls-verify=true'])).toMatchObject(refused('ERR_NETWORK', '--ca', 'UNABLE_TO_VERIFY'))
    expect(await pull(['--ca', file('ca.pem')])).toMatchObject(pulled())
    expect(await pull(['--tls-verify=false'])).toMatchObject(pulled())
    // Relative paths are relative to the config file.
    expect(await pull([], config({ registries: { [tls.host]: { ca: 'ca.pem' } } }))).toMatchObject(pulled())
    expect(await pull([], config({ registries: { [tls.host]: { tlsVerify: false } } }))).toMatchObject(pulled())
    expect(await pull([], config({ registries: { 'other.test': { tlsVerify: false } } }))).toMatchObject({ code: 1 })
    const folder = file(`home/.config/containers/certs.d/${tls.host}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'ca.crt'), authority.cert)
    expect(await pull([], { HOME: file('home') })).toMatchObject(pulled())
  })

  test('may have a token service of the same authority: --ca and the general ca of registries.json hold for it too', async () => {
    const tokens = createServer(server, (_, response) => response.end('{"token":"t"}'))
    await new Promise<void>(resolve => tokens.listen(0, '127.0.0.1', resolve))
    const realm = `https://localhost:${(tokens.address() as { port: number }).port}/token`
    const registry = createServer(server, (request, response) => {
      const isIn = request.headers.authorization === 'Bearer t'
      const headers = { 'www-authenticate': `Bearer realm="${realm}",service="x"`, 'content-type': 'application/json' }
      response.writeHead(isIn ? 200 : 401, headers).end(isIn ? '{"name":"app","tags":["1"]}' : '{}')
    })
    await new Promise<void>(resolve => registry.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(registry.address() as { port: number }).port}`
    try {
      expect(await run(['tags', `${host}/app`, '--ca', file('ca.pem')])).toMatchObject({ code: 0, stdout: '1\n' })
      const general = config({ ca: 'ca.pem', registries: { [host]: { plainHttp: false } } })
      expect(await run(['tags', `${host}/app`], general)).toMatchObject({ code: 0, stdout: '1\n' })
      const own = config({ registries: { [host]: { ca: 'ca.pem' } } })
      expect(await run(['tags', `${host}/app`], own)).toMatchObject(refused('ERR_NETWORK', 'localhost', '--ca'))
    } finally {
      for (const one of [tokens, registry]) {
        one.closeAllConnections()
        await new Promise(resolve => one.close(resolve))
      }
    }
  })

  test('that asks for a client certificate gets that of --cert and --key, of registries.json or of certs.d', async () => {
    await using tls = await startTls({ requestCert: true, rejectUnauthorized: true, ca: [authority.cert] })
    const pull = (options: readonly string[], env?: NodeJS.ProcessEnv) =>
      run(['pull', `${tls.host}/app:1`, '--tag', 'x', ...options], env)
    const ca = ['--ca', file('ca.pem')]
    expect(await pull(ca)).toMatchObject({ code: 1 })
    expect(await pull([...ca, '--cert', file('client.pem'), '--key', file('client-key.pem')])).toMatchObject(pulled())
    const pair = { ca: [file('ca.pem')], cert: 'client.pem', key: 'client-key.pem' }
    expect(await pull([], config({ registries: { [tls.host]: pair } }))).toMatchObject(pulled())
    const folder = file(`mutual/.config/containers/certs.d/${tls.host}`)
    mkdirSync(folder, { recursive: true })
    const files = { 'ca.crt': authority.cert, 'me.cert': client.cert, 'me.key': client.key }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    expect(await pull([], { HOME: file('mutual') })).toMatchObject(pulled())
    expect(new Set(tls.seen)).toEqual(new Set(['ann']))
  })
})

describe('a proxy, a mirror and plain http', () => {
  test('--proxy and the proxy of registries.json carry requests, and `none` and `false` turn a proxy off', async () => {
    await using plain = await serveStore(remote)
    await using proxy = await startProxy()
    const host = `registry.test:${plain.host.split(':')[1]}`
    const tags = (options: readonly string[], env?: NodeJS.ProcessEnv) =>
      run(['tags', `${host}/app`, '--plain-http', ...options], env)
    expect(await tags(['--proxy', `http://${proxy.host}`])).toMatchObject({ code: 0, stdout: '1\n' })
    expect(await tags([], config({ proxy: `http://${proxy.host}` }))).toMatchObject({ code: 0, stdout: '1\n' })
    const own = { proxy: 'http://127.0.0.1:1', registries: { [host]: { proxy: `http://${proxy.host}` } } }
    expect(await tags([], config(own))).toMatchObject({ code: 0, stdout: '1\n' })
    expect(proxy.seen).toHaveLength(3)
    const off = { proxy: `http://${proxy.host}`, registries: { [host]: { proxy: false } } }
    expect(await tags([], config(off))).toMatchObject(refused('ERR_NETWORK', 'registry.test', 'not found'))
    expect(await tags(['--proxy', 'none'], config(own))).toMatchObject(refused('ERR_NETWORK', 'registry.test'))
    expect(proxy.seen).toHaveLength(3)
  })

  test('a mirror is asked first: that of --mirror for each registry, that of --mirror REGISTRY=… for one', async () => {
    await using mirror = await serveStore(remote)
    const pull = (options: readonly string[], env?: NodeJS.ProcessEnv) =>
      run(['pull', '127.0.0.1:1/app:1', '--tag', 'x', ...options], env)
    expect(await pull(['--mirror', mirror.host])).toMatchObject(pulled())
    expect(await pull(['--mirror', `127.0.0.1:1=${mirror.host}`])).toMatchObject(pulled())
    expect(await pull(['--mirror', `127.0.0.1:2=${mirror.host}`])).toMatchObject(refused('ERR_NETWORK', '127.0.0.1:1'))
    const mirrors = [{ location: mirror.host, sendOrigin: false }]
    expect(await pull([], config({ registries: { '127.0.0.1:1': { mirrors } } }))).toMatchObject(pulled())
  })

  test('--plain-http and plainHttp reach a registry without TLS that is not on a loopback address', async () => {
    await using plain = await serveStore(remote)
    await using proxy = await startProxy()
    const host = `registry.test:${plain.host.split(':')[1]}`
    const via = ['tags', `${host}/app`, '--proxy', `http://${proxy.host}`]
    expect(await run([...via, '--plain-http'])).toMatchObject({ code: 0 })
    expect(await run(via, config({ registries: { [host]: { plainHttp: true } } }))).toMatchObject({ code: 0 })
    expect(await run(via)).toMatchObject(refused('ERR_NETWORK'))
  })
})

describe('settings that cannot be used are refused, and the message names the option or the member of the file', () => {
  test.each([
    [
      ['--tls-verify', 'maybe'],
      ['--tls-verify', 'true or false', 'maybe'],
    ],
    [
      ['--ca', '/'],
      ['--ca', '"/" is a directory, not a file'],
    ],
    [['--cert', 'client.pem'], ['--cert and --key belong together']],
    [
      ['--mirror', 'docker.io='],
      ['--mirror', 'docker.io='],
    ],
  ])('%j', async (options, texts) => {
    expect(await run(['pull', '127.0.0.1:1/app:1', ...options])).toMatchObject(refused('ERR_USAGE', ...texts))
  })

  test.each([
    ['{', 'is not valid JSON'],
    [[], 'the document must be an object'],
    [{ mirrors: [] }, 'mirrors is not a setting; known are proxy, ca, allowedHosts, registries'],
    [{ allowedHosts: [1] }, 'allowedHosts must be a list of hosts'],
    [{ ca: 'no.pem' }, 'no.pem is not a PEM file'],
    [{ proxy: 3 }, 'proxy must be an address, or false'],
    [{ registries: { 'a.test': { plainHtpp: true } } }, 'registries.a.test.plainHtpp is not a setting'],
    [{ registries: { 'a.test': { tlsVerify: 'false' } } }, 'registries.a.test.tlsVerify must be true or false'],
    [{ registries: { 'a.test': { ca: 'no.pem' } } }, 'no.pem is not a PEM file'],
    [{ registries: { 'a.test': { cert: 'client.pem' } } }, 'registries.a.test needs cert and key together'],
    [{ registries: { 'a.test': { concurrency: 0 } } }, 'registries.a.test.concurrency must be a whole number'],
    [{ registries: { 'a.test': { mirrors: [{}] } } }, 'registries.a.test.mirrors[0].location must be HOST[/PREFIX]'],
  ])('%j: %s', async (document, text) => {
    const env = config(document)
    expect(await run(['pull', '127.0.0.1:1/app:1'], env)).toMatchObject(
      refused('ERR_USAGE', env.LAYERSTORE_CONFIG!, text),
    )
  })

  test('a file that does not exist has the code of every missing file', async () => {
    expect(await run(['pull', '127.0.0.1:1/app:1', '--ca', 'nowhere.pem'])).toMatchObject(
      refused('ERR_SOURCE_NOT_FOUND', '--ca', 'no such file', 'nowhere.pem'),
    )
    const env = config({ registries: { 'a.test': { ca: 'gone.pem' } } })
    expect(await run(['pull', '127.0.0.1:1/app:1'], env)).toMatchObject(
      refused('ERR_SOURCE_NOT_FOUND', env.LAYERSTORE_CONFIG!, 'registries.a.test.ca: no such file'),
    )
  })

  test('a config file that the environment names must exist; the one in the config folder need not', async () => {
    const env = { LAYERSTORE_CONFIG: file('gone.json') }
    expect(await run(['pull', '127.0.0.1:1/app:1'], env)).toMatchObject(refused('ERR_USAGE', 'gone.json'))
    expect(registriesPath({ HOME: '/h' }, 'linux')).toBe('/h/.config/layerstore/registries.json')
    expect(registriesPath({ HOME: '/h', XDG_CONFIG_HOME: '/c' }, 'linux')).toBe('/c/layerstore/registries.json')
    expect(registriesPath({ HOME: '/h' }, 'darwin')).toContain('/h/Library/Application Support/')
    expect(registriesPath({ APPDATA: 'C:\\r' }, 'win32')).toMatch(/^C:\\r.layerstore.registries\.json$/)
  })

  test('a password in a proxy address is in no message', async () => {
    const run1 = await run(['tags', 'registry.test/app', '--proxy', 'ftp://ann:secret@proxy.test'])
    expect(run1.code).not.toBe(0)
    expect(run1.stderr).not.toContain('secret')
    const run2 = await run(['tags', 'registry.test/app'], config('{"proxy": "http://ann:secret@proxy.test", }'))
    expect(run2.stderr).not.toContain('secret')
  })
})
