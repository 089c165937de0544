import { beforeEach, describe, expect, test } from 'vitest'
import { composeImage } from '../../lib/image/index.ts'
import { analyzeImage, type FoundSecret } from '../../lib/inspect/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import type { RunConfig } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})

type Content = Readonly<Record<string, string>>

async function imageOf(layers: readonly Content[], config?: RunConfig, commands: readonly string[] = []) {
  const written = []
  for (const [i, files] of layers.entries()) {
    const entries = Object.entries(files).map(([path, content]): TarInput => ({ path, type: 'file', content }))
    const layer = await writeLayer(store, entries, { compression: i % 2 ? 'none' : 'gzip' })
    written.push({ ...layer, history: { created_by: commands[i] ?? '' } })
  }
  return composeImage(store, { layers: written, ...(config && { config }) })
}

async function secretsOf(...layers: readonly Content[]): Promise<readonly FoundSecret[]> {
  return (await analyzeImage(store, await imageOf(layers))).secrets.found
}

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n'

describe('a file with a secret', () => {
  test.each<[path: string, content: string, kind: string]>([
    ['root/.ssh/id_ed25519', KEY, 'private key'],
    ['etc/ssl/private/server.key', '-----BEGIN PRIVATE KEY-----', 'private key'],
    ['app/cert.pem', '-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----', 'private key'],
    ['app/key.ppk', 'PuTTY-User-Key-File-3: ssh-rsa', 'private key'],
    ['app/store.p12', '\u0000\u0001', 'key store'],
    ['app/.env', 'A=1\nDB_PASSWORD=hunter22', 'environment file'],
    ['app/.env.production', 'export STRIPE_SECRET_KEY="sk_live_1234"', 'environment file'],
    ['root/.npmrc', '//registry.npmjs.org/:_authToken=npm_abc', 'npm token'],
    ['app/.yarnrc.yml', 'npmAuthToken: "abc"', 'yarn token'],
    ['root/.pypirc', '[pypi]\npassword = pypi-abc', 'pip password'],
    ['etc/pip.conf', 'index-url = https://me:secret@pypi.test/simple', 'pip password'],
    ['root/.netrc', 'machine a login b password c', 'netrc password'],
    ['root/.git-credentials', 'https://me:token@github.test', 'git password'],
    ['app/.git/config', 'url = https://me:token@github.test/a', 'git password'],
    ['root/.aws/credentials', 'aws_secret_access_key = abc', 'aws credentials'],
    ['app/my-service-account.json', '{"private_key": "-----BEGIN"}', 'google credentials'],
    ['root/.azure/accessTokens.json', '[{"a":1}]', 'azure token'],
    ['root/.docker/config.json', '{"auths":{"a":{"auth":"YTpi"}}}', 'registry login'],
    ['root/.kube/config', 'client-key-data: abc', 'kubernetes credentials'],
    ['app/terraform.tfstate', '{"version":4}', 'terraform state'],
    ['root/.pgpass', 'host:5432:db:user:secret', 'database password'],
    ['root/.cargo/credentials.toml', 'token = "a"', 'package registry token'],
    ['root/.composer/auth.json', '{"github-oauth":{"github.com":"abc"}}', 'composer token'],
    ['root/.m2/settings.xml', '<password>abc</password>', 'maven password'],
    ['app/nuget.config', '<add key="ClearTextPassword" value="abc" />', 'nuget password'],
    ['etc/shadow', 'root:$6$salt$hash:1::::::', 'password hash'],
    ['root/.vault-token', 'hvs.abc', 'vault token'],
  ])('%s is found', async (path, content, kind) => {
    expect(await secretsOf({ [path]: content })).toEqual([{ where: 'file', kind, path, layer: 0, visible: true }])
  })

  test.each([
    ['etc/ssl/certs/ca.pem', '-----BEGIN CERTIFICATE-----'],
    ['app/.env', 'PORT=80\nPASSWORD=\nTOKEN=$TOKEN\nSECRET=<secret>'],
    ['app/.env.example', 'DB_PASSWORD=hunter22'],
    ['app/.npmrc', `//registry.npmjs.org/:_authToken=$${'{NPM_TOKEN}'}\nfund=false`],
    ['root/.docker/config.json', '{"credsStore":"desktop"}'],
    ['etc/shadow', 'root:*:19000:0:99999:7:::'],
    ['app/id_rsa.pub', KEY],
    ['app/readme.md', KEY],
    ['app/public.key', 'not a key'],
    ['app/empty.key', ''],
  ])('%s with %j is none', async (path, content) => {
    expect(await secretsOf({ [path]: content })).toEqual([])
  })

  test('is found in the layer that stores it, also if an upper layer removes or replaces it', async () => {
    const found = await secretsOf(
      {
        'a.key': KEY,
        'b.key': KEY,
        'c.key': KEY,
        filler: 'x'.repeat(100_000),
        'd.key': `${'\n'.repeat(70_000)}${KEY}`,
      },
      { '.wh.a.key': '', 'b.key': 'harmless' },
      { 'c.key': `changed ${KEY}` },
    )
    expect(found).toEqual([
      { where: 'file', kind: 'private key', path: 'a.key', layer: 0, visible: false, hiddenBy: 1 },
      { where: 'file', kind: 'private key', path: 'b.key', layer: 0, visible: false, hiddenBy: 1 },
      { where: 'file', kind: 'private key', path: 'c.key', layer: 0, visible: false, hiddenBy: 2 },
      { where: 'file', kind: 'private key', path: 'c.key', layer: 2, visible: true },
    ])
  })
})

test('content and names that are made to cost time are searched all the same', async () => {
  const long = 'SECRET'.repeat(11_000)
  const found = await secretsOf({
    '.env': long,
    'a/.env': '\n'.repeat(65_000),
    'etc/shadow': '\n'.repeat(65_000),
    'b/.npmrc': `${' '.repeat(65_000)}x`,
    [`${'gcp'.repeat(1300)}.json`]: '{}',
    'c/.docker/config.json': `{"x":"${'y'.repeat(4090)}","auths":{"a":{"auth":"YTpi"}}}`,
  })
  expect(found).toMatchObject([{ path: 'c/.docker/config.json' }])
})

test('variables of the config and build arguments in the history are found by name, without their values', async () => {
  const config = {
    Env: ['PATH=/bin', 'API_TOKEN=abc', 'TOKENIZER=x', 'DB_PASSWORD=', 'SECRET_FILE=/run/secrets/a', 'KEY_SECRET=$X'],
  }
  const commands = [
    '|2 NPM_TOKEN=npm_abc VERSION=1 /bin/sh -c npm ci',
    'ARG GITHUB_TOKEN=ghp_1',
    'RUN |1 A=1 /bin/sh -c X_TOKEN=1',
  ]
  const { secrets } = await analyzeImage(store, await imageOf([{ a: '1' }, { b: '2' }, { c: '3' }], config, commands))
  expect(secrets).toEqual({
    count: 3,
    found: [
      { where: 'env', kind: 'variable', variable: 'API_TOKEN' },
      { where: 'history', kind: 'variable', variable: 'NPM_TOKEN' },
      { where: 'history', kind: 'variable', variable: 'GITHUB_TOKEN' },
    ],
  })
  expect(JSON.stringify(secrets)).not.toMatch(/abc|ghp_/)
})

test('variables of ENV in the history are found, if a later step has taken them away', async () => {
  const config = { Env: ['API_TOKEN=', 'STAYS_TOKEN=abc'] }
  const commands = [
    'ENV API_TOKEN=abc',
    'ENV STAYS_TOKEN=abc',
    'ENV MODE=x DB_PASSWORD=abc',
    '/bin/sh -c #(nop)  ENV OLD_SECRET=abc',
    '/bin/sh -c #(nop) ARG OLD_TOKEN=abc',
    'ENV OTHER_SECRET abc',
    'ENV API_TOKEN=',
    'RUN echo ENV X_TOKEN=abc',
  ]
  const layers = commands.map((_, i) => ({ a: `${i}` }))
  const { secrets } = await analyzeImage(store, await imageOf(layers, config, commands))
  expect(secrets.found.map(secret => secret.where !== 'file' && `${secret.where} ${secret.variable}`)).toEqual([
    'env STAYS_TOKEN',
    'history API_TOKEN',
    'history DB_PASSWORD',
    'history OLD_SECRET',
    'history OLD_TOKEN',
    'history OTHER_SECRET',
  ])
})

describe('a layer', () => {
  test('is opened once for secrets: what was found is kept with the diffID, without content', async () => {
    const image = await imageOf([{ 'a.key': KEY }])
    await analyzeImage(store, image)
    const [{ diffId, descriptor } = { diffId: '' as never, descriptor: undefined as never }] = image.layers
    const kept = Buffer.from((await store.derived.get('facts', `secrets:${diffId}`))!).toString()
    expect(kept).not.toContain('BEGIN')
    await store.delete(descriptor.digest)
    expect((await analyzeImage(store, image)).secrets.count).toBe(1)
  })

  test('is opened again if what was kept is damaged', async () => {
    const image = await imageOf([{ 'a.key': KEY }])
    for (const text of ['{', '{"version":1,"found":[{}]}', '{"version":0,"found":[]}', '[]']) {
      await store.derived.set('facts', `secrets:${image.layers[0]!.diffId}`, Buffer.from(text))
      expect((await analyzeImage(store, image)).secrets.count).toBe(1)
    }
  })

  test('is not opened without secrets', async () => {
    const image = await imageOf([{ 'a.key': KEY }])
    await store.delete(image.layers[0]!.descriptor.digest)
    expect((await analyzeImage(store, image, { secrets: false })).secrets).toEqual({ count: 0, found: [] })
    await expect(analyzeImage(store, image)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  })

  test('that a collection removes takes what was kept about it along', async () => {
    const image = await imageOf([{ 'a.key': KEY }])
    await analyzeImage(store, image)
    const plan = await planCollection(store, { graceMs: 0, force: true })
    await runCollection(store, plan)
    expect((await store.derived.list('facts')).filter(key => key.startsWith('secrets:'))).toEqual([])
  })
})
