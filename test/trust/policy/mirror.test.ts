import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { composeArtifact, composeIndex } from '../../../lib/image/index.ts'
import type { RegistryClient } from '../../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { pullImage, pushImage } from '../../../lib/transfer/index.ts'
import { generateSigningKeys, loadPolicy, loadSigningKey, signImage, verifyImage } from '../../../lib/trust/index.ts'
import { registryClientFor } from '../../helpers/registry-client-for.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { serveStore } from '../../helpers/serve-store.ts'
import { ref, registry, serveRegistry, server, store } from '../../helpers/served-registry.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/* A server that mirrors the registry of the test, and serves only what a policy allows. */

serveRegistry()

const pair = await generateSigningKeys()
const key = await loadSigningKey(pair.privateKey)

let directory: ReturnType<typeof temporaryDirectory>
let here: Store
let mirror: Awaited<ReturnType<typeof serveStore>>
let upstream: RegistryClient
let client: RegistryClient
beforeAll(() => {
  directory = temporaryDirectory('mirror')
})
afterAll(() => directory[Symbol.dispose]())

beforeEach(async () => {
  here = createMemoryStore()
  upstream = registryClientFor({ retries: { tries: 1 } })
  client = registryClientFor({ retries: { tries: 1 } })
  mirror = await serveMirror(here)
  await sampleImage(store, [{ file: 'one' }], { name: 'app' })
  await pushImage(store, registry, 'app', ref('team/app:1'))
})
afterEach(async () => {
  await mirror[Symbol.asyncDispose]()
  await client.close()
  await upstream.close()
})

/** A mirror with a policy that wants signatures below `team/`, and takes what is below `free/`. */
async function serveMirror(place: Store, { tagMaxAgeMs }: { tagMaxAgeMs?: number } = {}) {
  const repositories = { [`${server.host}/team/*`]: { keys: [pair.publicKey] }, [`${server.host}/free/*`]: 'accept' }
  const file = join(directory.path, 'policy.json')
  writeFileSync(file, JSON.stringify({ version: 1, default: 'reject', repositories }))
  const { verifyAt: verify } = await loadPolicy(file)
  return serveStore(place, { upstream: { registry: server.host, client: upstream, verify, tagMaxAgeMs } })
}

const at = (name: string) => `${mirror.host}/${name}`
const pull = (name: string, platform = 'linux/amd64') =>
  pullImage(client, createMemoryStore(), at(name), { platform, name: 'got:1' })
const DENIED = { code: 'ERR_UNAUTHORIZED', status: 403 }

async function namesOf(place: Store): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of place.references.list()) names.push(name)
  return names
}

test('an image without signature is denied, stored nowhere and gets no name; a signed one costs one request more', async () => {
  const { digest } = await registry.resolve({ registry: server.host, repository: 'team/app', tag: '1' })
  await expect(pull('team/app:1')).rejects.toMatchObject(DENIED)
  await expect(pull(`team/app@${digest}`)).rejects.toMatchObject(DENIED)
  expect([await here.stat(digest), await namesOf(here)]).toEqual([undefined, []])
  await signImage({ registry, reference: ref('team/app:1') }, { key })
  await pushImage(store, registry, 'app', ref('free/app:1'))
  const requests: number[] = []
  for (const name of ['free/app', 'team/app']) {
    await mirror[Symbol.asyncDispose]()
    here = createMemoryStore()
    mirror = await serveMirror(here)
    const before = server.requests.length
    await pull(`${name}:1`)
    requests.push(server.requests.length - before)
    expect(await namesOf(here)).toEqual([`${server.host}/${name}:1`])
  }
  expect(requests[1]).toBe(requests[0]! + 1)
})

test('a tag that moves to an image without signature is denied, and not answered from an earlier look-up', async () => {
  await mirror[Symbol.asyncDispose]()
  mirror = await serveMirror(here, { tagMaxAgeMs: 0 })
  await signImage({ registry, reference: ref('team/app:1') }, { key })
  const { digest } = await pull('team/app:1')
  await sampleImage(store, [{ file: 'evil' }], { name: 'evil' })
  await pushImage(store, registry, 'evil', ref('team/app:1'))
  await expect(pull('team/app:1')).rejects.toMatchObject(DENIED)
  expect((await here.references.get(`${server.host}/team/app:1`))?.digest).toBe(digest)
})

test('a digest that one repository may bring gets no tag in another one that wants signatures', async () => {
  await pushImage(store, registry, 'app', ref('free/app:1'))
  await pull('free/app:1')
  await expect(pull('team/app:1')).rejects.toMatchObject(DENIED)
})

/** Pushes an index of two platforms. */
async function pushIndex() {
  const images = []
  for (const architecture of ['amd64', 'arm64'])
    images.push(await sampleImage(store, [{ architecture }], { architecture }))
  const { descriptor } = await composeIndex(store, { images })
  await store.references.set('index', descriptor)
  await pushImage(store, registry, 'index', ref('team/multi:1'))
  return { images, descriptor }
}

test('an image of a signed index is served, and what is attached to it', async () => {
  const { images, descriptor } = await pushIndex()
  await expect(pull('team/multi:1')).rejects.toMatchObject(DENIED)
  for (const format of ['bundle', 'simple-signing'] as const) {
    await signImage({ registry, reference: ref('team/multi:1') }, { key, format })
  }
  expect((await pull('team/multi:1', 'linux/arm64')).digest).toBe(images[1]!.descriptor.digest)
  const sbom = await composeArtifact(store, {
    artifactType: 'application/spdx+json',
    layers: [{ mediaType: 'application/spdx+json', content: '{}' }],
    subject: descriptor,
  })
  await pushImage(store, registry, sbom, ref(`team/multi@${sbom.descriptor.digest}`))
  const reference = at('team/multi:1')
  const found = await verifyImage({ registry: client, reference }, { keys: [pair.publicKey], signedName: false })
  expect(found.signatures.map(({ format }) => format)).toEqual(['bundle', 'simple-signing'])
  await client.fetchManifest({ registry: mirror.host, repository: 'team/multi', digest: sbom.descriptor.digest })
  const evil = await composeArtifact(store, { artifactType: 'application/vnd.example', layers: [{ content: 'x' }] })
  await pushImage(store, registry, evil, ref(`team/multi@${evil.descriptor.digest}`))
  await expect(
    client.fetchManifest({ registry: mirror.host, repository: 'team/multi', digest: evil.descriptor.digest }),
  ).rejects.toMatchObject(DENIED)
})

test('an image of a signed index that the store has is served to who asks by digests, also after a restart', async () => {
  const { images, descriptor } = await pushIndex()
  await signImage({ registry, reference: ref('team/multi:1') }, { key })
  const reference = `team/multi@${descriptor.digest}`
  await pull(reference)
  await mirror[Symbol.asyncDispose]()
  mirror = await serveMirror(here)
  expect((await pull(reference, 'linux/arm64')).digest).toBe(images[1]!.descriptor.digest)
})

test('while the registry is down, only tags that were verified are answered', async () => {
  await signImage({ registry, reference: ref('team/app:1') }, { key })
  await pull('team/app:1')
  const plain = await serveStore(here, { upstream: { registry: server.host, client: upstream } })
  await sampleImage(store, [{ file: 'two' }], { name: 'two' })
  await pushImage(store, registry, 'two', ref('team/app:unsigned'))
  await pullImage(client, createMemoryStore(), `${plain.host}/team/app:unsigned`)
  await plain[Symbol.asyncDispose]()
  await mirror[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  mirror = await serveMirror(here)
  await pull('team/app:1')
  await expect(pull('team/app:unsigned')).rejects.toMatchObject({ status: 502 })
})
