import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultCredentials } from '../../lib/registry/credentials/default-credentials.ts'
import { createRegistryClient } from '../../lib/registry/index.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let environment: NodeJS.ProcessEnv
beforeEach(() => {
  directory = temporaryDirectory('credentials')
  environment = { DOCKER_CONFIG: directory.path, HOME: join(directory.path, 'home'), PATH: directory.path }
})
afterEach(() => directory[Symbol.dispose]())

const base64 = (text: string) => Buffer.from(text).toString('base64')
const config = (document: unknown, file = 'config.json') =>
  writeFileSync(join(directory.path, file), typeof document === 'string' ? document : JSON.stringify(document))
const helper = (name: string, script: string) => {
  const path = join(directory.path, `docker-credential-${name}`)
  writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`)
  chmodSync(path, 0o755)
}
const find = (registry: string, signal?: AbortSignal) => defaultCredentials(registry, environment, signal)
const failure = (registry = 'a.example') => thrownBy(() => find(registry))

describe("docker's config", () => {
  test('gives user and password, split at the first colon', async () => {
    config({ auths: { 'a.example': { auth: base64('ann:pass:word') } } })
    expect(await find('a.example')).toEqual({ username: 'ann', password: 'pass:word' })
  })

  test('is read from the home directory without $DOCKER_CONFIG', async () => {
    delete environment.DOCKER_CONFIG
    mkdirSync(join(directory.path, 'home', '.docker'), { recursive: true })
    config({ auths: { 'a.example': { username: 'ann', password: 'pw' } } }, 'home/.docker/config.json')
    expect(await find('a.example')).toEqual({ username: 'ann', password: 'pw' })
  })

  test.each([
    [
      { identitytoken: 'id', auth: base64('ann:') },
      { username: 'ann', identityToken: 'id' },
    ],
    [{ registrytoken: 'bearer' }, { registryToken: 'bearer' }],
    [{ auth: base64('ann:pw\0\0') }, { username: 'ann', password: 'pw' }],
    [{}, undefined],
    [{ auth: '', identitytoken: '' }, undefined],
    [{ auth: null }, undefined],
    [{ username: null, password: null, identitytoken: null, registrytoken: null }, undefined],
    [
      { auth: null, username: 'ann', password: 'pw' },
      { username: 'ann', password: 'pw' },
    ],
    [null, undefined],
  ])('reads the entry %j', async (entry, expected) => {
    config({ auths: { 'a.example': entry } })
    expect(await find('a.example')).toEqual(expected)
  })

  test.each(['https://a.example', 'https://a.example/', 'https://a.example/v1/', 'https://a.example/v2/'])(
    'accepts the key %s',
    async key => {
      config({ auths: { [key]: { auth: base64('ann:pw') } } })
      expect(await find('a.example')).toEqual({ username: 'ann', password: 'pw' })
    },
  )

  test.each(['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io'])(
    'finds Docker Hub under %s',
    async key => {
      config({ auths: { [key]: { auth: base64('ann:pw') } } })
      expect(await find('docker.io')).toEqual({ username: 'ann', password: 'pw' })
    },
  )

  test.each([
    'a.example.evil',
    'evil.a.example',
    'a.example:5000',
    'A.example',
    'a.exampl',
    'http://a.example',
    'a.example/team',
  ])('does not use %s for a.example', async key => {
    config({ auths: { [key]: { auth: base64('ann:pw') } } })
    expect(await find('a.example')).toBeUndefined()
  })

  test.each(['constructor', '__proto__', 'toString'])('finds nothing for a registry called %s', async name => {
    config('{"auths":{"__proto__":{"auth":""}},"credHelpers":{}}')
    expect(await find(name)).toBeUndefined()
  })

  test.each(['', ' ', '\n\t \r\n', '{}', '{"auths":null,"credHelpers":null,"credsStore":null}'])(
    'without entries (%j) means anonymous access',
    async text => {
      config(text)
      expect(await find('a.example')).toBeUndefined()
    },
  )

  test('an absent helper (null or empty) is skipped, and the next place is used', async () => {
    for (const absent of [null, '']) {
      config({
        credHelpers: { 'a.example': absent },
        credsStore: absent,
        auths: { 'a.example': { auth: base64('a:b') } },
      })
      expect(await find('a.example')).toEqual({ username: 'a', password: 'b' })
    }
  })

  test('that does not exist means anonymous access', async () => {
    expect(await find('a.example')).toBeUndefined()
    expect(await defaultCredentials('a.example', { ...environment, REGISTRY_AUTH_FILE: '/dev/null' }, undefined)).toBe(
      undefined,
    )
    environment.DOCKER_CONFIG = '/dev/null'
    expect(await find('a.example')).toBeUndefined()
  })

  test.each([
    ['no JSON', 'hunter2 {'],
    ['an array', '[]'],
    ['a text', '"hunter2"'],
    ['twice the same key', '{"auths":{},"auths":{}}'],
    ['auths that are none', '{"auths":"hunter2"}'],
    ['an entry that is a text', '{"auths":{"a.example":"hunter2"}}'],
    ['an entry that is a list', '{"auths":{"a.example":["hunter2"]}}'],
    ['an entry that is a number', '{"auths":{"a.example":5}}'],
    ['an entry that is false', '{"auths":{"a.example":false}}'],
    ['an auth that is no text', '{"auths":{"a.example":{"auth":5}}}'],
    ['an auth that is no base64', '{"auths":{"a.example":{"auth":"YW5u*OnB3"}}}'],
    ['an auth with bad padding', '{"auths":{"a.example":{"auth":"YW5uOnB3cg"}}}'],
    ['an auth without colon', `{"auths":{"a.example":{"auth":"${base64('hunter2')}"}}}`],
    ['an auth without user', `{"auths":{"a.example":{"auth":"${base64(':hunter2')}"}}}`],
  ])('that holds %s is an error, which quotes nothing', async (_, text) => {
    config(text)
    const error = await failure()
    expect(error.code).toBe('ERR_CREDENTIALS')
    expect(`${error.stack}${JSON.stringify(error)}${String(error.cause)}`).not.toMatch(/hunter2|YW5u/)
    expect(error.message).not.toContain(directory.path)
  })

  test('that is a directory, too large or a loop of links is an error', async () => {
    mkdirSync(join(directory.path, 'config.json'))
    expect((await failure()).code).toBe('ERR_CREDENTIALS')
    environment.DOCKER_CONFIG = join(directory.path, 'large')
    mkdirSync(environment.DOCKER_CONFIG)
    config(' '.repeat(1024 * 1024 + 1), 'large/config.json')
    expect((await failure()).code).toBe('ERR_CREDENTIALS')
    environment.DOCKER_CONFIG = join(directory.path, 'loop')
    mkdirSync(environment.DOCKER_CONFIG)
    symlinkSync('config.json', join(directory.path, 'loop', 'config.json'))
    expect((await failure()).code).toBe('ERR_CREDENTIALS')
  })
})

describe("podman's auth file", () => {
  test("is read after docker's, at its default path or at $REGISTRY_AUTH_FILE", async () => {
    environment.XDG_RUNTIME_DIR = directory.path
    mkdirSync(join(directory.path, 'containers'))
    config(
      { auths: { 'a.example': { auth: base64('bob:pw') }, 'b.example': { auth: base64('bob:pw') } } },
      'containers/auth.json',
    )
    config({ auths: { 'a.example': { auth: base64('ann:pw') } } })
    expect(await find('a.example')).toMatchObject({ username: 'ann' })
    expect(await find('b.example')).toMatchObject({ username: 'bob' })
    environment.REGISTRY_AUTH_FILE = join(directory.path, 'mine.json')
    config({ auths: { 'b.example': { auth: base64('eve:pw') } } }, 'mine.json')
    expect(await find('b.example')).toMatchObject({ username: 'eve' })
  })
})

describe('a credential helper', () => {
  const answer = (username: string) => `cat >&2; printf '{"ServerURL":"x","Username":"${username}","Secret":"hunter2"}'`

  test("for one registry runs before the general one, and both before the file's entries", async () => {
    config({
      auths: { 'c.example': { auth: base64('file:pw') } },
      credHelpers: { 'a.example': 'one' },
      credsStore: 'two',
    })
    helper('one', answer('one'))
    helper(
      'two',
      `read server; [ "$server" = c.example ] && printf 'credentials not found in native keychain\\n' && exit 1; ${answer('two')}`,
    )
    expect(await find('a.example')).toEqual({ username: 'one', password: 'hunter2' })
    expect(await find('b.example')).toEqual({ username: 'two', password: 'hunter2' })
    expect(await find('c.example')).toEqual({ username: 'file', password: 'pw' })
  })

  test("receives the server's name on its input, as docker writes it", async () => {
    config({ credsStore: 'echo' })
    helper('echo', `read server; printf '{"Username":"%s %s","Secret":"x"}' "$1" "$server"`)
    expect(await find('a.example:5000')).toMatchObject({ username: 'get a.example:5000' })
    expect(await find('docker.io')).toMatchObject({ username: 'get https://index.docker.io/v1/' })
  })

  test('returns an identity token for the user <token>, and nothing for an empty secret', async () => {
    config({ credsStore: 'token' })
    helper('token', `printf '{"Username":"<token>","Secret":"id"}'`)
    expect(await find('a.example')).toEqual({ identityToken: 'id' })
    helper('token', `printf '{"Username":"","Secret":""}'`)
    expect(await find('a.example')).toBeUndefined()
  })

  test.each([
    ['fails', 'echo hunter2; echo hunter2 >&2; exit 3'],
    ['answers no JSON', 'echo hunter2'],
    ['answers null', 'echo null'],
    ['answers without secret', `echo '{"Username":"hunter2"}'`],
    ['answers without end', 'yes hunter2'],
    ['complains without end', 'yes hunter2 >&2'],
  ])('that %s is an error that names the helper and quotes no output', async (_, script) => {
    config({ credsStore: 'bad' })
    helper('bad', script)
    const error = await failure()
    expect(error).toMatchObject({ code: 'ERR_CREDENTIALS', message: expect.stringContaining('docker-credential-bad') })
    expect(`${error.stack}${JSON.stringify(error)}${String(error.cause)}`).not.toContain('hunter2')
  })

  test('that is not on the search path is an error', async () => {
    config({ credsStore: 'absent' })
    expect((await failure()).code).toBe('ERR_CREDENTIALS')
    helper('absent', 'exit 0')
    chmodSync(join(directory.path, 'docker-credential-absent'), 0o644)
    expect((await failure()).code).toBe('ERR_CREDENTIALS')
  })

  test('that hangs is killed by an abort', async () => {
    config({ credsStore: 'slow' })
    helper('slow', 'exec sleep 60')
    const reason = new Error('enough')
    const stop = new AbortController()
    setTimeout(() => stop.abort(reason), 100)
    expect(await thrownBy(() => find('a.example', stop.signal))).toBe(reason)
  })
})

test('the client looks credentials up only when a registry asks for them, and sends it its own', async () => {
  await using open = await startScriptedRegistry((_, response) =>
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}'),
  )
  await using closed = await startScriptedRegistry((_, response) =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
  )
  config('broken')
  await using registry = createRegistryClient({ environment, credentials: { 'z.example': { password: 'x' } } })
  const ask = (host: string) => thrownBy(() => registry.fetchManifest({ registry: host, repository: 'a', tag: 'v' }))
  expect((await ask(open.host)).code).toBe('ERR_MANIFEST_NOT_FOUND')
  expect(await ask(closed.host)).toMatchObject({
    code: 'ERR_CREDENTIALS',
    url: `http://${closed.host}/v2/a/manifests/v`,
    message: `credentials unusable: $DOCKER_CONFIG/config.json is not a JSON object: GET http://${closed.host}/v2/a/manifests/v`,
  })
  config({ auths: { [closed.host]: { auth: base64('ann:pw') } } })
  expect((await ask(closed.host)).code).toBe('ERR_UNAUTHORIZED')
  expect(closed.seen.at(-1)!.headers.authorization).toBe(`Basic ${base64('ann:pw')}`)
})
