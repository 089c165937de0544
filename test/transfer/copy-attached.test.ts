import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { type CopyPlan, copyImage, parsePlan, planCopy, pushImage, runCopy } from '../../lib/transfer/index.ts'
import { generateSigningKeys, loadSigningKey, signImage, verifyImage } from '../../lib/trust/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

serveRegistry()

const [pair, second] = [await generateSigningKeys(), await generateSigningKeys()]
const key = await loadSigningKey(pair.privateKey)
const [keys, anyName] = [[pair.publicKey], { signedName: false as const }]
const place = (name: string) => ({ registry, reference: ref(name) })
const tagOf = (digest: string, kind: string) => `${digest.replace(':', '-')}.${kind}`

/** Pushes an image and signs it under a tag, as cosign 2 does. */
async function signed(name = 'team/app:1'): Promise<Descriptor> {
  const { descriptor } = await sampleImage(store, [{ file: 'one' }], { name: 'app' })
  await pushImage(store, registry, 'app', ref(name))
  await signImage(place(name), { key, format: 'simple-signing' })
  return descriptor
}

/** Puts a document under a tag of cosign beside an image. */
async function attach(at: Store, repository: string, tag: string, text: string): Promise<Descriptor> {
  const blob = async (mediaType: string, content: string) => ({ mediaType, ...(await at.put(Buffer.from(content))) })
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config: await blob(MediaType.OciConfig, JSON.stringify({ architecture: '', os: '', rootfs: { type: 'layers' } })),
    layers: [await blob('text/spdx+json', text)],
  }
  const descriptor = { mediaType: MediaType.OciManifest, ...(await at.put(canonicalJson(manifest))) }
  await at.references.set(`${repository}:${tag}`, descriptor, { anyConfig: true })
  return descriptor
}

test('signatures, attestations and SBOMs under tags of cosign travel to another repository', async () => {
  const { digest } = await signed()
  for (const kind of ['att', 'sbom']) await attach(remote, 'team/app', tagOf(digest, kind), kind)
  await copyImage(place('team/app:1'), place('alone/app:1'))
  await expect(verifyImage(place('alone/app:1'), { keys, ...anyName })).rejects.toThrow(/no signature/)
  const plan = await planCopy(place('team/app:1'), place('prod/app:1'), { referrers: true })
  expect(plan.referrers).toHaveLength(3)
  expect(plan.steps.flatMap(({ tags = [] }) => tags).sort()).toEqual(['att', 'sbom', 'sig'].map(k => tagOf(digest, k)))
  expect(plan.steps.at(-1)?.descriptor.digest).toBe(digest)
  await runCopy(parsePlan(Buffer.from(JSON.stringify(plan))) as typeof plan, {
    from: place('team/app:1'),
    to: place('prod/app:1'),
  })
  for (const kind of ['sig', 'att', 'sbom']) {
    const names = ['team', 'prod'].map(one => `${one}/app:${tagOf(digest, kind)}`)
    const [from, to] = await Promise.all(names.map(name => remote.references.get(name)))
    expect(to).toMatchObject({ digest: from!.digest })
  }
  expect(await verifyImage(place('prod/app:1'), { keys, ...anyName })).toMatchObject({ digest })
  // The second copy has nothing to do, and the tag is set again where only the manifest is there.
  server.requests.length = 0
  await copyImage(place('team/app:1'), place('prod/app:1'), { referrers: true })
  expect(server.requests.filter(text => /^(POST|PATCH)|PUT .*\.(sig|att|sbom)/.test(text))).toEqual([])
  await remote.references.delete(`prod/app:${tagOf(digest, 'sig')}`)
  await copyImage(place('team/app:1'), place('prod/app:1'), { referrers: true })
  expect(await verifyImage(place('prod/app:1'), { keys, ...anyName })).toMatchObject({ digest })
})

test('each image of an index brings its own', async () => {
  await sampleIndex(store, ['amd64', 'arm64'], 'app')
  await pushImage(store, registry, 'app', ref('team/app:1'))
  await signImage(place('team/app:1'), { key, format: 'simple-signing', recursive: true })
  const plan = await planCopy(place('team/app:1'), place('prod/app:1'), { referrers: true })
  expect(plan.referrers).toHaveLength(3)
  await runCopy(plan)
  const images = plan.steps.filter(({ kind, belowRoot }) => belowRoot !== false && /manifest|index/.test(kind))
  expect(images).toHaveLength(3)
  for (const { descriptor } of images)
    expect(await verifyImage(place(`prod/app@${descriptor.digest}`), { keys, ...anyName })).toMatchObject({
      digest: descriptor.digest,
    })
})

test('they travel through a store and a layout back into a registry', async () => {
  using directory = temporaryDirectory('copy-attached')
  const { digest } = await signed()
  await using layout = await openStore(join(directory.path, 'layout'))
  const inLayout = { store: layout, name: '1.0', verbatim: true }
  const stops = [place('team/app:1'), { store, name: 'kept/app:1' }, inLayout, place('prod/app:1')] as const
  for (const [i, from] of stops.slice(0, -1).entries()) {
    await copyImage(from, stops[i + 1]!, { referrers: true })
    expect(await verifyImage(stops[i + 1]!, { keys, ...anyName })).toMatchObject({ digest })
  }
  expect(await store.references.get(`kept/app:${tagOf(digest, 'sig')}`)).toBeDefined()
  expect(await layout.references.get(tagOf(digest, 'sig'))).toBeDefined()
})

test('signatures that only the target has are kept', async () => {
  const { digest } = await signed()
  const copy = () => copyImage(place('team/app:1'), place('prod/app:1'), { referrers: true })
  await copy()
  await signImage(place('prod/app:1'), { key: await loadSigningKey(second.privateKey), format: 'simple-signing' })
  await copy()
  for (const { publicKey } of [pair, second])
    expect(await verifyImage(place('prod/app:1'), { keys: [publicKey], ...anyName })).toMatchObject({ digest })
  await signImage(place('team/app:1'), { key, format: 'simple-signing', annotations: { again: 'yes' } })
  await expect(copy()).rejects.toMatchObject({
    code: 'ERR_REFERENCE_CONFLICT',
    message: expect.stringContaining(`prod/app:1 has signatures under ${tagOf(digest, 'sig')} that `),
  })
  // An SBOM has no signers: the newer one replaces the older one, as an image does.
  await attach(remote, 'other/app', tagOf(digest, 'sbom'), 'old')
  const newer = await attach(remote, 'team/app', tagOf(digest, 'sbom'), 'new')
  await copyImage(place('team/app:1'), place('other/app:1'), { referrers: true })
  expect(await remote.references.get(`other/app:${tagOf(digest, 'sbom')}`)).toMatchObject({ digest: newer.digest })
})

test('a stored plan takes no signature away that the target got since', async () => {
  const { digest } = await signed()
  const ends = { from: place('team/app:1'), to: place('prod/app:1') }
  const stored = Buffer.from(JSON.stringify(await planCopy(ends.from, ends.to, { referrers: true })))
  const run = () => runCopy(parsePlan(stored) as CopyPlan, ends)
  await run()
  await signImage(ends.to, { key: await loadSigningKey(second.privateKey), format: 'simple-signing' })
  await run()
  for (const { publicKey } of [pair, second])
    expect(await verifyImage(ends.to, { keys: [publicKey], ...anyName })).toMatchObject({ digest })
  await remote.references.delete(`prod/app:${tagOf(digest, 'sig')}`)
  await signImage(ends.to, { key: await loadSigningKey(second.privateKey), format: 'simple-signing' })
  await expect(run()).rejects.toMatchObject({ code: 'ERR_REFERENCE_CONFLICT' })
})

test('a tag of cosign that leads into the image itself is no signature', async () => {
  const { descriptor } = await sampleImage(store, [{ file: 'one' }], { name: 'app' })
  await store.references.set(`app:${tagOf(descriptor.digest, 'sig')}`, descriptor)
  const target = createMemoryStore()
  const plan = await planCopy({ store, name: 'app' }, { store: target }, { referrers: true })
  expect(plan.referrers).toEqual([])
  expect(plan.steps.flatMap(({ tags = [] }) => tags)).toEqual([])
})
