import { beforeEach, describe, expect, test } from 'vitest'
import { composeIndex, readImage } from '../../lib/image/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { MediaType, remoteLayersOf, withRemoteLayers } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndexImage } from '../helpers/sample-index-image.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
const forProcessor = (architecture: string, content = architecture) =>
  sampleImage(store, [{ [architecture]: content }], { architecture })
const platforms = (index: { manifests: readonly { platform?: { architecture: string } }[] }) =>
  index.manifests.map(({ platform }) => platform?.architecture)

describe('composeIndex', () => {
  test('lists images with the platforms that their configs say, and the same images give the same digest', async () => {
    const images = [await forProcessor('amd64'), await forProcessor('arm64')]
    const { descriptor, index } = await composeIndex(store, { images, annotations: { team: 'a' } })
    expect(platforms(index)).toEqual(['amd64', 'arm64'])
    expect(index.annotations).toEqual({ team: 'a' })
    await store.references.set('app:1', descriptor)
    const names = images.map(image => image.descriptor.digest)
    const again = await composeIndex(store, { images: names, annotations: { team: 'a' } })
    expect(again.descriptor).toEqual(descriptor)
    const one = await readImage(store, 'app:1', { platform: 'arm64' })
    expect(one.descriptor.digest).toBe(images[1]!.descriptor.digest)
  })

  test('lists an image once that is given under two names, or in two indexes', async () => {
    const [a, b] = [await forProcessor('amd64'), await forProcessor('arm64')]
    await store.references.set('a:1', a.descriptor)
    await store.references.set('a:2', a.descriptor)
    const both = await composeIndex(store, { images: ['a:1', b] })
    expect(platforms((await composeIndex(store, { images: ['a:1', 'a:2'] })).index)).toEqual(['amd64'])
    const { index } = await composeIndex(store, { images: [both.descriptor, both.descriptor, b] })
    expect(platforms(index)).toEqual(['amd64', 'arm64'])
  })

  test('takes the platform and the annotations that an entry is given, before those of the config', async () => {
    const image = await forProcessor('arm')
    const entry = { image, platform: 'linux/arm/v6', annotations: { note: 'old boards' } }
    const { index } = await composeIndex(store, { images: [entry] })
    expect(index.manifests).toEqual([
      {
        ...image.descriptor,
        platform: { os: 'linux', architecture: 'arm', variant: 'v6' },
        annotations: { note: 'old boards' },
      },
    ])
  })

  test('extends an index: an image replaces that of its platform, other members stay', async () => {
    const { descriptor } = await sampleIndexImage(store, ['amd64', 'arm64'], 'app:1')
    const newer = await forProcessor('arm64', 'newer')
    const more = await forProcessor('s390x')
    const { index } = await composeIndex(store, { extend: 'app:1', images: [newer, more] })
    expect(platforms(index)).toEqual(['amd64', 'arm64', 's390x'])
    expect(index.manifests[1]!.digest).toBe(newer.descriptor.digest)
    expect(index).toMatchObject({ 'x.unknown': [1] })
    const same = await composeIndex(store, { extend: descriptor, images: ['app:1'] })
    expect(platforms(same.index)).toEqual(['amd64', 'arm64'])
  })

  test('filters an index by platform; attestations go with the image that they describe', async () => {
    const images = [await forProcessor('amd64'), await forProcessor('arm64')]
    const attestations = await Promise.all(
      images.map(async ({ descriptor }) => ({
        ...(await forProcessor(`about-${descriptor.digest.slice(-4)}`)).descriptor,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.digest': descriptor.digest },
      })),
    )
    const manifests = [
      ...images.map((image, i) => ({
        ...image.descriptor,
        platform: { os: 'linux', architecture: ['amd64', 'arm64'][i] },
      })),
      ...attestations,
    ]
    const info = await store.put(canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }))
    const extend = { mediaType: MediaType.OciIndex, ...info }
    const { index } = await composeIndex(store, { extend, platforms: ['linux/arm64'] })
    expect(index.manifests).toEqual([manifests[1], manifests[3]])
    await expect(composeIndex(store, { extend, platforms: ['linux/ppc64le'] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('linux/ppc64le'),
    })
    const replaced = await composeIndex(store, { extend, images: [await forProcessor('arm64', 'newer')] })
    expect(replaced.index.manifests).toHaveLength(3)
  })

  test('refuses two images for one platform, an index without images, and an image as the index to extend', async () => {
    const [first, second] = [await forProcessor('amd64'), await forProcessor('amd64', 'other')]
    const refused = { code: 'ERR_INVALID_ARGUMENT' }
    await expect(composeIndex(store, { images: [first, second] })).rejects.toMatchObject(refused)
    await expect(composeIndex(store, {})).rejects.toMatchObject(refused)
    await expect(composeIndex(store, { extend: first })).rejects.toMatchObject(refused)
    const { descriptor } = await sampleIndexImage(store, ['amd64'])
    const given = { image: descriptor, platform: 'amd64' }
    await expect(composeIndex(store, { images: [given] })).rejects.toMatchObject(refused)
    await expect(composeIndex(store, { images: ['nobody:1'] })).rejects.toMatchObject({
      code: 'ERR_REFERENCE_NOT_FOUND',
    })
  })

  test('says where layers are that the store lacks, on the index and not on its entries', async () => {
    const image = await forProcessor('amd64')
    const from = { registry: 'ghcr.io', repository: 'team/base' }
    const { descriptor, index } = await composeIndex(store, { images: [withRemoteLayers(image.descriptor, [from])] })
    expect(remoteLayersOf(descriptor)).toEqual([from])
    expect(index.manifests[0]).toEqual({ ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } })
  })
})
