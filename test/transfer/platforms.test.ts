import { expect, test } from 'vitest'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { type Descriptor, MediaType, parseIndex } from '../../lib/oci/index.ts'
import { readDocument } from '../../lib/store/index.ts'
import { planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { ref, registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'

serveRegistry()

test('a warm pull of one platform of an unchanged index costs one HEAD, although the index is no part of the image', async () => {
  const index = await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
  await runPull(await planPull(registry, store, ref('multi:1'), { platform: 'amd64' }))
  expect(await store.stat(index.digest)).toBeUndefined()
  server.requests.length = 0
  const plan = await planPull(registry, store, ref('multi:1'), { platform: 'amd64' })
  expect(await runPull(plan)).toMatchObject({ blobsFetched: 0, bytesFetched: 0 })
  expect(server.requests).toEqual(['HEAD /v2/multi/manifests/1'])
  await store.derived.set('facts', `document:${index.digest}`, Buffer.from('something else'))
  expect((await planPull(registry, store, ref('multi:1'), { platform: 'amd64' })).index).toBe(index.digest)
})

test('two platforms out of three give an index of two, with their attestations', async () => {
  const whole = await sampleIndex(remote, ['amd64', 'arm64', 's390x'], 'plain:1')
  const { manifests, ...rest } = parseIndex(await readDocument(remote, whole))
  const attestation = async (subject: Descriptor): Promise<Descriptor> => ({
    ...(await sampleImage(remote, [{ about: subject.digest }], { architecture: 'unknown' })).descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.digest': subject.digest, 'vnd.docker.reference.type': 'attestation-manifest' },
  })
  const about = [await attestation(manifests[0]!), await attestation(manifests[1]!)]
  const bytes = canonicalJson({ ...rest, annotations: { kept: 'yes' }, manifests: [...manifests, ...about] })
  await remote.references.set('multi:1', { mediaType: MediaType.OciIndex, ...(await remote.put(bytes)) })
  const wanted = { platform: ['linux/s390x', 'linux/amd64'] }
  const plan = await planPull(registry, store, ref('multi:1'), wanted)
  expect(plan).toMatchObject({ platforms: ['linux/amd64', 'linux/s390x'], platformsLeftOut: ['linux/arm64'] })
  await runPull(plan)
  const made = parseIndex(await readDocument(store, (await store.references.get(ref('multi:1')))!))
  expect(made).toEqual({ ...rest, annotations: { kept: 'yes' }, manifests: [manifests[0], manifests[2], about[0]] })
  server.requests.length = 0
  expect((await runPull(await planPull(registry, store, ref('multi:1'), wanted))).blobsFetched).toBe(0)
  expect(server.requests).toEqual(['HEAD /v2/multi/manifests/1'])
})

test('all platforms by name give the index itself, a duplicate counts once, and a single image must match each', async () => {
  const whole = await sampleIndex(remote, ['amd64', 'arm64'], 'multi:1')
  await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })
  const root = async (name: string, ...platform: string[]) =>
    (await planPull(registry, store, ref(name), { platform })).root
  expect(await root('multi:1', 'amd64', 'arm64')).toEqual(whole)
  expect(await root('multi:1', 'linux/amd64', 'amd64')).toMatchObject({ mediaType: MediaType.OciManifest })
  expect(await root('multi:1')).toMatchObject({ mediaType: MediaType.OciManifest })
  await expect(root('app:1', 'amd64', 'arm64')).rejects.toMatchObject({ code: 'ERR_PLATFORM_NOT_FOUND' })
  await expect(root('multi:1', 'amd64', 'riscv64')).rejects.toMatchObject({ code: 'ERR_PLATFORM_NOT_FOUND' })
})

test('a push sends one platform, or several, of a stored index', async () => {
  const whole = await sampleIndex(store, ['amd64', 'arm64', 's390x'], 'multi:1')
  const push = async (...platform: string[]) =>
    runPush(await planPush(store, registry, 'multi:1', ref('multi:1'), platform.length > 0 ? { platform } : {}))
  const one = await push('arm64')
  expect(await remote.references.get('multi:1')).toMatchObject({ mediaType: MediaType.OciManifest, digest: one.digest })
  const two = await push('arm64', 's390x')
  const index = parseIndex(await readDocument(remote, { mediaType: '', ...(await remote.stat(two.digest))! }))
  expect(index.manifests.map(({ platform }) => platform?.architecture)).toEqual(['arm64', 's390x'])
  expect((await push()).digest).toBe(whole.digest)
})

test('an image whose config lists fewer layers than its manifest gets no name', async () => {
  const { manifest, layers } = await sampleImage(remote, [{ a: 'a' }])
  const extra = { ...layers[0]!.descriptor, ...(await remote.put(Buffer.from('another layer'))) }
  const bytes = canonicalJson({ ...manifest, layers: [...manifest.layers, extra] })
  await remote.references.set('app:1', { mediaType: MediaType.OciManifest, ...(await remote.put(bytes)) })
  await expect(runPull(await planPull(registry, store, ref('app:1')))).rejects.toMatchObject({
    code: 'ERR_INVALID_CONFIG',
    at: 'rootfs.diff_ids',
  })
  expect(await store.references.get(ref('app:1'))).toBeUndefined()
})

test('an index entry of an unknown media type does not prevent the pull of a later image', async () => {
  const { descriptor } = await sampleImage(remote, [{ a: 'a' }])
  const platform = { os: 'linux', architecture: 'amd64' }
  const odd = { mediaType: 'application/vnd.example.lazy+json', platform, ...(await remote.put(Buffer.from('{}'))) }
  const index = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [odd, { ...descriptor, platform }] }
  const bytes = canonicalJson(index)
  await remote.references.set('multi:1', { mediaType: MediaType.OciIndex, ...(await remote.put(bytes)) })
  const { digest } = await runPull(await planPull(registry, store, ref('multi:1'), { platform: 'linux/amd64' }))
  expect(digest).toBe(descriptor.digest)
})

test('a blob that cannot be verified is an error only if it must move', async () => {
  const { descriptor } = await sampleImage(remote, [{ a: 'a' }])
  const platform = { os: 'linux', architecture: 'amd64' }
  const digest = 'sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564'
  const odd = { ...descriptor, digest, platform: { os: 'linux', architecture: 'arm64' } }
  const index = canonicalJson({
    schemaVersion: 2,
    mediaType: MediaType.OciIndex,
    manifests: [odd, { ...descriptor, platform }],
  })
  // No store takes such an index under a name.
  const { digest: indexDigest } = await remote.put(index)
  const byDigest = `${ref('multi')}@${indexDigest}`
  const pulled = await runPull(await planPull(registry, store, byDigest, { platform: 'linux/amd64', name: 'one:1' }))
  expect(pulled.digest).toBe(descriptor.digest)
  for (const choice of [{ allPlatforms: true }, { platform: 'linux/arm64' }]) {
    await expect(planPull(registry, store, byDigest, { ...choice, name: 'all:1' })).rejects.toMatchObject({
      code: 'ERR_INVALID_DIGEST',
      message: expect.stringContaining('cannot verify'),
    })
  }
})
