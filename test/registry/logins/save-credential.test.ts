import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createOwner } from '../../../lib/internal/locks/owner.ts'
import { defaultCredentials } from '../../../lib/registry/credentials/default-credentials.ts'
import { forgetCredential, saveCredential } from '../../../lib/registry/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

let place: ReturnType<typeof temporaryDirectory>
let environment: NodeJS.ProcessEnv
const file = () => join(place.path, 'docker', 'config.json')
const document = () => JSON.parse(readFileSync(file(), 'utf8'))
const write = (config: object) => {
  mkdirSync(join(place.path, 'docker'), { recursive: true })
  writeFileSync(file(), JSON.stringify(config))
}
const find = (registry: string) => defaultCredentials(registry, environment, undefined)

beforeEach(() => {
  place = temporaryDirectory('logins')
  environment = { DOCKER_CONFIG: join(place.path, 'docker'), PATH: place.path }
})
afterEach(() => place[Symbol.dispose]())

const me = { username: 'me', password: 'p:ss wörd' }

describe('without a credential helper', () => {
  test('a login is kept in docker’s config file, for its owner only, and found again', async () => {
    expect(await saveCredential('a.example', me, { environment })).toEqual({
      name: '$DOCKER_CONFIG/config.json',
      plain: true,
    })
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(await find('a.example')).toEqual(me)
    expect(readFileSync(file(), 'utf8')).not.toContain('wörd')
  })

  test('everything else in the file stays, and a login of the same registry is replaced', async () => {
    write({ HttpHeaders: { a: '1' }, auths: { 'b.example': { auth: 'eDp5' }, 'a.example': { auth: 'eDp5' } } })
    await saveCredential('a.example', me, { environment })
    await saveCredential('docker.io', { identityToken: 'token' }, { environment })
    expect(document()).toMatchObject({ HttpHeaders: { a: '1' }, auths: { 'b.example': { auth: 'eDp5' } } })
    expect(Object.keys(document().auths)).toEqual(['b.example', 'a.example', 'https://index.docker.io/v1/'])
    expect(await find('docker.io')).toMatchObject({ identityToken: 'token' })
    expect(await find('a.example')).toEqual(me)
  })

  test('a link to the file stays a link', async () => {
    mkdirSync(join(place.path, 'docker'))
    writeFileSync(join(place.path, 'kept.json'), '{}')
    symlinkSync(join(place.path, 'kept.json'), file())
    await saveCredential('a.example', me, { environment })
    expect(readFileSync(join(place.path, 'kept.json'), 'utf8')).toContain('a.example')
    expect(await find('a.example')).toEqual(me)
  })

  test('logins at the same time are all kept, and no lock stays behind', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `r${index}.example`)
    write({ auths: { 'old.example': { auth: 'eDp5' } } })
    const logins = names.map(name => saveCredential(name, me, { environment }))
    await Promise.all([...logins, forgetCredential('old.example', { environment })])
    expect(Object.keys(document().auths).sort()).toEqual(names)
    expect(readdirSync(join(place.path, 'docker'))).toEqual(['config.json'])
  })

  test('the lock of a killed process is taken over; that of a living one is waited for, until a signal', async () => {
    write({})
    const lock = `${file()}.lock`
    const alive = await createOwner()
    writeFileSync(lock, JSON.stringify({ ...alive, pid: 2 ** 30, start: '' }))
    await saveCredential('a.example', me, { environment })
    expect(existsSync(lock)).toBe(false)
    writeFileSync(lock, JSON.stringify(alive))
    const stop = new AbortController()
    const waiting = thrownBy(() => saveCredential('b.example', me, { environment, signal: stop.signal }))
    stop.abort(new Error('enough'))
    expect(await waiting).toBe(stop.signal.reason)
    expect(Object.keys(document().auths)).toEqual(['a.example'])
  })

  test('a logout removes the login under each of its names, once', async () => {
    write({
      auths: { 'https://a.example/v2/': { auth: 'eDp5' }, 'a.example': { auth: 'eDp5' }, 'b.example': {} },
      x: 1,
    })
    expect(await forgetCredential('a.example', { environment })).toBe(true)
    expect(document()).toEqual({ auths: { 'b.example': {} }, x: 1 })
    expect(await forgetCredential('a.example', { environment })).toBe(false)
  })

  test('a logout creates no file', async () => {
    expect(await forgetCredential('a.example', { environment })).toBe(false)
    expect(existsSync(file())).toBe(false)
  })
})

describe('with a credential helper', () => {
  /** A helper that keeps one secret in a file, as the protocol of docker asks for. */
  const helper = (name: string, script?: string) => {
    const path = join(place.path, `docker-credential-${name}`)
    const kept = join(place.path, 'secret')
    const body = `PATH=/usr/bin:/bin
case "$1" in
store) cat > ${kept} ;;
get) read -r server; if [ -e ${kept} ]; then cat ${kept}; else echo credentials not found in native keychain; exit 1; fi ;;
erase) read -r server; rm -f ${kept} ;;
esac
`
    writeFileSync(path, `#!/bin/sh\n${script ?? body}`)
    chmodSync(path, 0o755)
  }

  test('the helper of the registry keeps the secret, and the file names the registry only', async () => {
    helper('keeper')
    write({ credHelpers: { 'a.example': 'keeper' } })
    expect(await saveCredential('a.example', me, { environment })).toEqual({
      name: 'docker-credential-keeper',
      plain: false,
    })
    expect(document()).toEqual({ credHelpers: { 'a.example': 'keeper' }, auths: { 'a.example': {} } })
    expect(await find('a.example')).toEqual(me)
    expect(await forgetCredential('a.example', { environment })).toBe(true)
    expect(existsSync(join(place.path, 'secret'))).toBe(false)
    expect(document().auths).toEqual({})
    expect(await forgetCredential('a.example', { environment })).toBe(false)
  })

  test('the general helper is used too, and an identity token is stored under its name', async () => {
    helper('keeper')
    write({ credsStore: 'keeper' })
    await saveCredential('b.example', { identityToken: 'token' }, { environment })
    expect(JSON.parse(readFileSync(join(place.path, 'secret'), 'utf8'))).toEqual({
      ServerURL: 'b.example',
      Username: '<token>',
      Secret: 'token',
    })
    expect(await find('b.example')).toEqual({ identityToken: 'token' })
  })

  test('a helper that fails is an error without the secret, and the file stays', async () => {
    helper('keeper', 'cat >&2; exit 1\n')
    write({ credsStore: 'keeper' })
    const error = await thrownBy(() => saveCredential('a.example', me, { environment }))
    expect(error).toMatchObject({
      code: 'ERR_CREDENTIALS',
      message: expect.stringContaining('docker-credential-keeper'),
    })
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('wörd')
    expect(document()).toEqual({ credsStore: 'keeper' })
  })
})

test.each([
  ['{"auths":[]}', 'auths in $DOCKER_CONFIG/config.json is not an object'],
  ['{"auths":', 'is not a JSON object'],
])('a file that holds %s is refused and stays', async (text, message) => {
  mkdirSync(join(place.path, 'docker'))
  writeFileSync(file(), text)
  const refused = { code: 'ERR_CREDENTIALS', message: expect.stringContaining(message) }
  await expect(saveCredential('a.example', me, { environment })).rejects.toMatchObject(refused)
  expect(readFileSync(file(), 'utf8')).toBe(text)
})

test('a place that cannot be written is a typed error with its cause', async () => {
  writeFileSync(join(place.path, 'docker'), 'a file')
  await expect(saveCredential('a.example', me, { environment })).rejects.toMatchObject({
    code: 'ERR_CREDENTIALS',
    cause: { code: expect.stringMatching(/^(ENOTDIR|EEXIST)$/) },
  })
})
