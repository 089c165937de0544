import { afterEach, expect, test, vi } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { ageBlobs } from '../helpers/age-blobs.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { putStoreDocument } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const HOUR = 3_600_000

/** A store in words: what each image and index is made of, what is named, leased, young or about something else. */
interface World {
  readonly layers: number
  readonly images: readonly { readonly layers: readonly number[]; readonly subject?: number | undefined }[]
  readonly indexes: readonly (readonly number[])[]
  readonly named: readonly number[]
  readonly leased: readonly number[]
  readonly young: readonly number[]
}

const world: fc.Arbitrary<World> = fc.record({
  layers: fc.integer({ min: 1, max: 6 }),
  images: fc.array(
    fc.record({ layers: fc.array(fc.nat(5), { maxLength: 3 }), subject: fc.option(fc.nat(9), { nil: undefined }) }),
    { minLength: 1, maxLength: 8 },
  ),
  indexes: fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
  named: fc.array(fc.nat(12), { maxLength: 3 }),
  leased: fc.array(fc.nat(20), { maxLength: 2 }),
  young: fc.array(fc.nat(20), { maxLength: 2 }),
})

/** The blobs that were built, with their edges as the model sees them: references and subjects. */
class Built {
  readonly blobs: Descriptor[] = []
  readonly documents: Descriptor[] = []
  readonly needs = new Map<Digest, Digest[]>()
  readonly about: [Digest, Digest][] = []
  readonly roots = new Set<Digest>()

  add(descriptor: Descriptor, needs: readonly Descriptor[] = []): Descriptor {
    this.blobs.push(descriptor)
    this.needs.set(
      descriptor.digest,
      needs.map(({ digest }) => digest),
    )
    return descriptor
  }

  /** The naive model: go on until nothing changes any more. */
  alive(): Set<Digest> {
    const alive = new Set(this.roots)
    for (let before = -1; before !== alive.size; ) {
      before = alive.size
      for (const digest of [...alive]) for (const needed of this.needs.get(digest) ?? []) alive.add(needed)
      for (const [referrer, subject] of this.about) if (alive.has(subject)) alive.add(referrer)
    }
    return alive
  }
}

const at = <T>(list: readonly T[], place: number): T => list[place % list.length] as T

async function build(store: Store, { layers, images, indexes, named }: World): Promise<Built> {
  const built = new Built()
  const bottom: Descriptor[] = []
  for (let i = 0; i < layers; i++) {
    const bytes = Buffer.from(`layer ${i} `.repeat(20))
    bottom.push(built.add({ mediaType: MediaType.OciLayer, ...(await store.put(bytes)) }))
  }
  const manifests: Descriptor[] = []
  for (const [i, image] of images.entries()) {
    const above = image.layers.map(place => at(bottom, place))
    const rootfs = { type: 'layers', diff_ids: above.map(({ digest }) => digest) }
    const config = built.add(
      await putStoreDocument(store, MediaType.OciConfig, { architecture: 'amd64', os: 'linux', rootfs, i }),
    )
    const subject = image.subject !== undefined && manifests.length > 0 ? at(manifests, image.subject) : undefined
    const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: above, subject }
    const manifest = built.add(await putStoreDocument(store, MediaType.OciManifest, document), [config, ...above])
    if (subject) built.about.push([manifest.digest, subject.digest])
    manifests.push(manifest)
  }
  built.documents.push(...manifests)
  for (const [i, children] of indexes.entries()) {
    const below = children.map(place => at(built.documents, place))
    const document = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: below, annotations: { i: `${i}` } }
    built.documents.push(built.add(await putStoreDocument(store, MediaType.OciIndex, document), below))
  }
  for (const [i, place] of named.entries()) {
    const descriptor = at(built.documents, place)
    await store.references.set(`name${i}:1`, descriptor)
    built.roots.add(descriptor.digest)
  }
  return built
}

async function compare(store: Store, words: World, age: (young: readonly Digest[]) => void): Promise<void> {
  const built = await build(store, words)
  const leased = words.leased.map(place => at(built.blobs, place).digest)
  const young = words.young.map(place => at(built.blobs, place).digest)
  const lease = leased.length > 0 ? await store.leases.hold({ digests: leased }) : undefined
  for (const digest of [...leased, ...young]) built.roots.add(digest)
  age(young)
  const alive = [...built.alive()].sort()
  const all = [...new Set(built.blobs.map(({ digest }) => digest))].sort()
  const plan = await planCollection(store, { force: true })
  expect(plan.keep.map(({ digest }) => digest).sort()).toEqual(alive)
  expect(plan.drop.map(({ digest }) => digest).sort()).toEqual(all.filter(digest => !alive.includes(digest)))
  const result = await runCollection(store, plan)
  expect(await blobsOf(store)).toEqual(alive)
  expect(result.bytesFreed).toBe(plan.bytesFreed)
  await lease?.release()
}

afterEach(() => void vi.useRealTimers())

test('on disk, a collection keeps what a naive model reaches, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(world, async words => {
      using directory = temporaryDirectory('gc-model')
      await using store = await openStore(directory.path, { durability: 'none', hasher: 'native' })
      await compare(store, words, young => {
        ageBlobs(directory.path, 2 * HOUR)
        if (young.length > 0) ageBlobs(directory.path, 0, young)
      })
    }),
    { numRuns: cases(60) },
  )
})

test('in memory, a collection keeps what a naive model reaches, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(world, async words => {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 })
      await using store = createMemoryStore({ hasher: 'native' })
      // Advances the clock before anything is acknowledged, so that leased and young blobs are younger than the rest.
      const built = await build(store, { ...words, named: [] })
      vi.setSystemTime(1_800_000_000_000 + 2 * HOUR)
      for (const place of words.young) await store.leases.touch(at(built.blobs, place).digest)
      const names = await nameAgain(store, built, words.named)
      for (const digest of names) built.roots.add(digest)
      for (const place of words.young) built.roots.add(at(built.blobs, place).digest)
      const leased = words.leased.map(place => at(built.blobs, place).digest)
      for (const digest of leased) built.roots.add(digest)
      const lease = leased.length > 0 ? await store.leases.hold({ digests: leased }) : undefined
      const alive = [...built.alive()].sort()
      const plan = await planCollection(store, { force: true })
      expect(plan.keep.map(({ digest }) => digest).sort()).toEqual(alive)
      await runCollection(store, plan)
      expect(await blobsOf(store)).toEqual(alive)
      await lease?.release()
    }),
    { numRuns: cases(100) },
  )
})

async function nameAgain(store: Store, built: Built, named: readonly number[]): Promise<Digest[]> {
  const digests: Digest[] = []
  for (const [i, place] of named.entries()) {
    const descriptor = at(built.documents, place)
    await store.references.set(`name${i}:1`, descriptor)
    digests.push(descriptor.digest)
  }
  return digests
}
