import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { StoreError } from '../../lib/errors/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { type BlobInfo, createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { copyImage, planCopy, runCopy, storeSourceEndpoint, storeTargetEndpoint } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'

let [left, right]: Store[] = []
let registries: FaultyRegistry[] = []
let registry: RegistryClient

beforeEach(async () => {
  left = createMemoryStore()
  right = createMemoryStore()
  registry = registryClientFor()
  registries = [await createFaultyRegistry({ store: left! }), await createFaultyRegistry({ store: right! })]
})
afterEach(async () => {
  await registry.close()
  for (const one of registries) await one.close()
})
const at = (i: 0 | 1, name: string) => ({ registry, reference: `${registries[i]!.host}/${name}` })
const uploads = (i: 0 | 1) =>
  registries[i]!.seen.filter(({ method, path }) => method !== 'HEAD' && /uploads/.test(path))

/** Makes a manifest whose subject is another one. */
async function refersTo(store: Store, subject: Descriptor, text: string): Promise<Descriptor> {
  const blob = async (mediaType: string, content: string) => ({ mediaType, ...(await store.put(Buffer.from(content))) })
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    artifactType: 'application/vnd.example.signature',
    config: await blob('application/vnd.oci.empty.v1+json', '{}'),
    layers: [await blob('application/vnd.example.signature', text)],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
  }
  return { mediaType: MediaType.OciManifest, ...(await store.put(canonicalJson(manifest))) }
}

describe('between two registries', () => {
  test('a whole index arrives byte for byte, and this process stores nothing', async () => {
    const index = await sampleIndex(left!, ['amd64', 'arm64'], 'app:1')
    const plan = await planCopy(at(0, 'app:1'), at(1, 'team/app:2'))
    expect(plan).toMatchObject({ kind: 'copy', platforms: ['linux/amd64', 'linux/arm64'], platformsLeftOut: [] })
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
    expect(await blobsOf(right!)).toEqual([])
    const result = await runCopy(plan)
    expect(result).toMatchObject({ digest: index.digest, bytesMoved: plan.bytesTotal, bytesMovedAgain: 0 })
    expect(await blobsOf(right!)).toEqual(await blobsOf(left!))
    expect((await right!.references.get('team/app:2'))?.digest).toBe(index.digest)
    const again = await copyImage(at(0, 'app:1'), at(1, 'team/app:2'))
    expect(again.blobsMoved).toBe(0)
    expect(uploads(1).filter(({ method }) => method === 'PUT')).toHaveLength(4)
  })

  test('several platforms give a new index, the same each time, and only their blobs move', async () => {
    await sampleIndex(left!, ['amd64', 'arm64', 's390x'], 'app:1')
    const wanted = { platform: ['linux/arm64', 's390x'] }
    const result = await copyImage(at(0, 'app:1'), at(1, 'app:1'), wanted)
    const stored = await right!.references.get('app:1')
    expect(stored).toMatchObject({ mediaType: MediaType.OciIndex, digest: result.digest })
    const text = (await readAll(right!.read(result.digest))).toString()
    const { manifests } = JSON.parse(text)
    expect(manifests.map((one: Descriptor) => one.platform?.architecture)).toEqual(['arm64', 's390x'])
    expect(await blobsOf(right!)).toHaveLength(2 * 3 + 1)
    const plan = await planCopy(at(0, 'app:1'), at(1, 'app:1'), wanted)
    expect(plan).toMatchObject({ root: { digest: result.digest }, bytesToMove: 0, platformsLeftOut: ['linux/amd64'] })
    await expect(copyImage(at(0, 'app:1'), at(1, 'app:1'), { platform: ['arm64', 'mips'] })).rejects.toMatchObject({
      code: 'ERR_PLATFORM_NOT_FOUND',
    })
  })

  test('this process detects a wrong byte, reads the blob from the source again, and never completes a wrong upload', async () => {
    const image = await sampleImage(left!, [{ a: Buffer.alloc(50_000, 'a') }], { name: 'app:1' })
    const { digest } = image.layers[0]!.descriptor
    registries[0]!.misbehave({ kind: 'flip', at: 20 }, { method: 'GET', path: new RegExp(`/blobs/${digest}`) })
    const result = await copyImage(at(0, 'app:1'), at(1, 'app:1'))
    expect(result.bytesMovedAgain).toBe(image.layers[0]!.descriptor.size)
    expect(await blobsOf(right!)).toEqual(await blobsOf(left!))
    await right!.references.delete('app:1')
    for (const one of await blobsOf(right!)) await right!.delete(one as never)
    registries[0]!.misbehave(
      { kind: 'flip', at: 20 },
      { method: 'GET', path: new RegExp(`/blobs/${digest}`), times: 9 },
    )
    await expect(copyImage(at(0, 'app:1'), at(1, 'app:1'))).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
    expect(await right!.stat(digest)).toBeUndefined()
    expect(await right!.references.get('app:1')).toBeUndefined()
  })

  test('an interrupted upload resumes, and no byte is hashed twice', async () => {
    const image = await sampleImage(left!, [{ a: Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))) }], {
      name: 'app:1',
    })
    registries[1]!.misbehave({ kind: 'cut-request', after: 5000 }, { method: 'PATCH', skip: 1 })
    const result = await copyImage(at(0, 'app:1'), at(1, 'app:1'), { chunkBytes: 10_000 })
    expect(await blobsOf(right!)).toEqual(await blobsOf(left!))
    expect(result.bytesMovedAgain).toBeLessThan(image.layers[0]!.descriptor.size)
  })

  test('referrers are copied on request, before the tag is set', async () => {
    const { descriptor } = await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    const signature = await refersTo(left!, descriptor, 'signed')
    const inventory = await refersTo(left!, signature, 'about the signature')
    const lists: Record<string, Descriptor[]> = { [descriptor.digest]: [signature], [signature.digest]: [inventory] }
    const withReferrers: RegistryClient = {
      ...registry,
      async *listReferrers(_repository, digest) {
        yield* lists[digest] ?? []
      },
    }
    const plan = await planCopy({ ...at(0, 'app:1'), registry: withReferrers }, at(1, 'app:1'), { referrers: true })
    expect(plan.referrers).toEqual([signature.digest, inventory.digest])
    expect(plan.steps.at(-1)?.descriptor.digest).toBe(descriptor.digest)
    await runCopy(plan)
    for (const { digest } of [signature, inventory]) expect(await right!.stat(digest)).toBeDefined()
    expect((await planCopy(at(0, 'app:1'), at(1, 'app:1'))).referrers).toEqual([])
  })

  test('one request sets several tags', async () => {
    const { descriptor } = await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    await copyImage(at(0, 'app:1'), at(1, 'app:1.2.3'), { tags: ['1.2', 'latest'] })
    for (const tag of ['1.2.3', '1.2', 'latest']) {
      expect((await right!.references.get(`app:${tag}`))?.digest).toBe(descriptor.digest)
    }
    await expect(planCopy(at(0, 'app:1'), at(1, 'app:1'), { tags: ['no tag'] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('a target pinned to another digest is rejected before any blob moves', async () => {
    await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    const pinned = `app@sha256:${'0'.repeat(64)}`
    await expect(planCopy(at(0, 'app:1'), at(1, pinned))).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
  })
})

describe('inside one registry', () => {
  test('blobs are mounted, and none passes through this process', async () => {
    await sampleImage(left!, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
    const elsewhere: RegistryClient = { ...registry, statBlob: async () => undefined, resolve: missing }
    const plan = await planCopy(at(0, 'app:1'), { ...at(0, 'other/app:1'), registry: elsewhere })
    expect(plan.steps.map(({ need, from }) => [need, from])).toEqual([
      ['mount', 'app'],
      ['mount', 'app'],
      ['mount', 'app'],
      ['upload', undefined],
    ])
    const before = registries[0]!.seen.length
    const result = await runCopy(plan)
    expect(result).toMatchObject({ blobsMounted: 3, blobsMoved: 1 })
    const requests = registries[0]!.seen.slice(before)
    expect(requests.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))).toEqual([])
    expect(await left!.references.get('other/app:1')).toBeDefined()
  })
})

const missing: RegistryClient['resolve'] = async reference => {
  const { RegistryError } = await import('../../lib/errors/index.ts')
  throw new RegistryError('ERR_MANIFEST_NOT_FOUND', 'none', { method: 'HEAD', url: `http://${reference.registry}/` })
}

describe('between stores', () => {
  test('one act copies an image between stores, into a registry and back', async () => {
    const index = await sampleIndex(left!, ['amd64', 'arm64'], 'app:1')
    const third = createMemoryStore()
    const result = await copyImage({ store: left!, name: 'app:1' }, { store: third })
    expect(result).toMatchObject({ name: 'app:1', digest: index.digest })
    expect(await blobsOf(third)).toEqual(await blobsOf(left!))
    await copyImage({ store: third, name: 'app:1' }, at(1, 'app:1'), { tags: ['2'] })
    expect((await right!.references.get('app:2'))?.digest).toBe(index.digest)
    const back = createMemoryStore()
    const names = await copyImage(at(1, 'app:1'), { store: back, name: 'mine:1' }, { tags: ['2'] })
    expect(names.name).toBe('mine:1')
    expect((await back.references.get('mine:2'))?.digest).toBe(index.digest)
    expect(await blobsOf(back)).toEqual(await blobsOf(left!))
  })

  test('a store as source finds referrers too', async () => {
    const { descriptor } = await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    const signature = await refersTo(left!, descriptor, 'signed')
    const third = createMemoryStore()
    const plan = await planCopy({ store: left!, name: 'app:1' }, { store: third }, { referrers: true })
    expect(plan.referrers).toEqual([signature.digest])
    await runCopy(plan)
    expect(await blobsOf(third)).toEqual(await blobsOf(left!))
  })

  test('a blob deleted after the listing is no referrer; a blob that cannot be read is an error', async () => {
    const { descriptor } = await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    const signature = await refersTo(left!, descriptor, 'signed')
    const blobs: BlobInfo[] = []
    for await (const blob of left!.list()) blobs.push(blob)
    const plan = () => planCopy({ store: left!, name: 'app:1' }, { store: right! }, { referrers: true })
    await left!.delete(signature.digest)
    vi.spyOn(left!, 'list').mockImplementation(async function* () {
      yield* blobs
    })
    expect((await plan()).referrers).toEqual([])
    const read = left!.read.bind(left!)
    vi.spyOn(left!, 'read').mockImplementation((digest, options) => {
      if (digest === signature.digest) throw new StoreError('ERR_STORE_IO', 'the disk failed')
      return read(digest, options)
    })
    await expect(plan()).rejects.toMatchObject({ code: 'ERR_STORE_IO' })
  })

  test('any object of the shape of a store is a source, and explicit endpoints work like their short forms', async () => {
    const { descriptor } = await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    const archive = {
      references: { get: async (name: string) => (name === 'inside' ? descriptor : undefined) },
      stat: left!.stat.bind(left!),
      read: left!.read.bind(left!),
    }
    const third = createMemoryStore()
    await copyImage(storeSourceEndpoint(archive, 'inside', 'archive:x'), storeTargetEndpoint(third, ['app:2']))
    expect(await blobsOf(third)).toEqual(await blobsOf(left!))
    await expect(copyImage({ store: archive, name: 'nothing' }, { store: third })).rejects.toMatchObject({
      code: 'ERR_REFERENCE_NOT_FOUND',
    })
    await expect(copyImage({ store: archive }, { store: third })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
    const byDigest = copyImage({ store: archive, name: descriptor.digest }, { store: third })
    await expect(byDigest).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('a copy of a corrupt blob fails and sets no name', async () => {
    const { layers } = await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    const { digest } = layers[0]!.descriptor
    const rotten = {
      references: left!.references,
      stat: left!.stat.bind(left!),
      async *read(wanted: typeof digest) {
        for await (const chunk of left!.read(wanted)) yield wanted === digest ? chunk.map(byte => byte ^ 1) : chunk
      },
    }
    const third = createMemoryStore()
    await expect(copyImage({ store: rotten, name: 'app:1' }, { store: third })).rejects.toMatchObject({
      code: 'ERR_DIGEST_MISMATCH',
    })
    expect(await third.references.get('app:1')).toBeUndefined()
    expect(await third.stat(digest)).toBeUndefined()
  })

  test('a stored plan needs source and target, and must be a copy plan', async () => {
    await sampleImage(left!, [{ a: 'a' }], { name: 'app:1' })
    const third = createMemoryStore()
    const plan = JSON.parse(JSON.stringify(await planCopy({ store: left!, name: 'app:1' }, { store: third })))
    await expect(runCopy(plan)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(runCopy({ ...plan, kind: 'pull' })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await runCopy(plan, { from: { store: left!, name: 'app:1' }, to: { store: third } })
    expect(await blobsOf(third)).toEqual(await blobsOf(left!))
  })
})

describe('an image whose config and manifest list different numbers of layers', () => {
  let bad: Descriptor
  beforeEach(async () => {
    const { manifest } = await sampleImage(left!, [{ a: 'a' }])
    const bytes = canonicalJson({ ...manifest, layers: [] })
    bad = { mediaType: MediaType.OciManifest, ...(await left!.put(bytes)) }
    await left!.references.set('bad:1', bad)
  })
  const refused = { code: 'ERR_INVALID_CONFIG', at: 'rootfs.diff_ids' }

  test('is not copied between registries: no blob arrives', async () => {
    await expect(copyImage(at(0, 'bad:1'), at(1, 'bad:1'))).rejects.toMatchObject(refused)
    expect(await blobsOf(right!)).toEqual([])
  })

  test('is not pushed: no blob arrives', async () => {
    await expect(copyImage({ store: left!, name: 'bad:1' }, at(1, 'bad:1'))).rejects.toMatchObject(refused)
    expect(await blobsOf(right!)).toEqual([])
  })

  test.each(['a registry', 'a store'])('gets no name in a store, copied from %s', async from => {
    const source = from === 'a store' ? { store: left!, name: 'bad:1' } : at(0, 'bad:1')
    await expect(copyImage(source, { store: right!, name: 'bad:1' })).rejects.toMatchObject(refused)
    expect(await right!.references.get('bad:1')).toBeUndefined()
  })

  test('is rejected inside an index too', async () => {
    const index = canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [bad] })
    await left!.references.set('multi:1', { mediaType: MediaType.OciIndex, ...(await left!.put(index)) })
    await expect(copyImage(at(0, 'multi:1'), at(1, 'multi:1'))).rejects.toMatchObject(refused)
  })

  test('a config to upload is fetched once, for the comparison and the copy', async () => {
    const { manifest } = await sampleImage(left!, [{ b: 'b' }], { name: 'good:1' })
    await copyImage(at(0, 'good:1'), at(1, 'good:1'))
    const gets = registries[0]!.seen.filter(
      ({ method, path }) => method === 'GET' && path.includes(manifest.config.digest),
    )
    expect(gets).toHaveLength(1)
  })
})
