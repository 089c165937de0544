import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadArchive, openArchive, writeArchive } from '../../../lib/archive/index.ts'
import type { Digest } from '../../../lib/digest/index.ts'
import { composeArtifact, composeIndex } from '../../../lib/image/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { generateSigningKeys, loadPolicy, loadSigningKey, signImage, verifyImage } from '../../../lib/trust/index.ts'
import { cut } from '../../helpers/cut.ts'
import { rawEntriesOf } from '../../helpers/docker-archive.ts'
import { rawTar } from '../../helpers/raw-tar.ts'
import { readAll } from '../../helpers/read-all.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/* Archives whose images a policy verifies before they get a name, with the signatures in the archive. */

const pair = await generateSigningKeys()
const key = await loadSigningKey(pair.privateKey)
const NAME = 'ghcr.io/team/app:1'
const tagOf = (digest: Digest) => `ghcr.io/team/app:${digest.replace(':', '-')}.sig`

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let digest: Digest
beforeAll(() => {
  directory = temporaryDirectory('loading')
})
afterAll(() => directory[Symbol.dispose]())
beforeEach(async () => {
  store = createMemoryStore()
  digest = (await sampleImage(store, [{ file: 'one' }], { name: NAME })).descriptor.digest
})

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory.path, name)
  writeFileSync(path, content)
  return path
}

/** A policy whose default rule is the given one. */
async function policyOf(rule: unknown = { keys: [pair.publicKey] }) {
  return loadPolicy(file('policy.json', JSON.stringify({ version: 1, default: rule })))
}

/** Loads an archive from a file and from a stream, and returns the names of both stores. */
async function loadBoth(tar: Uint8Array, options: Parameters<typeof loadArchive>[2]): Promise<string[]> {
  const found: string[] = []
  for (const source of [file('archive.tar', tar), cut(tar, 5000)]) {
    const back = createMemoryStore()
    const loading = loadArchive(back, source, options)
    await loading.catch(() => {})
    for await (const { name } of back.references.list()) found.push(name)
    await loading
  }
  return found
}

async function refused(tar: Uint8Array, options: Parameters<typeof loadArchive>[2]): Promise<string> {
  for (const source of [file('archive.tar', tar), cut(tar, 5000)]) {
    const back = createMemoryStore()
    const loading = loadArchive(back, source, options)
    await expect(loading).rejects.toMatchObject({ name: 'TrustError', code: 'ERR_POLICY_REFUSED' })
    for await (const { name } of back.references.list()) throw new Error(`${name} was set`)
  }
  return loadArchive(createMemoryStore(), cut(tar, 5000), options).then(
    () => '',
    error => error.message,
  )
}

test('an image of an archive gets its name if the archive has its signature, under a tag or as a referrer', async () => {
  const { verifyAt: verify } = await policyOf()
  expect(await refused(await readAll(writeArchive(store, NAME)), { verify })).toMatch(/missing: a signature by/)
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const tagged = await readAll(writeArchive(store, [NAME, tagOf(digest)]))
  expect(await loadBoth(tagged, { verify })).toEqual([NAME, tagOf(digest), NAME, tagOf(digest)])
  expect(await loadBoth(tagged, { verify, image: NAME })).toEqual([NAME, NAME])
  const { signatures } = await signImage({ store, name: NAME }, { key })
  const referrers = signatures.map(one => one.digest)
  expect(await loadBoth(await readAll(writeArchive(store, NAME, { referrers })), { verify })).toEqual([NAME, NAME])
})

test('the signature has to be one of the name that the image gets', async () => {
  const { verifyAt: verify } = await policyOf()
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const tar = await readAll(writeArchive(store, [NAME, tagOf(digest)]))
  const options = { verify, image: NAME }
  expect(await refused(tar, { ...options, name: 'quay.io/other/app:1' })).toMatch(/made for another name/)
  expect(await loadBoth(tar, { ...options, name: 'ghcr.io/team/app:2' })).toEqual([
    'ghcr.io/team/app:2',
    'ghcr.io/team/app:2',
  ])
})

test('a signature does not let a second image of the archive in, nor one with files under the tag of a signature', async () => {
  const { verifyAt: verify } = await policyOf()
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  await sampleImage(store, [{ file: 'evil' }], { name: 'ghcr.io/team/app:evil' })
  const both = await readAll(writeArchive(store, [NAME, tagOf(digest), 'ghcr.io/team/app:evil']))
  expect(await refused(both, { verify })).toMatch(/"ghcr\.io\/team\/app:evil" in the archive/)
  const evil = (await store.references.get('ghcr.io/team/app:evil'))!
  const hidden = tagOf(evil.digest)
  const disguised = await readAll(writeArchive(store, [{ image: evil, name: hidden }]))
  await refused(disguised, { verify })
  const mixed = { image: (await store.references.get(tagOf(digest)))!, name: 'ghcr.io/team/app:plain' }
  await refused(await readAll(writeArchive(store, [mixed])), { verify })
})

test('a platform of a signed index is loaded from an archive that holds the index', async () => {
  const images = []
  for (const architecture of ['amd64', 'arm64'])
    images.push(await sampleImage(store, [{ architecture }], { architecture }))
  const { descriptor } = await composeIndex(store, { images })
  await store.references.set(NAME, descriptor)
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const tar = await readAll(writeArchive(store, [NAME, tagOf(descriptor.digest)]))
  const { verifyAt: verify } = await policyOf()
  expect(await loadBoth(tar, { verify, image: NAME, platform: 'linux/arm64' })).toEqual([NAME, NAME])
})

test('the layout of cosign save is verified: its signatures have a kind and no name', async () => {
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const other = await sampleImage(store, [{ file: 'two' }], { name: 'ghcr.io/team/app:2' })
  const names = [NAME, tagOf(digest), 'ghcr.io/team/app:2']
  const entries = await rawEntriesOf(await readAll(writeArchive(store, names, { format: 'oci' })))
  const kinds = ['image', 'sigs', 'image']
  const tar = rawTar(
    entries.map(entry => {
      if (entry.path !== 'index.json') return entry
      const index = JSON.parse(`${entry.content}`)
      const manifests = index.manifests.map((one: object, i: number) => {
        return { ...one, annotations: { kind: `dev.cosignproject.cosign/${kinds[i]}` } }
      })
      return { ...entry, content: JSON.stringify({ ...index, manifests }) }
    }),
  )
  await using archive = await openArchive(file('saved.tar', tar))
  const keys = [pair.publicKey]
  expect(await verifyImage({ store: archive, name: digest }, { keys })).toMatchObject({ digest, signatures: [{}] })
  await expect(verifyImage({ store: archive, name: other.descriptor.digest }, { keys })).rejects.toMatchObject({
    code: 'ERR_SIGNATURE_MISSING',
  })
  const { verifyAt: verify } = await policyOf()
  const options = { verify, image: '@0', name: NAME }
  expect(await loadBoth(tar, options)).toEqual([NAME, NAME])
  await refused(tar, { ...options, image: '@2' })
})

test('a rule that rejects, rejects signatures too', async () => {
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const { verifyAt: verify } = await policyOf('reject')
  expect(await refused(await readAll(writeArchive(store, [tagOf(digest)])), { verify })).toMatch(/it is rejected/)
})

test('signatures by a tag are found in an opened archive, also beside the one image that was asked for', async () => {
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const path = file('opened.tar', await readAll(writeArchive(store, [NAME, tagOf(digest)])))
  for (const image of [undefined, NAME]) {
    await using archive = await openArchive(path, { image })
    for (const name of [NAME, digest]) {
      const found = await verifyImage({ store: archive, name }, { keys: [pair.publicKey] })
      expect(found).toMatchObject({ digest, signatures: [{ format: 'simple-signing' }] })
    }
  }
})

test('a name that is given without a tag counts as the name that the store keeps', async () => {
  const { verifyAt: verify } = await policyOf()
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const tar = await readAll(writeArchive(store, [NAME, tagOf(digest)]))
  expect(await refused(tar, { verify, image: NAME, name: 'app' })).toMatch(/made for another name/)
})

test('what is no image gets no name with a digest, and no name states the digest of another image', async () => {
  const { descriptor } = await composeArtifact(store, { artifactType: 'application/vnd.example' })
  await store.references.set('ghcr.io/team/app:evil', descriptor)
  const { verifyAt: verify } = await policyOf()
  const name = (of: Digest) => `ghcr.io/team/app@${of}`
  await refused(await readAll(writeArchive(store, [{ image: descriptor, name: name(descriptor.digest) }])), { verify })
  const image = (await store.references.get(NAME))!
  await signImage({ store, name: NAME }, { key, format: 'simple-signing' })
  const load = async (stated: Digest) => {
    const tar = await readAll(writeArchive(store, [{ image, name: name(stated) }, tagOf(digest)]))
    return loadBoth(tar, { verify, image: '@0' })
  }
  expect(await load(digest)).toEqual([name(digest), name(digest)])
  await expect(load(descriptor.digest)).rejects.toMatchObject({ code: 'ERR_INVALID_LAYOUT' })
})
