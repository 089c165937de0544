import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Digest } from '../../../lib/digest/index.ts'
import { openStore } from '../../../lib/disk-store/index.ts'
import { acquireLock } from '../../../lib/internal/locks/lock.ts'
import { type CollectionPlan, planCollection, runCollection } from '../../../lib/maintenance/index.ts'
import { type Descriptor, MediaType } from '../../../lib/oci/index.ts'
import { driverOf } from '../../../lib/store/drivers/store-driver.ts'
import { assertComplete, type Store } from '../../../lib/store/index.ts'
import { ageBlobs } from '../../helpers/age-blobs.ts'
import { blobsOf } from '../../helpers/blobs-of.ts'
import { readAll } from '../../helpers/read-all.ts'
import { settle } from '../../helpers/settle.ts'
import { putStoreDocument, putStoreImage } from '../../helpers/store-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const HOUR = 3_600_000
let directory: ReturnType<typeof temporaryDirectory>
let store: Store

beforeEach(async () => {
  directory = temporaryDirectory('gc')
  store = await openStore(directory.path, { durability: 'none' })
})
afterEach(async () => {
  vi.useRealTimers()
  await store.close()
  directory[Symbol.dispose]()
})

const old = (digests?: readonly string[]) => ageBlobs(directory.path, 2 * HOUR, digests)
const put = async (text: string) => (await store.put(Buffer.from(text))).digest
const dropped = (plan: CollectionPlan) => plan.drop.map(({ digest }) => digest).sort()
const whyKept = (plan: CollectionPlan, digest: string) => plan.keep.find(kept => kept.digest === digest)?.why
const blobPath = (digest: string) => join(directory.path, 'blobs', digest.replace(':', '/'))
const inTrash = () => readdirSync(join(directory.path, '.layerstore/trash'))
const indexOf = (...manifests: Descriptor[]) =>
  putStoreDocument(store, MediaType.OciIndex, { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests })
const aboutIt = (subject: Descriptor, layer: Descriptor, config: Descriptor) =>
  putStoreDocument(store, MediaType.OciManifest, {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    artifactType: 'application/example',
    config,
    layers: [layer],
    subject,
  })

describe('GC-01: only old blobs that no name, lease, ingest or cache record reaches are removed', () => {
  test('names and entries keep their whole graph, and the plan has the path of references', async () => {
    const image = await putStoreImage(store, 'named')
    const index = await indexOf(image.manifest)
    await store.references.set('app:1', index)
    const garbage = await put('garbage')
    old()
    const plan = await planCollection(store)
    expect(dropped(plan)).toEqual([garbage])
    expect(plan.drop[0]?.why).toBe('nothing reaches it')
    expect(whyKept(plan, image.layer.digest)).toBe('tag app:1 → index → manifest → layer')
    expect(whyKept(plan, index.digest)).toBe('tag app:1 → index')
    expect(plan.bytesFreed).toBe('garbage'.length)
    const result = await runCollection(store, plan)
    expect(result).toMatchObject({ deleted: [garbage], bytesFreed: 7, skipped: [], errors: [] })
    expect(await blobsOf(store)).toEqual([image.layer, image.config, image.manifest, index].map(d => d.digest).sort())
    expect(inTrash()).toEqual([])
  })

  test('an entry without a name is a root', async () => {
    const image = await putStoreImage(store, 'nameless')
    const path = join(directory.path, 'index.json')
    writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [image.manifest] }))
    old()
    const plan = await planCollection(store)
    expect(plan.drop).toEqual([])
    expect(whyKept(plan, image.config.digest)).toBe('entry of index.json → manifest → config')
  })

  test('a container keeps its image, also with a damaged record, until it is removed', async () => {
    const [image, other] = [await putStoreImage(store, 'of a container'), await putStoreImage(store, 'of another')]
    const places = ['one', 'two'].map(id => join(directory.path, '.layerstore/containers', id))
    for (const place of places) mkdirSync(place, { recursive: true })
    const record = (digest: string) => JSON.stringify({ version: 1, image: { digest } })
    writeFileSync(join(places[0] as string, 'container.json'), record(image.manifest.digest))
    writeFileSync(join(places[1] as string, 'container.json'), record(other.manifest.digest).slice(0, -2))
    old()
    const plan = await planCollection(store)
    expect(plan.drop).toEqual([])
    expect(whyKept(plan, image.layer.digest)).toBe('container one → layer')
    expect(whyKept(plan, other.config.digest)).toBe('container two → config')
    rmSync(places[0] as string, { recursive: true })
    const next = await planCollection(store)
    expect(dropped(next)).toEqual([image.layer, image.config, image.manifest].map(({ digest }) => digest).sort())
    writeFileSync(join(places[1] as string, 'container.json'), record(image.manifest.digest))
    const result = await runCollection(store, next)
    expect(result.deleted).toEqual([])
    expect(result.skipped).toHaveLength(3)
  })

  test('a blob within the grace period stays, with its children if it is a manifest', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const young = await putStoreImage(store, 'not named yet')
    old()
    ageBlobs(directory.path, 0, [young.manifest.digest])
    const plan = await planCollection(store)
    expect(plan.drop).toEqual([])
    expect(plan.skippedYoung).toEqual({ blobs: 3, bytes: expect.any(Number) })
    expect(whyKept(plan, young.layer.digest)).toContain('grace period → layer')
    expect(dropped(await planCollection(store, { graceMs: 0, force: true }))).toHaveLength(3)
  })

  test('a grace period under ten minutes needs force', async () => {
    expect(await thrownBy(() => planCollection(store, { graceMs: 599_999 }))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('a lease keeps the blobs that it names with everything below, and every blob stored since it began', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const leased = await putStoreImage(store, 'leased')
    const before = await put('before the lease')
    const lease = await store.leases.hold({ label: 'mine', digests: [leased.manifest.digest] })
    await using _idle = await store.leases.hold({ label: 'idle' })
    old()
    const plan = await planCollection(store, { graceMs: 0, force: true })
    expect(whyKept(plan, leased.layer.digest)).toBe('lease mine → layer')
    expect(plan.skippedLeased.blobs).toBe(3)
    expect(plan.leases).toEqual([{ label: 'mine', holder: expect.stringMatching(/process/) }])
    expect(dropped(plan)).toEqual([before])
    await lease.release()
    expect(dropped(await planCollection(store, { graceMs: 0, force: true }))).toHaveLength(4)
  })

  test('a blob that a resumable ingest expects stays', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const expected = await put('expected')
    {
      await using writer = await store.ingest(expected)
      await writer.write(Buffer.from('expec'))
    }
    old()
    const plan = await planCollection(store)
    expect(plan.drop).toEqual([])
    expect(whyKept(plan, expected)).toBe('ingest of the same digest')
  })

  test('a cache record keeps its blobs; an unreadable one keeps nothing', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const [cached, other] = [await put('cached'), await put('other')]
    mkdirSync(join(directory.path, '.layerstore/cache/steps'), { recursive: true })
    writeFileSync(join(directory.path, '.layerstore/cache/steps/a.json'), JSON.stringify({ blobs: [cached] }))
    writeFileSync(join(directory.path, '.layerstore/cache/steps/b.json'), `{"blobs":["${other}"`)
    writeFileSync(join(directory.path, '.layerstore/cache/c.json'), '{"blobs":["nonsense"]}')
    old()
    const plan = await planCollection(store)
    expect(dropped(plan)).toEqual([other])
    expect(whyKept(plan, cached)).toBe('cache record steps/a.json')
  })
})

describe('GC-02: an operation that finds an existing blob renews its time before it resolves', () => {
  test.each<[string, (digest: Digest) => Promise<unknown>]>([
    ['put that names the digest', digest => store.put(Buffer.from('again'), { digest })],
    ['put that finds it out', () => store.put(Buffer.from('again'))],
    ['touch', digest => store.leases.touch(digest)],
    ['a lease', async digest => (await store.leases.hold({ digests: [digest] })).release()],
    [
      'a commit',
      async digest => {
        const writer = await store.ingest('any key')
        await writer.write(Buffer.from('again'))
        await writer.commit({ digest })
      },
    ],
  ])('%s', async (_, find) => {
    const digest = await put('again')
    old()
    await find(digest)
    expect(Date.now() - statSync(blobPath(digest)).mtimeMs).toBeLessThan(60_000)
  })

  test('an ingest that was written long ago and is committed now gives a young blob', async () => {
    {
      await using writer = await store.ingest('key')
      await writer.write(Buffer.from('long ago'))
    }
    const [ingest] = readdirSync(join(directory.path, '.layerstore/ingests')).filter(name => !name.startsWith('put-'))
    const data = join(directory.path, '.layerstore/ingests', ingest!, 'data')
    utimesSync(data, new Date(0), new Date(0))
    const writer = await store.ingest('key')
    expect(writer.offset).toBe(8)
    const { digest } = await writer.commit()
    expect(Date.now() - statSync(blobPath(digest)).mtimeMs).toBeLessThan(60_000)
  })
})

test('GC-02: a writer that waits long before its commit gives a young blob', async () => {
  const writer = await store.ingest('key')
  await writer.write(Buffer.alloc(1024 * 1024))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * HOUR })
  const { digest } = await writer.commit()
  expect(dropped(await planCollection(store, { force: true }))).not.toContain(digest)
})

describe('GC-03: a blob is checked again at the moment of its removal', () => {
  let image: Awaited<ReturnType<typeof putStoreImage>>
  let plan: CollectionPlan
  beforeEach(async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    image = await putStoreImage(store, 'going')
    old()
    plan = await planCollection(store)
    expect(plan.drop).toHaveLength(3)
  })

  test('it stays if it was named since the plan', async () => {
    await store.references.set('app:2', image.manifest)
    const result = await runCollection(store, plan)
    expect(result.deleted).toEqual([])
    expect(result.skipped.map(({ why }) => why)).toContain('tag app:2 → manifest → layer')
  })

  test('it stays with its children if it was acknowledged since the plan', async () => {
    await store.leases.touch(image.manifest.digest)
    expect((await runCollection(store, plan)).deleted).toEqual([])
  })

  test('it stays if it was leased since the plan', async () => {
    await using _ = await store.leases.hold({ digests: [image.layer.digest] })
    const { deleted } = await runCollection(store, plan)
    expect([...deleted].sort()).toEqual([image.manifest.digest, image.config.digest].sort())
  })

  test('it stays if it is named, leased or touched during the removal, at any step', async () => {
    const driver = driverOf(store).collection!
    const [blob] = plan.drop
    const other = await openStore(directory.path, { durability: 'none' })
    const remove = (meanwhile: () => Promise<unknown>) =>
      driver.alone(() =>
        driver.remove([blob!], async () => {
          await meanwhile()
          return () => false
        }),
      )
    expect(await remove(() => other.leases.touch(blob!.digest))).toEqual([{ digest: blob!.digest, outcome: 'changed' }])
    expect((await store.stat(blob!.digest))?.size).toBe(blob!.size)
    await other.close()
  })

  test.each<[string, (other: Store) => Promise<unknown>]>([
    ['named', other => other.references.set('app:2', image.manifest)],
    ['leased from above', other => other.leases.hold({ digests: [image.manifest.digest] })],
  ])('%s after the last look at everything: seen at the last moment', async (_, meanwhile) => {
    const driver = driverOf(store).collection!
    const other = await openStore(directory.path, { durability: 'none' })
    const late: Store = Object.create(store, {
      collection: {
        value: Object.create(driver, {
          readOnly: { value: false },
          alone: { value: driver.alone.bind(driver) },
          roots: { value: driver.roots.bind(driver) },
          blobs: { value: driver.blobs.bind(driver) },
          document: { value: driver.document.bind(driver) },
          forgetLeases: { value: driver.forgetLeases.bind(driver) },
          remove: {
            value: async (...args: Parameters<typeof driver.remove>) => {
              await meanwhile(other)
              return driver.remove(...args)
            },
          },
        }),
      },
    })
    const { deleted, skipped } = await runCollection(late, plan)
    expect(deleted).toEqual([])
    expect(skipped.map(({ why }) => why)).toContain('named or leased since the plan')
    expect(await blobsOf(store)).toHaveLength(6)
    await other.close()
  })

  test('a name that is set while its blobs are removed is refused or complete, never incomplete', async () => {
    const driver = driverOf(store).collection!
    let named: Promise<unknown> | undefined
    const other = await openStore(directory.path, { durability: 'none' })
    await driver.alone(() =>
      driver.remove(plan.drop, async () => {
        // Everything is still there when it is checked; the index is locked by the collection.
        named ??= other.references.set('app:2', image.manifest).catch(error => error)
        await settle()
        return () => false
      }),
    )
    const outcome = await named
    if (outcome === 'app:2') await assertComplete(store, image.manifest)
    else expect(outcome).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
    expect((await store.references.get('app:2'))?.digest).toBe(outcome === 'app:2' ? image.manifest.digest : undefined)
    await other.close()
  })
})

describe('GC-04: an interrupted collection leaves at most garbage', () => {
  test('a look-up restores a blob from the trash', async () => {
    const digest = await put('on its way out')
    mkdirSync(join(directory.path, '.layerstore/trash'))
    const away = () => renameSync(blobPath(digest), join(directory.path, '.layerstore/trash', digest.replace(':', '-')))
    const acts: (() => Promise<unknown>)[] = [
      () => store.stat(digest),
      () => readAll(store.read(digest)),
      () => store.leases.touch(digest),
      () => store.put(Buffer.from('on its way out'), { digest }),
    ]
    for (const act of acts) {
      rmSync(join(directory.path, '.layerstore/trash', digest.replace(':', '-')), { force: true })
      away()
      expect(await act()).toBeTruthy()
      expect(statSync(blobPath(digest)).size).toBe(14)
    }
  })

  test('the next collection restores everything before it starts', async () => {
    const { layer, manifest } = await putStoreImage(store, 'needed')
    await store.references.set('app:1', manifest)
    mkdirSync(join(directory.path, '.layerstore/trash'))
    const left = join(directory.path, '.layerstore/trash', layer.digest.replace(':', '-'))
    linkSync(blobPath(layer.digest), left)
    rmSync(blobPath(layer.digest))
    writeFileSync(join(directory.path, '.layerstore/trash/foreign'), '')
    await runCollection(store, await planCollection(store))
    expect(statSync(blobPath(layer.digest)).size).toBe(6)
    expect(inTrash()).toEqual(['foreign'])
  })
})

describe('GC-05: nothing is collected if a document has unknown children', () => {
  const unknownType = 'application/vnd.example.other+json'
  let child: Digest
  let unknown: Descriptor
  beforeEach(async () => {
    child = await put('child of something unknown')
    unknown = await putStoreDocument(store, unknownType, { parts: [{ ref: child }] })
    await put('garbage')
  })

  test('a name refers to an unknown media type', async () => {
    await store.references.set('odd:1', unknown)
    old()
    const error = await thrownBy(() => planCollection(store))
    expect(error).toMatchObject({ code: 'ERR_COLLECTION_REFUSED', message: expect.stringContaining(unknown.digest) })
    const plan = await planCollection(store, { unknown: 'keep' })
    expect(plan.unknown).toMatchObject([{ digest: unknown.digest, why: expect.stringContaining('tag odd:1') }])
    expect(whyKept(plan, unknown.digest)).toBe(`tag odd:1 → document (${unknownType})`)
    // Nothing is read out of what is not understood; the refusal says so.
    expect(plan.drop.map(({ digest }) => digest)).toContain(child)
    expect(error.message).toContain('lose the blobs that only they need')
  })

  test.each([
    ['is no JSON', 'nonsense'],
    ['is JSON but no manifest', '{"schemaVersion":2}'],
  ])('a manifest that %s', async (_, text) => {
    const { digest, size } = await store.put(Buffer.from(text))
    const entry = { mediaType: MediaType.OciManifest, digest, size }
    writeFileSync(join(directory.path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
    old()
    expect(await thrownBy(() => planCollection(store))).toMatchObject({ code: 'ERR_COLLECTION_REFUSED' })
  })

  test('a manifest has changed on the disk', async () => {
    const { manifest } = await putStoreImage(store, 'broken')
    await store.references.set('app:1', manifest)
    const text = readFileSync(blobPath(manifest.digest), 'utf8').replace('"layers":[{', '"layer_":[{')
    rmSync(blobPath(manifest.digest))
    writeFileSync(blobPath(manifest.digest), text)
    old()
    const error = await thrownBy(() => planCollection(store))
    expect(error).toMatchObject({ code: 'ERR_COLLECTION_REFUSED', cause: { code: 'ERR_BLOB_CORRUPT' } })
  })

  test('an entry refers to a missing manifest', async () => {
    const { manifest } = await putStoreImage(store, 'missing')
    await store.references.set('app:1', manifest)
    await store.delete(manifest.digest)
    old()
    expect(await thrownBy(() => planCollection(store))).toMatchObject({ code: 'ERR_COLLECTION_REFUSED' })
    expect((await planCollection(store, { unknown: 'keep' })).unknown).toHaveLength(1)
  })

  test('an unknown document that is named between plan and run stops the run', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    old()
    const plan = await planCollection(store)
    await store.references.set('odd:1', unknown)
    expect(await thrownBy(() => runCollection(store, plan))).toMatchObject({ code: 'ERR_COLLECTION_REFUSED' })
    expect(await store.stat(child)).toBeDefined()
  })
})

describe('GC-06: missing blobs are reported, and everything else stays', () => {
  test('the siblings of a missing layer stay', async () => {
    const image = await putStoreImage(store, 'whole')
    await store.references.set('app:1', image.manifest)
    const garbage = await put('garbage')
    await store.delete(image.layer.digest)
    old()
    const plan = await planCollection(store)
    expect(plan.missing).toEqual([{ digest: image.layer.digest, why: 'tag app:1 → manifest → layer' }])
    expect(dropped(plan)).toEqual([garbage])
  })

  test('the other platforms of an index with a missing manifest stay', async () => {
    const [one, two] = [await putStoreImage(store, 'one'), await putStoreImage(store, 'two')]
    const index = await indexOf(one.manifest, two.manifest)
    await store.references.set('app:1', await indexOf(index))
    await store.delete(two.manifest.digest)
    old()
    const plan = await planCollection(store)
    expect(plan.missing).toMatchObject([{ digest: two.manifest.digest, why: 'tag app:1 → index → index → manifest' }])
    expect(whyKept(plan, one.layer.digest)).toBe('tag app:1 → index → index → manifest → layer')
  })

  test('nondistributable layers are not reported as missing', async () => {
    const { config } = await putStoreImage(store, 'x')
    const foreign = { mediaType: MediaType.DockerForeignLayerGzip, digest: `sha256:${'0'.repeat(64)}`, size: 1 }
    const manifest = await putStoreDocument(store, MediaType.OciManifest, {
      schemaVersion: 2,
      config,
      layers: [foreign],
    })
    await store.references.set('windows:1', manifest)
    expect((await planCollection(store)).missing).toEqual([])
  })

  test('referrers of a kept manifest stay, with their blobs and their own referrers; referrers of garbage are removed', async () => {
    const image = await putStoreImage(store, 'signed')
    await store.references.set('app:1', image.manifest)
    const parts = await putStoreImage(store, 'signature')
    const signature = await aboutIt(image.manifest, parts.layer, image.config)
    const countersign = await aboutIt(signature, parts.layer, image.config)
    const orphan = await aboutIt(parts.manifest, image.layer, image.config)
    old()
    const plan = await planCollection(store)
    expect(dropped(plan)).toEqual([orphan.digest, parts.manifest.digest, parts.config.digest].sort())
    expect(whyKept(plan, countersign.digest)).toBe('tag app:1 → manifest → referrer → referrer')
    expect(whyKept(plan, parts.layer.digest)).toBe('tag app:1 → manifest → referrer → layer')
    expect(plan.drop.find(({ digest }) => digest === orphan.digest)?.why).toBe(
      `referrer of ${parts.manifest.digest}, which does not stay`,
    )
    await runCollection(store, plan)
    expect(await store.stat(countersign.digest)).toBeDefined()
  })

  test('a long chain of referrers stays, in whatever order it is found', async () => {
    const image = await putStoreImage(store, 'signed')
    await store.references.set('app:1', image.manifest)
    let last = image.manifest
    for (let i = 0; i < 8; i++) last = await aboutIt(last, image.layer, image.config)
    old()
    const plan = await planCollection(store)
    expect(plan.drop).toEqual([])
    expect(whyKept(plan, last.digest)).toBe(`tag app:1 → manifest${' → referrer'.repeat(8)}`)
  })

  test('no digest is taken from inside a blob that is no manifest or index, wherever the blob is referred to', async () => {
    const image = await putStoreImage(store, 'signed')
    const garbage = await put('mentioned, and needed by nothing')
    const text = { mediaType: 'application/vnd.example+json', blobs: [{ digest: garbage }], subject: image.manifest }
    const mention = (n: number) => putStoreDocument(store, 'application/vnd.example+json', { ...text, n })
    const inIndex = await mention(1)
    const cache = await indexOf(inIndex, { ...(await mention(2)), mediaType: MediaType.OciLayerGzip })
    const config = { ...(await mention(3)), mediaType: MediaType.OciConfig }
    const body = { schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [] }
    await store.references.set('cache:1', cache)
    await store.references.set('app:1', image.manifest)
    await store.references.set('odd:1', await putStoreDocument(store, MediaType.OciManifest, body), {
      anyConfig: true,
    })
    await using _lease = await store.leases.hold({ label: 'held', digests: [(await mention(4)).digest] })
    const loose = await mention(5)
    old()
    const plan = await planCollection(store)
    expect(dropped(plan)).toEqual([garbage, loose.digest].sort())
    expect(whyKept(plan, inIndex.digest)).toBe('tag cache:1 → index → blob')
  })

  test('a document whose member names are written with escapes is recognised', async () => {
    const { layer, config } = await putStoreImage(store, 'escaped')
    const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [layer] }
    const text = JSON.stringify(document).replace('schemaVersion', '\\u0073chemaVersion')
    const manifest = await store.put(Buffer.from(text))
    await using _lease = await store.leases.hold({ label: 'held', digests: [manifest.digest] })
    old()
    expect(whyKept(await planCollection(store, { force: true }), layer.digest)).toBe('lease held → layer')
  })

  test('an unverifiable digest in an index is reported as missing, and everything else stays', async () => {
    const image = await putStoreImage(store, 'whole')
    const digest = `sha384:${'0'.repeat(96)}` as Digest
    const index = await indexOf(image.manifest, { mediaType: MediaType.OciManifest, digest, size: 7 })
    const entry = { ...index, annotations: { 'org.opencontainers.image.ref.name': 'app:1' } }
    writeFileSync(join(directory.path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
    const garbage = await put('garbage')
    old()
    const plan = await planCollection(store)
    expect(plan.missing.map(missing => missing.digest)).toEqual([digest])
    expect(dropped(plan)).toEqual([garbage])
  })

  test('manifests that are each other’s subject end the walk, and are removed together', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const a = `sha256:${'a'.repeat(64)}`
    const one = await putStoreDocument(store, MediaType.OciManifest, { subject: { digest: a }, n: 1 })
    // Two documents cannot contain the digests of each other; here the file names are wrong.
    const text = JSON.stringify({ subject: { digest: one.digest }, n: 2 })
    writeFileSync(blobPath(a), text)
    old()
    expect(dropped(await planCollection(store))).toEqual([one.digest, a].sort())
  })

  test('a name by digest tag is a root like any other as long as no limit is set', async () => {
    const image = await putStoreImage(store, 'signed')
    const about = await putStoreImage(store, 'signature')
    await store.references.set('app:1', image.manifest)
    await store.references.set(`app:${image.manifest.digest.replace(':', '-')}.sig`, about.manifest)
    old()
    expect((await planCollection(store)).drop).toEqual([])
  })
})

describe('GC-07: a run follows its plan', () => {
  test('the plan is plain JSON, can be stored, and matches the run', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const going = [await put('one'), await put('two')].sort()
    old()
    const plan = await planCollection(store)
    const stored = JSON.parse(JSON.stringify(plan)) as CollectionPlan
    expect(stored).toEqual(plan)
    expect(await blobsOf(store)).toHaveLength(5)
    const result = await runCollection(store, stored)
    expect([...result.deleted].sort()).toEqual(going)
    expect(dropped(plan)).toEqual(going)
    expect(result.bytesFreed).toBe(plan.bytesFreed)
    expect((await planCollection(store)).drop).toEqual([])
  })

  test.each([
    ['of another kind', { kind: 'pull' }],
    ['of another version', { version: 2 }],
    ['with a path for a digest', { drop: [{ digest: '../../etc', size: 1, modifiedMs: 0, why: '' }] }],
    ['with a policy that cannot be', { policy: { graceMs: 1, unknown: 'refuse', force: false } }],
  ])('a plan %s is refused', async (_, members) => {
    const plan = { ...(await planCollection(store)), ...members } as CollectionPlan
    expect(await thrownBy(() => runCollection(store, plan))).toMatchObject({
      code: expect.stringMatching(/^ERR_INVALID_(ARGUMENT|DIGEST)$/),
    })
  })

  test('a read-only store can be planned, and refuses the run', async () => {
    const image = await putStoreImage(store, 'named')
    await store.references.set('app:1', image.manifest)
    const garbage = await put('garbage')
    old()
    const reading = await openStore(directory.path, { readOnly: true })
    const plan = await planCollection(reading)
    expect(dropped(plan)).toEqual([garbage])
    expect(await thrownBy(() => runCollection(reading, plan))).toMatchObject({ code: 'ERR_STORE_READ_ONLY' })
    await reading.close()
  })

  test('files of other programs among the blobs are not changed', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const foreign = ['.DS_Store', 'ABC', `${'a'.repeat(64)}.tmp`]
    for (const name of foreign) writeFileSync(join(directory.path, 'blobs/sha256', name), '')
    const garbage = await put('garbage')
    old()
    expect((await runCollection(store, await planCollection(store))).deleted).toEqual([garbage])
    expect(readdirSync(join(directory.path, 'blobs/sha256'))).toEqual(expect.arrayContaining(foreign))
  })

  test('a store without names is not collected, unless forced', async () => {
    await put('all alone')
    expect((await planCollection(store)).drop).toEqual([])
    old()
    expect(await thrownBy(() => planCollection(store))).toMatchObject({ code: 'ERR_COLLECTION_REFUSED' })
    const plan = await planCollection(store, { force: true })
    expect((await runCollection(store, plan)).deleted).toHaveLength(1)
  })

  test.each([
    ['a damaged index', 'index.json', '{"schemaVersion":2,"manifests":['],
    ['no index', 'index.json', undefined],
    ['an entry that is no descriptor', 'index.json', '{"schemaVersion":2,"manifests":[{"digest":"sha256:0"}]}'],
  ])('%s never counts for nothing', async (_, name, text) => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    await put('garbage')
    old()
    const plan = await planCollection(store)
    if (text === undefined) rmSync(join(directory.path, name))
    else writeFileSync(join(directory.path, name), text)
    const error = await thrownBy(() => planCollection(store))
    expect(error).toMatchObject({ code: 'ERR_STORE_FORMAT', message: expect.stringContaining(name) })
    expect(await thrownBy(() => runCollection(store, plan))).toMatchObject({ code: 'ERR_STORE_FORMAT' })
    expect(await blobsOf(store)).toHaveLength(4)
  })
})

describe('ST-15: clocks that jump', () => {
  test('a time in the future counts as now', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const digest = await put('from the future')
    ageBlobs(directory.path, -365 * 24 * HOUR)
    expect(whyKept(await planCollection(store), digest)).toContain('grace period')
  })

  test('a clock that jumps ahead does not end the lease of a living process', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    await using _ = await store.leases.hold({ label: 'work' })
    const digest = await put('stored meanwhile')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 365 * 24 * HOUR })
    expect(whyKept(await planCollection(store), digest)).toBe('stored or used since a lease began (work)')
  })

  test('a clock that jumps back makes everything young', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    await put('stored before')
    old()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 365 * 24 * HOUR })
    expect((await planCollection(store)).drop).toEqual([])
  })
})

describe('GC-09: two collections at once are safe', () => {
  test('the second waits, and finds nothing left to remove', async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    for (let i = 0; i < 300; i++) await put(`garbage ${i}`)
    old()
    const other = await openStore(directory.path, { durability: 'none' })
    const plans = await Promise.all([planCollection(store), planCollection(other)])
    const results = await Promise.all([runCollection(store, plans[0]!), runCollection(other, plans[1]!)])
    const counts = results.map(({ deleted }) => deleted.length).sort()
    expect(counts[0]! + counts[1]!).toBe(300)
    expect(results.flatMap(({ errors }) => errors)).toEqual([])
    expect(await blobsOf(store)).toHaveLength(3)
    await other.close()
  })
})

describe('GC-10 and GC-11: the lock of collections', () => {
  const lockPath = () => join(directory.path, '.layerstore/locks/collect')
  beforeEach(async () => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    await put('garbage')
    old()
  })

  test('GC-10: a lock of a dead holder is replaced, at any age', async () => {
    const owner = JSON.parse(JSON.stringify(await ownerRecord()))
    writeFileSync(lockPath(), JSON.stringify({ ...owner, start: '1' }))
    expect((await runCollection(store, await planCollection(store))).deleted).toHaveLength(1)
    expect(readdirSync(join(directory.path, '.layerstore/locks'))).toEqual([])
  })

  test('GC-11: a collection waits for a held lock, without a timeout, until it is free or the signal fires', async () => {
    const held = await acquireLock(lockPath())
    const stop = new AbortController()
    const plan = await planCollection(store)
    const stopped = thrownBy(() => runCollection(store, plan, { signal: stop.signal }))
    const waiting = runCollection(store, plan)
    await settle()
    expect(await blobsOf(store)).toHaveLength(4)
    stop.abort(new Error('enough'))
    expect((await stopped).message).toBe('enough')
    await held.release()
    expect((await waiting).deleted).toHaveLength(1)
  })

  async function ownerRecord() {
    const held = await acquireLock(lockPath())
    const text = readFileSync(lockPath(), 'utf8')
    await held.release()
    return JSON.parse(text)
  }
})
