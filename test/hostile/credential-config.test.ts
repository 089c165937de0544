import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultCredentials } from '../../lib/registry/credentials/default-credentials.ts'
import { runCredentialHelper } from '../../lib/registry/credentials/run-credential-helper.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/* `reliability.md` 2.11 by case name: config files and helpers that try to send a password to the wrong registry. */

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory('credential-config')
})
afterEach(() => directory[Symbol.dispose]())

const find = (registry: string) =>
  defaultCredentials(registry, { DOCKER_CONFIG: directory.path, HOME: directory.path, PATH: directory.path }, undefined)
const file = () => join(directory.path, 'config.json')
const write = (document: unknown) =>
  writeFileSync(file(), typeof document === 'string' ? document : JSON.stringify(document))
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const entry = { auth: Buffer.from('ann:hunter2').toString('base64') }

test.each([
  ['suffix-confusion', 'registry.example', 'evil-registry.example'],
  ['suffix-confusion-dot', 'registry.example', 'evil.registry.example'],
  ['suffix-confusion-key', 'a.registry.example', 'registry.example'],
  ['prefix-confusion', 'registry.example', 'registry.example.evil'],
  ['port-mismatch', 'registry.example:5000', 'registry.example:5001'],
  ['port-missing', 'registry.example:5000', 'registry.example'],
  ['port-added', 'registry.example', 'registry.example:5000'],
  ['path-confusion', 'registry.example/registry.evil', 'registry.evil'],
  ['userinfo-confusion', 'registry.evil@registry.example', 'registry.evil'],
  ['docker-hub-lookalike', 'https://index.docker.io/v1/', 'index.docker.io.evil'],
  ['registry-named-constructor', 'registry.example', 'constructor'],
  ['registry-named-proto', 'registry.example', '__proto__'],
])('%s: what is kept for %s is not for %s', async (_, key, registry) => {
  write({ auths: { [key]: entry }, credHelpers: {} })
  expect(await find(registry)).toBeUndefined()
})

test('proto: a member __proto__ is no place to look', async () => {
  write(`{"__proto__":{"auths":{"a.example":${JSON.stringify(entry)}}}}`)
  expect(await find('a.example')).toBeUndefined()
  write(`{"auths":{"__proto__":{"a.example":${JSON.stringify(entry)}}}}`)
  expect(await find('a.example')).toBeUndefined()
})

test.each([
  ['bad-base64-letters', { auths: { 'a.example': { auth: 'YW5u*OmgyaHVudGVy' } } }],
  ['bad-base64-padding', { auths: { 'a.example': { auth: `${entry.auth}=` } } }],
  ['bad-base64-hex', { auths: { 'a.example': { auth: '616e6e3a68756e746572320' } } }],
  ['auth-number', { auths: { 'a.example': { auth: 5 } } }],
  ['auths-array', { auths: [entry] }],
  ['json-dup', `{"auths":{},"auths":{"a.example":${JSON.stringify(entry)}}}`],
  ['json-trailing', '{}{}'],
])('%s is an error that does not show the password, not anonymity', async (_, document) => {
  write(document)
  const error = await thrownBy(() => find('a.example'))
  expect(error).toMatchObject({ code: 'ERR_CREDENTIALS' })
  expect(error.message).not.toMatch(/hunter2|aHVudGVy/)
})

test.each([
  ['config-directory', () => mkdirSync(file())],
  ['config-symlink-loop', () => symlinkSync(file(), file())],
  [
    'config-100mb',
    () => {
      write('{}')
      truncateSync(file(), 100 * 1024 * 1024)
    },
  ],
])('%s is an error, not anonymity', async (_, make) => {
  make()
  expect(await thrownBy(() => find('a.example'))).toMatchObject({ code: 'ERR_CREDENTIALS' })
})

test.each([
  ['helper-exit', 'echo hunter2; exit 3', 'ERR_CREDENTIALS'],
  ['helper-not-json', 'echo hunter2', 'ERR_CREDENTIALS'],
  ['helper-1gb-stdout', 'yes hunter2', 'ERR_CREDENTIALS'],
  ['helper-stderr-flood', 'yes hunter2 >&2', 'ERR_CREDENTIALS'],
  ['helper-not-found', 'echo "credentials not found in native keychain"; exit 1', undefined],
])('%s', async (_, script, code) => {
  const path = join(directory.path, 'docker-credential-x')
  writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`)
  chmodSync(path, 0o755)
  write({ credHelpers: { 'a.example': 'x' } })
  if (code === undefined) {
    expect(await find('a.example')).toBeUndefined()
    return
  }
  const error = await thrownBy(() => find('a.example'))
  expect(error).toMatchObject({ code })
  expect(error.message).not.toContain('hunter2')
})

test.runIf(needs(process.geteuid?.() !== 0, 'needs a user other than root'))(
  'config-eacces: a file that may not be read is an error (root may read all)',
  async () => {
    write({ auths: { 'a.example': entry } })
    chmodSync(file(), 0)
    expect(await thrownBy(() => find('a.example'))).toMatchObject({ code: 'ERR_CREDENTIALS' })
  },
)

test.runIf(needsProgram('mkfifo'))('config-fifo: a pipe in place of the file does not block the client', async () => {
  execFileSync('mkfifo', [file()])
  expect(await thrownBy(() => find('a.example'))).toMatchObject({ code: 'ERR_CREDENTIALS' })
})

test('helper-hangs: is killed after a while, though it will not end when it is asked to', async () => {
  const path = join(directory.path, 'docker-credential-x')
  const pids = join(directory.path, 'pids')
  const script = `#!/bin/sh\nPATH=/usr/bin:/bin\ntrap '' TERM INT\necho $$ >> ${pids}\necho hunter2\nwhile :; do :; done\n`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
  const environment = { PATH: directory.path }
  const request = { helper: 'x', server: 'a.example', environment, signal: undefined }
  const error = await thrownBy(() => runCredentialHelper({ ...request, timeoutMs: 300 }))
  expect(error).toMatchObject({ code: 'ERR_CREDENTIALS' })
  expect(error.message).not.toContain('hunter2')
  const pid = Number(readFileSync(pids, 'utf8'))
  await expect.poll(() => isAlive(pid)).toBe(false)
})

test('writing config: nothing is ever written where credentials are', async () => {
  write({ auths: { 'a.example': entry } })
  chmodSync(file(), 0o600)
  const before = statSync(file(), { bigint: true })
  await find('a.example')
  const after = statSync(file(), { bigint: true })
  expect([after.ino, after.mtimeNs, after.mode]).toEqual([before.ino, before.mtimeNs, before.mode])
  expect(readdirSync(directory.path)).toEqual(['config.json'])
})
