import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { type Digest, digestOf } from '../../../lib/digest/index.ts'
import type { Descriptor, Repository } from '../../../lib/oci/index.ts'
import type { FetchedManifest, RegistryClient } from '../../../lib/registry/index.ts'
import { readAll } from '../../helpers/read-all.ts'
import { registryClientFor } from '../../helpers/registry-client-for.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'
import type { Workflows } from './subjects.ts'
import { documentOf, EMPTY_JSON, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, someBytes } from './target.ts'

/** Registry under test, accessed through our client. */
export class ClientTarget implements AsyncDisposable {
  readonly client: RegistryClient = registryClientFor()
  readonly repository: Repository
  readonly other: Repository

  constructor(url: string) {
    const registry = new URL(url).host
    const unique = randomBytes(6).toString('hex')
    this.repository = { registry, repository: `client/a${unique}` }
    this.other = { registry, repository: `client/b${unique}` }
  }

  async pushBlob(bytes: Buffer, mediaType = OCI_LAYER, chunkBytes?: number): Promise<Descriptor> {
    const descriptor = { mediaType, digest: await digestOf(bytes), size: bytes.length }
    const options = chunkBytes === undefined ? {} : { chunkBytes }
    await this.client.pushBlob(
      this.repository,
      descriptor,
      async function* () {
        yield bytes
      },
      options,
    )
    return descriptor
  }

  fetch(descriptor: Descriptor, offset = 0, repository = this.repository): Promise<Buffer> {
    return readAll(this.client.fetchBlob(repository, descriptor, { offset }))
  }

  async image(members: object = {}): Promise<FetchedManifest> {
    const config = await this.pushBlob(EMPTY_JSON, OCI_CONFIG)
    const layers = [await this.pushBlob(someBytes())]
    return asFetched(documentOf(OCI_MANIFEST, { config, layers, ...members }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client.close()
  }
}

function asFetched({ bytes, described }: ReturnType<typeof documentOf>): FetchedManifest {
  return { bytes, descriptor: described as Descriptor }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const missing = `sha256:${'0123456789abcdef'.repeat(4)}` as Digest

export const clientWorkflows: Workflows<ClientTarget> = {
  pull: [
    [
      'the client reports missing blobs, manifests and tags',
      async ({ client, repository }) => {
        expect(await client.statBlob(repository, missing)).toBeUndefined()
        for (const which of [{ tag: 'none' }, { digest: missing }]) {
          const reference = { ...repository, ...which }
          expect(await thrownBy(() => client.resolve(reference))).toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND' })
          const fetched = await thrownBy(() => client.fetchManifest(reference))
          expect(fetched).toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND' })
        }
        const descriptor = { mediaType: OCI_LAYER, digest: missing, size: 1 }
        const error = await thrownBy(() => readAll(client.fetchBlob(repository, descriptor)))
        expect(error).toMatchObject({ code: 'ERR_REMOTE_BLOB_NOT_FOUND' })
      },
    ],
    [
      'the client fetches a blob whole and from an offset',
      async t => {
        const bytes = someBytes(2048)
        const descriptor = await t.pushBlob(bytes)
        expect(await t.client.statBlob(t.repository, descriptor.digest)).toEqual({ size: 2048 })
        expect((await t.fetch(descriptor)).equals(bytes)).toBe(true)
        expect((await t.fetch(descriptor, 2000)).equals(bytes.subarray(2000))).toBe(true)
      },
    ],
    [
      'the client resolves and fetches a manifest and an index by tag and digest',
      async t => {
        const image = await t.image()
        await t.client.pushManifest(t.repository, image)
        const index = asFetched(documentOf(OCI_INDEX, { manifests: [image.descriptor] }))
        await t.client.pushManifest(t.repository, index, 'index')
        for (const which of [{ tag: 'index' }, { digest: index.descriptor.digest }]) {
          expect(await t.client.resolve({ ...t.repository, ...which })).toEqual(index.descriptor)
          const { bytes } = await t.client.fetchManifest({ ...t.repository, ...which })
          expect(Buffer.from(bytes).equals(index.bytes)).toBe(true)
        }
      },
    ],
  ],
  push: [
    [
      'the client uploads a blob whole, in chunks, and empty',
      async t => {
        const bytes = someBytes(2000)
        for (const descriptor of [await t.pushBlob(bytes), await t.pushBlob(someBytes(1999), OCI_LAYER, 700)]) {
          expect(await t.fetch(descriptor)).toHaveLength(descriptor.size)
        }
        expect(await t.fetch(await t.pushBlob(Buffer.alloc(0)))).toHaveLength(0)
      },
    ],
    [
      'the registry refuses a blob with a wrong digest and stores nothing',
      async t => {
        const wrong = { mediaType: OCI_LAYER, digest: await digestOf(someBytes()), size: 100 }
        await thrownBy(() =>
          t.client.pushBlob(t.repository, wrong, async function* () {
            yield someBytes(100)
          }),
        )
        expect(await t.client.statBlob(t.repository, wrong.digest)).toBeUndefined()
      },
    ],
    [
      'the client mounts a blob from a named repository',
      async t => {
        const bytes = someBytes()
        const descriptor = await t.pushBlob(bytes)
        expect(await t.client.mountBlob(t.other, descriptor.digest, t.repository.repository)).toBe(true)
        expect((await t.fetch(descriptor, 0, t.other)).equals(bytes)).toBe(true)
        expect(await t.client.mountBlob(t.other, missing, t.repository.repository)).toBe(false)
      },
    ],
    [
      'the client mounts a blob without naming a repository',
      async t => {
        const { digest } = await t.pushBlob(someBytes())
        expect(await t.client.mountBlob(t.other, digest)).toBe(true)
      },
    ],
    [
      'the client pushes a manifest with several tags',
      async t => {
        const image = await t.image()
        await t.client.pushManifest(t.repository, image, ['one', 'two', 'three'])
        for (const tag of ['one', 'two', 'three']) {
          expect((await t.client.resolve({ ...t.repository, tag })).digest).toBe(image.descriptor.digest)
        }
      },
    ],
    [
      'the registry refuses a manifest with missing blobs and names them',
      async t => {
        const config = { mediaType: OCI_CONFIG, digest: missing, size: 2 }
        const document = asFetched(documentOf(OCI_MANIFEST, { config, layers: [] }))
        const error = await thrownBy(() => t.client.pushManifest(t.repository, document, 'x'))
        expect(error).toMatchObject({ code: 'ERR_REGISTRY', errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] })
      },
    ],
  ],
  'content discovery': [
    [
      'the client lists tags',
      async t => {
        const image = await t.image()
        await t.client.pushManifest(t.repository, image, ['c', 'a', 'b'])
        expect((await all(t.client.listTags(t.repository))).sort()).toEqual(['a', 'b', 'c'])
      },
    ],
    [
      'the client lists referrers, all and of one artifact type',
      async t => {
        const image = await t.image()
        await t.client.pushManifest(t.repository, image, 'tag')
        expect(await all(t.client.listReferrers(t.repository, image.descriptor.digest))).toEqual([])
        const kinds = ['application/vnd.test.a', 'application/vnd.test.b']
        const digests: Digest[] = []
        for (const artifactType of kinds) {
          const referrer = await t.image({ artifactType, subject: image.descriptor })
          digests.push(await t.client.pushManifest(t.repository, referrer))
        }
        const listed = async (options = {}) =>
          (await all(t.client.listReferrers(t.repository, image.descriptor.digest, options))).map(
            ({ digest }) => digest,
          )
        expect((await listed()).sort()).toEqual([...digests].sort())
        expect(await listed({ artifactType: kinds[1] })).toEqual([digests[1]])
      },
    ],
    [
      'the list of referrers needs no fallback tag',
      async t => {
        const image = await t.image()
        await t.client.pushManifest(t.repository, image, 'tag')
        await t.client.pushManifest(t.repository, await t.image({ subject: image.descriptor }))
        expect(await all(t.client.listTags(t.repository))).toEqual(['tag'])
      },
    ],
  ],
  'content management': [
    [
      'the client deletes a manifest by digest, with its tags',
      async t => {
        const image = await t.image()
        await t.client.pushManifest(t.repository, image, 'tag')
        expect(await t.client.deleteManifest(t.repository, image.descriptor.digest)).toBe(true)
        const error = await thrownBy(() => t.client.resolve({ ...t.repository, tag: 'tag' }))
        expect(error).toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND' })
        expect(await t.client.deleteManifest(t.repository, image.descriptor.digest)).toBe(false)
      },
    ],
    [
      'the client deletes a tag and keeps its manifest',
      async t => {
        const image = await t.image()
        await t.client.pushManifest(t.repository, image, ['one', 'two'])
        expect(await t.client.deleteTag(t.repository, 'one')).toBe(true)
        expect(await all(t.client.listTags(t.repository))).toEqual(['two'])
      },
    ],
    [
      'the client deletes a blob',
      async t => {
        const { digest } = await t.pushBlob(someBytes())
        expect(await t.client.deleteBlob(t.repository, digest)).toBe(true)
        expect(await t.client.statBlob(t.repository, digest)).toBeUndefined()
        expect(await t.client.deleteBlob(t.repository, digest)).toBe(false)
      },
    ],
  ],
}
