import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeArtifact } from '../../lib/image/index.ts'
import { pushImage } from '../../lib/transfer/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { ref, registry, serveRegistry, server, store } from '../helpers/served-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

serveRegistry()

const CANARY = 'canary-password-of-a-key'
const env = { COSIGN_PASSWORD: CANARY }
const output: string[] = []
let directory: ReturnType<typeof temporaryDirectory>
let at: (name: string) => string
let reference: string

/** Runs a command and keeps its output for the search for secrets. */
async function layerstore(args: readonly string[], options: Parameters<typeof cli>[1] = {}) {
  const run = await cli(args, { store: at('store'), ...options })
  output.push(run.stdout, run.stderr)
  return run
}

beforeAll(async () => {
  directory = temporaryDirectory('signing')
  at = name => join(directory.path, name)
  const made = await layerstore(['generate-key-pair', '--output-key-prefix', at('team')], { env })
  expect(made).toMatchObject({ code: 0, stdout: `${at('team.pub')}\n` })
})
afterAll(() => directory[Symbol.dispose]())

beforeEach(async () => {
  reference = ref('team/app:1')
  await sampleImage(store, [{ file: 'one' }], { name: 'app' })
  await pushImage(store, registry, 'app', reference)
})

test('keys are made for the user alone, and never over another key', async () => {
  if (process.platform !== 'win32') expect(statSync(at('team.key')).mode & 0o777).toBe(0o600)
  expect(readFileSync(at('team.key'), 'utf8')).toMatch(/ENCRYPTED SIGSTORE PRIVATE KEY/)
  const again = await layerstore(['generate-key-pair', '--output-key-prefix', at('team')], { env })
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/team\.key/) })
  expect(await layerstore(['generate-key-pair'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/password/) })
  writeFileSync(at('half.pub'), 'x')
  const half = await layerstore(['generate-key-pair', '--output-key-prefix', at('half')], { env })
  expect(half).toMatchObject({ code: 1, stderr: expect.stringMatching(/half\.pub/) })
  expect(existsSync(at('half.key'))).toBe(false)
  const other = ['generate-key-pair', '--output-key-prefix', at('x'), '--algorithm', 'dsa']
  expect(await layerstore(other, { env })).toMatchObject({ code: 2 })
})

test('an image is signed and verified in its registry, in every form', async () => {
  const key = ['--key', at('team.key')]
  const verify = ['verify', reference, '--key', at('team.pub')]
  expect(await layerstore(verify)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/ERR_SIGNATURE_MISSING|no signature/),
  })
  for (const format of ['bundle', 'simple-signing', 'simple-signing-referrer']) {
    const signed = await layerstore(['sign', reference, ...key, '--format', format, '-a', 'by=test'], { env })
    expect(signed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256:\w+\n$/) })
  }
  const found = await layerstore([...verify, '--json'])
  expect(JSON.parse(found.stdout).signatures).toHaveLength(3)
  expect((await layerstore(verify)).stderr).toMatch(new RegExp(`signature by ${at('team.pub')}`))
})

test('the password of a key comes from stdin, or the environment', async () => {
  const sign = ['sign', reference, '--key', at('team.key')]
  async function* typed(text: string) {
    yield Buffer.from(text)
  }
  expect(await layerstore([...sign, '--password-stdin'], { stdin: typed(`${CANARY}\n`) })).toMatchObject({ code: 0 })
  expect(await layerstore(sign, { env: { LAYERSTORE_KEY_PASSWORD: CANARY } })).toMatchObject({ code: 0 })
  expect(await layerstore(sign)).toMatchObject({ code: 1, stderr: expect.stringMatching(/its password is needed/) })
  const wrong = await layerstore(sign, { env: { COSIGN_PASSWORD: `${CANARY}-wrong` } })
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/password of the encrypted key is wrong/) })
})

test('an image is signed and verified in the store and in a layout', async () => {
  {
    await using own = await openStore(at('store'))
    await sampleImage(own, [{ file: 'two' }], { name: 'ghcr.io/team/app:2' })
  }
  const signed = await layerstore(['sign', 'store:ghcr.io/team/app:2', '--key', at('team.key')], { env })
  expect(signed).toMatchObject({ code: 0, stderr: expect.not.stringContaining('docker://') })
  const plain = await layerstore(['sign', 'ghcr.io/team/app:2', '--key', at('team.key')], { env })
  expect(plain).toMatchObject({ code: 0, stderr: expect.stringContaining('docker://ghcr.io/team/app:2 is the one') })
  const verify = ['verify', 'store:ghcr.io/team/app:2', '--key', at('team.pub')]
  expect(await layerstore(verify)).toMatchObject({ code: 0, stdout: signed.stdout })
  const layout = `oci:${at('layout')}:v2`
  expect((await layerstore(['copy', 'store:ghcr.io/team/app:2', layout, '--referrers'])).code).toBe(0)
  expect(await layerstore(['verify', layout, '--key', at('team.pub')])).toMatchObject({
    code: 0,
    stdout: signed.stdout,
  })
  const named = ['--signed-name', 'ghcr.io/other/app']
  expect(await layerstore([...verify, ...named])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/another name/),
  })
  expect(await layerstore([...verify, '--signed-name', ''])).toMatchObject({ code: 0 })
})

test('pull, copy, run, append and build obey the policy of the option and of the environment', async () => {
  const repositories = { [`${server.host}/*`]: { keys: ['team.pub'] } }
  writeFileSync(at('policy.json'), JSON.stringify({ version: 1, default: 'reject', repositories }))
  writeFileSync(at('Dockerfile'), `FROM ${reference}\nENV A=1\n`)
  const commands = [
    ['pull', reference, '--tag', 'pulled:1'],
    ['copy', reference, ref('team/copied:1')],
    ['append', reference, '--env', 'A=1', '-t', 'appended:1'],
    ['append', reference, '--env', 'A=1', '-t', 'appended:1', '--pull'],
    ['build', '-f', at('Dockerfile'), directory.path, '-t', 'built:1'],
  ]
  const runs = [['run', '--pull', 'always', '--', reference, 'true']]
  for (const command of [...commands, ...runs]) {
    for (const how of [{ env: { LAYERSTORE_POLICY: at('policy.json') } }, {}]) {
      const [name, ...rest] = command
      const option = 'env' in how ? [] : ['--policy', at('policy.json')]
      const run = await layerstore([name!, ...option, ...rest], how)
      expect(run.stderr).toMatch(/missing: a signature by team\.pub/)
      expect(run.code).toBeGreaterThan(0)
    }
  }
  expect((await layerstore(['images'])).stdout).not.toMatch(/pulled|appended|built/)
  await layerstore(['sign', reference, '--key', at('team.key')], { env })
  for (const [name, ...rest] of commands) {
    const run = await layerstore([name!, '--policy', at('policy.json'), ...rest])
    expect([run.code, run.code === 0 ? '' : run.stderr]).toEqual([0, ''])
  }
})

test('edit, index and rebase obey the policy', async () => {
  const repositories = { [`${server.host}/*`]: { keys: ['team.pub'] } }
  writeFileSync(at('policy.json'), JSON.stringify({ version: 1, default: 'reject', repositories }))
  const commands = [
    ['edit', reference, '--env', 'A=1', '-t', 'edited:1'],
    ['index', 'create', reference, '-t', 'listed:1'],
    ['rebase', reference, '--onto', reference, '--from', reference, '-t', 'rebased:1'],
  ]
  for (const [name, ...rest] of commands) {
    const run = await layerstore([name!, '--policy', at('policy.json'), ...rest])
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/missing: a signature by team\.pub/) })
  }
  expect((await layerstore(['images'])).stdout).not.toMatch(/edited|listed|rebased/)
  await layerstore(['sign', reference, '--key', at('team.key')], { env })
  for (const command of commands) {
    expect(await layerstore(command, { env: { LAYERSTORE_POLICY: at('policy.json') } })).toMatchObject({ code: 0 })
  }
})

test('load obeys the policy with the signatures of the archive, which copy has written there', async () => {
  writeFileSync(at('default.json'), JSON.stringify({ version: 1, default: { keys: ['team.pub'] } }))
  const policy = { LAYERSTORE_POLICY: at('default.json') }
  await layerstore(['sign', reference, '--key', at('team.key')], { env })
  for (const [file, option, code] of [
    ['plain.tar', [], 1],
    ['signed.tar', ['--referrers'], 0],
  ] as const) {
    const archive = `oci-archive:${at(file)}:${reference}`
    expect(await layerstore(['copy', reference, archive, ...option])).toMatchObject({ code: 0 })
    const load = await layerstore(['load', '-i', at(file)], { env: policy, store: at(`store-${file}`) })
    expect(load).toMatchObject({ code, stderr: code === 0 ? '' : expect.stringMatching(/missing: a signature by/) })
    const named = await layerstore(['images'], { store: at(`store-${file}`) })
    expect(named.stdout.includes('team/app')).toBe(code === 0)
    const copied = await layerstore(['copy', archive, 'store:copied:1', '--policy', at('default.json')])
    expect(copied.code).toBe(code)
  }
})

test('signatures under tags of cosign travel with --referrers through archives, layouts and load', async () => {
  const format = ['--format', 'simple-signing']
  expect(await layerstore(['sign', reference, '--key', at('team.key'), ...format], { env })).toMatchObject({ code: 0 })
  const verify = (place: string, store = 'store') =>
    layerstore(['verify', place, '--key', at('team.pub'), '--signed-name', ''], { store: at(store) })
  const copy = (from: string, to: string) => layerstore(['copy', from, to, '--referrers'])
  const archive = at('tagged.tar')
  expect(await copy(reference, `oci-archive:${archive}:${reference}`)).toMatchObject({ code: 0 })
  // A source without a name is the only image; what is attached to it is none.
  expect(await copy(`oci-archive:${archive}`, `oci:${at('tagged')}:v1`)).toMatchObject({ code: 0 })
  for (const place of [`oci-archive:${archive}`, `oci:${at('tagged')}`])
    expect(await verify(place)).toMatchObject({ code: 0 })
  expect(await copy(`oci:${at('tagged')}`, ref('prod/app:1'))).toMatchObject({ code: 0 })
  expect(await verify(ref('prod/app:1'))).toMatchObject({ code: 0 })
  writeFileSync(at('tags.json'), JSON.stringify({ version: 1, default: { keys: ['team.pub'], signedName: false } }))
  const load = ['load', '-i', archive, '--policy', at('tags.json')]
  expect(await layerstore(load, { store: at('loaded') })).toMatchObject({ code: 0 })
  expect(await layerstore([...load, '-t', 'mine/app:2'], { store: at('loaded') })).toMatchObject({ code: 0 })
  for (const name of [`store:${reference}`, 'store:mine/app:2'])
    expect(await verify(name, 'loaded')).toMatchObject({ code: 0 })
  const docker = await copy(reference, `docker-archive:${at('docker.tar')}:app:1`)
  expect(docker).toMatchObject({ code: 0, stderr: expect.stringMatching(/left out.*sha256-\w+\.sig/) })
})

test('export obeys the policy, and commands without one refuse the option', async () => {
  writeFileSync(at('export.json'), JSON.stringify({ version: 1, default: { keys: ['team.pub'] } }))
  const policy = { LAYERSTORE_POLICY: at('export.json') }
  const [layout, rootfs] = [`oci:${at('exported')}:v1`, at('rootfs.tar')]
  expect(await layerstore(['copy', reference, layout])).toMatchObject({ code: 0 })
  const export_ = (place: string) => layerstore(['export', place, '-o', rootfs], { env: policy })
  for (const place of [reference, layout]) {
    expect(await export_(place)).toMatchObject({ code: 1, stderr: expect.stringMatching(/missing: a signature by/) })
    expect(existsSync(rootfs)).toBe(false)
  }
  const rules = { [`${server.host}/*`]: { keys: ['team.pub'] } }
  writeFileSync(at('export.json'), JSON.stringify({ version: 1, default: { keys: ['team.pub'] }, repositories: rules }))
  await layerstore(['sign', reference, '--key', at('team.key')], { env })
  expect(await layerstore(['copy', reference, layout, '--referrers'])).toMatchObject({ code: 0 })
  for (const place of [reference, layout]) expect(await export_(place)).toMatchObject({ code: 0 })
  for (const command of [
    ['import', rootfs, '-t', 'x'],
    ['unpack', 'x', at('x')],
    ['cat', 'x', '/file'],
  ])
    expect(await layerstore([...command, '--policy', at('export.json')])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/unknown option '--policy'/),
    })
})

test('a mirror obeys the policy, and a server of the own store takes none', async () => {
  const serve = ['serve', '--listen', '127.0.0.1:0', '--policy', at('none.json')]
  expect(await layerstore(serve)).toMatchObject({ code: 2, stderr: expect.stringMatching(/it needs --upstream/) })
  const mirror = [...serve, '--upstream', server.host]
  expect(await layerstore(mirror)).toMatchObject({ code: 1, stderr: expect.stringMatching(/none\.json/) })
})

test('wrong usage is refused before a request', async () => {
  const requests = server.requests.length
  const who = ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'b']
  for (const [args, message] of [
    [['sign', reference, '--key', at('team.key'), '--format', 'pgp'], /--format is bundle/],
    [['sign', reference, '--key', at('none.key')], /none\.key/],
    [['sign', reference], /--key/],
    [['verify', reference], /verify needs --key/],
    [['verify', reference, '--certificate-identity', 'a'], /need each other/],
    [['verify', reference, ...who], /--trusted-root/],
    [['verify', reference, '--certificate-identity-regexp', '('], /is not a regular expression/],
    [['verify', reference, ...who, '--trusted-root', at('no')], /--trusted-root: no such file/],
    [['verify', reference, ...who, '--trusted-root', at('team.pub')], /is not JSON/],
  ] as const) {
    expect(await layerstore(args, { env })).toMatchObject({
      code: expect.toBeOneOf([1, 2]),
      stderr: expect.stringMatching(message),
    })
  }
  expect(server.requests.length).toBe(requests)
})

test('an identity is verified with a trusted root of a file', async () => {
  const fixture = join(import.meta.dirname, '../trust/sign/fixtures/keyless.json')
  const { trustedRoot, bundle, identity, issuer } = JSON.parse(readFileSync(fixture, 'utf8'))
  writeFileSync(at('root.json'), JSON.stringify(trustedRoot))
  const made = await composeArtifact(store, { artifactType: 'application/vnd.example.app' })
  await pushImage(store, registry, made, ref('team/keyless:1'))
  const layers = [{ mediaType: bundle.mediaType, content: JSON.stringify(bundle) }]
  const { artifactType, subject } = { artifactType: bundle.mediaType, subject: made.descriptor }
  const signature = await composeArtifact(store, { artifactType, layers, subject })
  await pushImage(store, registry, signature, ref(`team/keyless@${signature.descriptor.digest}`))
  const verify = ['verify', ref('team/keyless:1'), '--trusted-root', at('root.json')]
  for (const [who, code] of [
    [['--certificate-identity', identity, '--certificate-oidc-issuer', issuer], 0],
    [['--certificate-identity-regexp', '.*', '--certificate-oidc-issuer-regexp', 'https://token.*'], 0],
    [['--certificate-identity', `${identity}x`, '--certificate-oidc-issuer', issuer], 1],
    [['--certificate-identity-regexp', '.*', '--certificate-oidc-issuer', 'https://accounts.google.com'], 1],
  ] as const) {
    const stderr = expect.stringContaining(code === 0 ? `signature by ${identity} (${issuer})` : 'is not trusted')
    expect(await layerstore([...verify, ...who])).toMatchObject({ code, stderr })
  }
})

test('no output holds the password or a line of the private key', () => {
  const lines = readFileSync(at('team.key'), 'utf8').split('\n').slice(1, -2)
  expect(output.length).toBeGreaterThan(40)
  for (const secret of [CANARY, ...lines]) expect(output.filter(text => text.includes(secret))).toEqual([])
})
