import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildImage, from, planBuild, runBuild } from '../../../lib/build/index.ts'
import { openStore } from '../../../lib/disk-store/index.ts'
import type { TrustError } from '../../../lib/errors/index.ts'
import { composeArtifact, composeIndex } from '../../../lib/image/index.ts'
import { attachedTag, MediaType } from '../../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import {
  copyImage,
  parsePlan,
  planCopy,
  planPull,
  pullDocuments,
  pullImage,
  pushImage,
  runCopy,
  runPull,
} from '../../../lib/transfer/index.ts'
import { generateSigningKeys, loadPolicy, loadSigningKey, signImage } from '../../../lib/trust/index.ts'
import { countSigners } from '../../../lib/trust/policy/count-signers.ts'
import type { SignedBy } from '../../../lib/trust/verify/trust-base.ts'
import { buildFiles } from '../../helpers/build-files.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../../helpers/served-registry.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

serveRegistry()

const pair = await generateSigningKeys()
const key = await loadSigningKey(pair.privateKey)
const second = await generateSigningKeys({ algorithm: 'ed25519' })
const fixtures = join(import.meta.dirname, '../sign/fixtures')
const { trustedRoot, identity, issuer, bundle } = JSON.parse(readFileSync(join(fixtures, 'keyless.json'), 'utf8'))

let directory: ReturnType<typeof temporaryDirectory>
beforeAll(() => {
  directory = temporaryDirectory('policy')
  file('team.pub', pair.publicKey)
  file('second.pub', second.publicKey)
  file('root.json', trustedRoot)
})
afterAll(() => directory[Symbol.dispose]())

function file(name: string, content: unknown): string {
  const path = join(directory.path, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** A policy that requires signatures in the repositories of the test's registry. */
const policyOf = (rule: unknown, scope = `${server.host}/team/*`) =>
  loadPolicy(file('policy.json', { version: 1, default: 'reject', repositories: { [scope]: rule } }))
const containersPolicy = (requirements: unknown, scope = server.host) =>
  loadPolicy(
    file('containers.json', { default: [{ type: 'reject' }], transports: { docker: { [scope]: requirements } } }),
  )

const KEYS = { keys: ['team.pub'] }
let reference: string

beforeEach(async () => {
  reference = ref('team/app:1')
  await sampleImage(store, [{ file: 'one' }], { name: 'app' })
  await pushImage(store, registry, 'app', reference)
})

/** Pulls into a store that has nothing yet. */
async function pullWith(verify: Awaited<ReturnType<typeof loadPolicy>>['verify'], wanted = reference) {
  const fresh = createMemoryStore()
  return { fresh, result: await pullImage(registry, fresh, wanted, { verify, platform: 'linux/amd64' }) }
}

async function namesIn(at: Store): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of at.references.list()) names.push(name)
  return names.sort()
}

async function refusal(pulling: Promise<unknown>): Promise<TrustError> {
  const error = (await thrownBy(() => pulling)) as TrustError
  expect(error).toMatchObject({ name: 'TrustError', code: 'ERR_POLICY_REFUSED' })
  return error
}

test('a pull gives no name to an image that the policy refuses, and the error says what was missing', async () => {
  const { verify, file: path } = await policyOf(KEYS)
  const error = await refusal(pullImage(registry, store, reference, { verify, name: 'pulled:1' }))
  expect(error.reasons).toEqual(['missing: a signature by team.pub'])
  expect(error.message).toContain(`the policy ${path} does not allow docker://${reference} (${error.digest})`)
  expect(await store.references.get('pulled:1')).toBeUndefined()
  await signImage({ registry, reference }, { key: await loadSigningKey(second.privateKey) })
  const reasons = ['missing: a signature by team.pub', expect.stringMatching(/no trusted key has made it/)]
  expect((await refusal(pullWith(verify))).reasons).toEqual(reasons)
})

test('a pull takes a signed image, with one request more than without a policy', async () => {
  await signImage({ registry, reference }, { key })
  const { verify } = await policyOf(KEYS)
  const before = server.requests.length
  await pullImage(registry, createMemoryStore(), reference)
  const without = server.requests.length - before
  const { fresh, result } = await pullWith(verify)
  expect(server.requests.length - before - without).toBe(without + 1)
  expect(await fresh.references.get(result.name)).toMatchObject({ digest: result.digest })
})

test('a copy gives no tag to an image of files that lies under a tag of signatures', async () => {
  await signImage({ registry, reference }, { key })
  const { verify } = await policyOf(KEYS)
  const copy = (to: Store) =>
    copyImage({ registry, reference }, { store: to, name: 'app' }, { referrers: true, verify })
  const { digest } = (await remote.references.get(reference.slice(reference.indexOf('/') + 1)))!
  const tag = attachedTag(digest, 'sbom')
  await sampleImage(store, [{ file: 'evil' }], { name: 'evil' })
  await pushImage(store, registry, 'evil', ref(`team/app:${tag}`))
  const target = createMemoryStore()
  expect((await refusal(copy(target))).reasons).toEqual([expect.stringMatching(/would get a tag beside it/)])
  expect(await namesIn(target)).toEqual([])
  await remote.references.delete(`team/app:${tag}`)
  await signImage({ registry, reference }, { key: await loadSigningKey(second.privateKey), format: 'simple-signing' })
  await copy(target)
  expect(await namesIn(target)).toEqual(['app:latest', `app:${attachedTag(digest, 'sig')}`])
})

test('a check that has found enough closes the list of referrers', async () => {
  await signImage({ registry, reference }, { key })
  const { verify } = await policyOf(KEYS)
  let isClosed = false
  await pullWith(async image => {
    const { source } = image
    const referrers: typeof source.referrers = async function* (...call) {
      try {
        yield* source.referrers!(...call)
        throw new Error('read to its end')
      } finally {
        isClosed = true
      }
    }
    await verify({ ...image, source: { ...source, referrers } })
  })
  expect(isClosed).toBe(true)
})

test('an image of a signed index needs one request more, too', async () => {
  const amd = await sampleImage(store, [{ file: 'amd' }])
  const arm = await sampleImage(store, [{ file: 'arm' }], { architecture: 'arm64' })
  const index = await composeIndex(store, { images: [amd, arm] })
  await store.references.set('index', index.descriptor)
  await pushImage(store, registry, 'index', ref('team/multi:1'))
  await signImage({ registry, reference: ref('team/multi:1') }, { key })
  const { verify } = await policyOf(KEYS)
  const before = server.requests.length
  await pullWith(async () => {}, ref('team/multi:1'))
  const without = server.requests.length - before
  const { result } = await pullWith(verify, ref('team/multi:1'))
  expect(server.requests.length - before - without).toBe(without + 1)
  expect(result.digest).toBe(amd.descriptor.digest)
  const platform = ['linux/amd64', 'linux/arm64']
  await pullImage(registry, remote, ref('team/multi:1'), { verify, platform, name: 'both:1' })
  const third = await sampleImage(store, [{ file: 's390x' }], { architecture: 's390x' })
  const wider = await composeIndex(store, { images: [amd, arm, third] })
  await store.references.set('wider', wider.descriptor)
  await pushImage(store, registry, 'wider', ref('team/wider:1'))
  await refusal(pullImage(registry, remote, ref('team/wider:1'), { verify, platform, name: 'two:1' }))
  await signImage({ registry, reference: ref('team/wider:1') }, { key })
  await pullImage(registry, remote, ref('team/wider:1'), { verify, platform, name: 'two:1' })
})

test('a stored plan cannot claim that its image is part of a signed index', async () => {
  const amd = await sampleImage(store, [{ file: 'amd' }])
  const arm = await sampleImage(store, [{ file: 'arm' }], { architecture: 'arm64' })
  const { descriptor } = await composeIndex(store, { images: [amd, arm] })
  await store.references.set('index', descriptor)
  await pushImage(store, registry, 'index', ref('team/app:good'))
  await signImage({ registry, reference: ref('team/app:good') }, { key })
  const { verify } = await policyOf(KEYS)
  const honest = JSON.stringify(await planPull(registry, store, ref('team/app:good'), { platform: 'linux/arm64' }))
  expect(await runPull(parsePlan(Buffer.from(honest)) as never, { registry, store, verify })).toMatchObject({
    digest: arm.descriptor.digest,
  })
  const plan = { ...(await planPull(registry, store, reference)), index: descriptor.digest }
  await refusal(runPull(parsePlan(Buffer.from(JSON.stringify(plan))) as never, { registry, store, verify }))
})

test('a stored plan cannot bring a forged text of a signed index', async () => {
  const arm = await sampleImage(store, [{ file: 'arm' }], { architecture: 'arm64' })
  const { descriptor } = await composeIndex(store, { images: [arm] })
  await store.references.set('index', descriptor)
  await pushImage(store, registry, 'index', ref('team/app:good'))
  await signImage({ registry, reference: ref('team/app:good') }, { key })
  const { verify } = await policyOf(KEYS)
  const plan = await planPull(registry, store, reference)
  const content = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [plan.root] })
  const step = { descriptor, kind: 'index', need: 'skip', reason: 'known', content, belowRoot: false }
  const forged = { ...plan, index: descriptor.digest, steps: [step, ...plan.steps] }
  const running = runPull(parsePlan(Buffer.from(JSON.stringify(forged))) as never, { registry, store, verify })
  await expect(running).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
})

test('a stored plan of a layout cannot claim that its image is part of a signed index', async () => {
  await using layout = await openStore(join(directory.path, 'claimed'))
  const good = await sampleImage(layout, [{ file: 'good' }], { name: 'good' })
  await signImage({ store: layout, name: 'good' }, { key, name: 'app' })
  const evil = await sampleImage(layout, [{ file: 'evil' }], { architecture: 'arm64' })
  const { descriptor } = await composeIndex(layout, { images: [evil] })
  await layout.references.set('latest', descriptor)
  const { verify } = await loadPolicy(file('default.json', { version: 1, default: KEYS }))
  const ends = { from: { store: layout, name: 'latest' }, to: { store: remote, name: 'taken:1' } }
  const plan = await planCopy(ends.from, ends.to, { platform: 'linux/arm64' })
  const forged = { ...plan, index: good.descriptor.digest }
  await refusal(runCopy(parsePlan(Buffer.from(JSON.stringify(forged))) as never, { ...ends, verify }))
})

test('a name in a store, a layout or an archive selects no rule of a repository', async () => {
  const { verify } = await policyOf('accept', 'docker.io/library/*')
  await sampleImage(store, [{ file: 'one' }], { name: 'docker.io/library/node:22' })
  const copying = copyImage({ store, name: 'docker.io/library/node:22' }, { store: remote, name: 'n:1' }, { verify })
  expect((await refusal(copying)).reasons).toEqual(['it is rejected'])
})

test('two identities that fit one pattern are one of the signers that a policy names', async () => {
  const build = { identity: /https:\/\/ci\/.*/, issuer: 'ci' }
  const person = { identity: 'qa@example.org', issuer: 'mail' }
  const by = (identity: string, issuer: string) => ({ kind: 'certificate', identity, issuer }) as const
  const count = (...signers: SignedBy[]) => countSigners({ keys: [], identities: [build, person] }, signers)
  expect(count(by('https://ci/a', 'ci'), by('https://ci/b', 'ci'))).toBe(1)
  expect(count(by('https://ci/a', 'ci'), by('qa@example.org', 'mail'))).toBe(2)
  const anyone = { identity: /.*/, issuer: /.*/ }
  const overlapping = { keys: [], identities: [anyone, person] }
  expect(countSigners(overlapping, [by('qa@example.org', 'mail'), by('https://ci/a', 'ci')])).toBe(2)
  expect(countSigners(overlapping, [by('qa@example.org', 'mail'), by('qa@example.org', 'mail')])).toBe(1)
})

test('a tag that moves after the check does not change what gets the name', async () => {
  await signImage({ registry, reference }, { key })
  const { verify } = await policyOf(KEYS)
  const evil = await sampleImage(store, [{ file: 'evil' }], { name: 'evil' })
  const moving = async (image: Parameters<typeof verify>[0]) => {
    await verify(image)
    await pushImage(store, registry, 'evil', reference)
  }
  const { result, fresh } = await pullWith(moving)
  expect(result.digest).not.toBe(evil.descriptor.digest)
  expect((await fresh.references.get(result.name))?.digest).toBe(result.digest)
  await refusal(pullWith(verify))
})

test('copies and bases of builds are checked', async () => {
  const { verify } = await policyOf(KEYS)
  const to = { registry, reference: ref('other/app:1') }
  await refusal(copyImage({ registry, reference }, to, { verify }))
  await expect(registry.resolve({ registry: server.host, repository: 'other/app', tag: '1' })).rejects.toMatchObject({
    code: 'ERR_MANIFEST_NOT_FOUND',
  })
  const build = () => buildImage(store, from(reference).env({ A: '1' }), { registry, verify, names: ['built:1'] })
  const failed = (await thrownBy(build)) as Error & { code?: string; cause?: TrustError }
  expect(failed.code === 'ERR_POLICY_REFUSED' || failed.cause?.code === 'ERR_POLICY_REFUSED').toBe(true)
  await signImage({ registry, reference }, { key })
  await copyImage({ registry, reference }, to, { verify })
  await build()
  expect(await store.references.get('built:1')).toBeDefined()
})

test('bases of layouts are checked by the default rule', async () => {
  const path = join(directory.path, 'layout')
  await using layout = await openStore(path)
  await sampleImage(layout, [{ file: 'one' }], { name: 'latest' })
  const options = { layouts: { base: { directory: path } }, names: ['built:1'] }
  const rejecting = { ...options, verify: (await policyOf(KEYS)).verify }
  expect(`${await thrownBy(() => buildImage(store, from('base').env({ A: '1' }), rejecting))}`).toMatch(
    /it is rejected/,
  )
  const accepting = await loadPolicy(file('accept.json', { version: 1, default: 'accept' }))
  await buildImage(store, from('base').env({ A: '1' }), { ...options, verify: accepting.verify })
})

test('a cache of a build that the policy refuses is not used, and a warning says so', async () => {
  await signImage({ registry, reference }, { key })
  const { verify } = await policyOf(KEYS)
  const cache = { reference: ref('team/cache:1') }
  const stage = from(reference).copy('a.txt', '/a.txt')
  const files = { 'a.txt': 'one' }
  await buildFiles(createMemoryStore(), stage, files, { registry, cacheTo: [cache] })
  const build = async () => {
    const warnings: string[] = []
    const { steps } = await buildFiles(createMemoryStore(), stage, files, {
      registry,
      verify,
      cacheFrom: [cache],
      onProgress: event => void (event.kind === 'warning' && warnings.push(event.message)),
    })
    return { warnings, outcome: steps.at(-1)!.outcome }
  }
  const missing = expect.stringMatching(/missing: a signature by team\.pub/)
  expect(await build()).toEqual({ warnings: [missing], outcome: 'made' })
  await signImage({ registry, reference: cache.reference }, { key })
  expect(await build()).toEqual({ warnings: [], outcome: 'cached' })
})

test('documents of an image in a registry are pulled if the policy allows it', async () => {
  const { verify } = await policyOf(KEYS)
  const fresh = createMemoryStore()
  await refusal(pullDocuments(registry, fresh, reference, { verify }))
  for await (const { digest } of fresh.list()) throw new Error(`${digest} was stored`)
  await signImage({ registry, reference }, { key })
  const before = server.requests.length
  const root = await pullDocuments(registry, fresh, reference, { verify })
  const verified = server.requests.length - before
  await pullDocuments(registry, createMemoryStore(), reference)
  expect(server.requests.length - before - verified).toBe(verified - 1)
  expect(await fresh.stat(root.digest)).toBeDefined()
})

test('a run refuses a policy that its plan was made without', async () => {
  const { verify } = await policyOf(KEYS)
  const plan = await planBuild(store, from(reference).env({ A: '1' }), { registry })
  expect(await thrownBy(() => runBuild(plan, { verify }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

test('several signers, identities and attestations are required', async () => {
  const both = await policyOf({ keys: ['team.pub', second.publicKey], threshold: 2 })
  await signImage({ registry, reference }, { key })
  await signImage({ registry, reference }, { key, format: 'simple-signing' })
  expect((await refusal(pullWith(both.verify))).reasons[0]).toMatch(/signatures by 2 of team\.pub, key .* \(1 found\)/)
  await signImage({ registry, reference }, { key: await loadSigningKey(second.privateKey) })
  await pullWith(both.verify)
  const attested = await policyOf({ ...KEYS, attestations: ['https://slsa.dev/provenance/v1'] })
  const reasons = ['missing: an attestation https://slsa.dev/provenance/v1 by team.pub']
  expect((await refusal(pullWith(attested.verify))).reasons).toEqual(expect.arrayContaining(reasons))
})

test('an identity in a certificate is enough, and another one is not', async () => {
  const made = await composeArtifact(store, { artifactType: 'application/vnd.example.app' })
  await pushImage(store, registry, made, ref('team/keyless:1'))
  const type = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  const layers = [{ mediaType: type, content: JSON.stringify(bundle) }]
  const signature = await composeArtifact(store, { artifactType: type, layers, subject: made.descriptor })
  await pushImage(store, registry, signature, ref(`team/keyless@${signature.descriptor.digest}`))
  const rule = (one: object) => policyOf({ identities: [one], trustedRoot: 'root.json' })
  const pull = async (one: object) =>
    copyImage(
      { registry, reference: ref('team/keyless:1') },
      { store, name: 'k:1' },
      { verify: (await rule(one)).verify },
    )
  await pull({ identity, issuer })
  await pull({ identityPattern: 'https://github\\.com/team/.*', issuerPattern: 'https://token\\..*' })
  await refusal(pull({ identityPattern: 'github', issuer }))
})

test('the narrowest scope decides, and everything else is the default', async () => {
  const { host } = server
  const load = (repositories: object, other: unknown = 'accept') =>
    loadPolicy(file('scopes.json', { version: 1, default: other, repositories }))
  await pullWith((await load({})).verify)
  await pullWith((await load({ [`${host}/team/*`]: 'reject', [`${host}/team/app`]: 'accept' })).verify)
  await refusal(pullWith((await load({ [`${host}/*`]: 'accept', [`${host}/team/*`]: 'reject' })).verify))
  await pullWith((await load({ [`${host}/tea/*`]: 'reject', [`${host}/team/app/*`]: 'reject' })).verify)
  await refusal(pullWith((await load({ [`${host}/*`]: KEYS }, 'accept')).verify))
})

describe('the policy of containers', () => {
  const sigstore = (more: object = {}) => [
    { type: 'sigstoreSigned', keyPath: join(directory.path, 'team.pub'), ...more },
  ]

  test('accepts, rejects, and reads keys of files and of data', async () => {
    await pullWith((await containersPolicy([{ type: 'insecureAcceptAnything' }])).verify)
    await refusal(pullWith((await containersPolicy([{ type: 'insecureAcceptAnything' }, { type: 'reject' }])).verify))
    await refusal(pullWith((await containersPolicy([{ type: 'insecureAcceptAnything' }], 'quay.io')).verify))
    await pullWith((await containersPolicy([{ type: 'insecureAcceptAnything' }], '')).verify)
    const data = Buffer.from(pair.publicKey).toString('base64')
    const { verify } = await containersPolicy([{ type: 'sigstoreSigned', keyDatas: [data] }])
    await refusal(pullWith(verify))
    await signImage({ registry, reference }, { key, format: 'simple-signing', name: reference })
    await pullWith(verify)
    await refusal(copyImage({ store, name: 'app' }, { registry, reference: ref('team/b:1') }, { verify }))
  })

  test.each<[string, (host: string) => object | undefined, string, string[]]>([
    ['the default', () => undefined, 'team/app:1', ['team/app', 'team/app:2', 'team/other:1']],
    ['matchExact', () => ({ type: 'matchExact' }), 'team/app:1', ['team/app', 'team/app:2']],
    ['matchRepository', () => ({ type: 'matchRepository' }), 'team/app:2', ['team/other:1']],
    [
      'exactReference',
      host => ({ type: 'exactReference', dockerReference: `${host}/x:1` }),
      'x:1',
      ['team/app:1', 'x'],
    ],
    ['exactRepository', host => ({ type: 'exactRepository', dockerRepository: `${host}/x` }), 'x', ['y']],
    [
      'remapIdentity',
      host => ({ type: 'remapIdentity', prefix: `${host}/team`, signedPrefix: `${host}/up` }),
      'up/app:1',
      ['team/app:1', 'up/app'],
    ],
  ])('takes names by signedIdentity: %s', async (_, identityOf, good, bad) => {
    const signedIdentity = identityOf(server.host)
    const { verify } = await containersPolicy(sigstore(signedIdentity ? { signedIdentity } : {}))
    const signAs = (name: string) =>
      signImage({ registry, reference }, { key, format: 'simple-signing', name: ref(name) })
    for (const name of bad) await signAs(name)
    await refusal(pullWith(verify))
    await signAs(good)
    await pullWith(verify)
  })

  test('takes no signed name for a tag of a layout, which has no repository', async () => {
    const { descriptor } = await sampleImage(store, [{ file: 'one' }])
    await store.references.set('v1', descriptor, { verbatim: true })
    const place = { store, name: 'v1', verbatim: true }
    await signImage(place, { key, format: 'simple-signing', name: 'ghcr.io/team/app' })
    for (const type of [undefined, 'matchRepository', 'matchExact']) {
      const { verify } = await containersPolicy(sigstore(type ? { signedIdentity: { type } } : {}))
      await refusal(copyImage(place, { store: createMemoryStore(), name: 'app' }, { verify }))
    }
  })

  test('refuses what it does not support by name', async () => {
    for (const [requirements, message] of [
      [[{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/x' }], /requirements of the type "signedBy"/],
      [[{ type: 'sigstoreSigned', fulcio: {} }], /the member "fulcio" is unknown/],
      [[{ type: 'sigstoreSigned' }], /it must have keyPath/],
      [sigstore({ signedIdentity: { type: 'other' } }), /the type "other" is unknown/],
      [sigstore({ signedIdentity: { type: 'exactReference' } }), /dockerReference/],
      [sigstore({ signedIdentity: { type: 'matchExact', x: 1 } }), /the member "x" is unknown/],
      [[], /at least one requirement/],
      [{}, /it must be an array/],
    ] as [unknown, RegExp][]) {
      const error = { code: 'ERR_INVALID_POLICY', message: expect.stringMatching(message) }
      await expect(containersPolicy(requirements)).rejects.toMatchObject(error)
    }
  })
})

test.each<[string, unknown, RegExp]>([
  ['another version', { version: 2, default: 'accept' }, /at version: it must be 1/],
  ['no default', { version: 1 }, /at default/],
  ['an unknown member', { version: 1, default: 'accept', repository: {} }, /"repository" is unknown/],
  ['an unknown word', { version: 1, default: 'allow' }, /"accept", "reject" or a requirement/],
  ['a rule without signers', { version: 1, default: {} }, /must name keys or identities/],
  ['a mistyped requirement', { version: 1, default: { ...KEYS, attestation: [] } }, /"attestation" is unknown/],
  ['a key that does not exist', { version: 1, default: { keys: ['none.pub'] } }, /none\.pub cannot be read \(ENOENT\)/],
  ['a key that is none', { version: 1, default: { keys: ['root.json'] } }, /no PEM block/],
  ['a threshold of nobody', { version: 1, default: { ...KEYS, threshold: 2 } }, /threshold/],
  ['an empty attestation', { version: 1, default: { ...KEYS, attestations: [''] } }, /attestations\[0\]/],
  ['an empty name', { version: 1, default: { ...KEYS, signedName: '' } }, /signedName/],
  [
    'a scope without registry',
    { version: 1, default: 'accept', repositories: { node: 'accept' } },
    /docker\.io\/library/,
  ],
  ['a scope that is a pattern', { version: 1, default: 'accept', repositories: { 'a.io/*/b': 'accept' } }, /end in/],
  ['identities without root', { version: 1, default: { identities: [{ identity, issuer }] } }, /trustedRoot/],
  [
    'an identity without issuer',
    { version: 1, default: { identities: [{ identity }] } },
    /one of issuer and issuerPattern/,
  ],
  [
    'an identity that is no pattern',
    { version: 1, default: { identities: [{ identityPattern: '(', issuer }] } },
    /no regular expression/,
  ],
  ['a list', [], /it must be an object/],
  ['no JSON', 'x', /is not JSON/],
])('a policy is refused: %s', async (_, document, message) => {
  const loading = loadPolicy(file('bad.json', document))
  await expect(loading).rejects.toMatchObject({ code: 'ERR_INVALID_POLICY', message: expect.stringMatching(message) })
})
