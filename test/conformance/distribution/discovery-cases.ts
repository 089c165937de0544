import { expect } from 'vitest'
import {
  type Case,
  type Described,
  digestOf,
  documentOf,
  expectErrors,
  OCI_CONFIG,
  OCI_INDEX,
  someBytes,
  type Target,
} from './target.ts'

async function fourTags(t: Target): Promise<void> {
  const image = await t.image()
  for (let i = 0; i < 4; i++) await t.pushManifest(`test${i}`, image)
}

async function tags(t: Target, query = ''): Promise<{ tags: string[]; next: string | undefined }> {
  const answer = await t.ask('GET', query.startsWith('/') ? query : `tags/list${query}`)
  expect(answer.status).toBe(200)
  const { name, tags } = answer.json() as { name?: string; tags?: string[] | null }
  expect(name).toBe(t.repository)
  const next = /^<([^>]+)>; rel="next"$/.exec(`${answer.headers.link ?? ''}`)?.[1]
  const url = next === undefined ? undefined : new URL(next, t.url)
  return { tags: tags ?? [], next: url && `${url.pathname}${url.search}` }
}

async function referrers(t: Target, digest: string, query = '') {
  const answer = await t.ask('GET', `referrers/${digest}${query}`)
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': OCI_INDEX } })
  const { manifests } = answer.json() as unknown as { manifests: (Described & Record<string, unknown>)[] }
  return { manifests, filters: answer.headers['oci-filters-applied'] }
}

const digests = (entries: readonly Described[]) => entries.map(({ digest }) => digest).sort()

export const discoveryCases: readonly Case[] = [
  [
    'GET request to list tags should yield 200 response',
    async t => {
      await fourTags(t)
      expect((await tags(t)).tags.sort()).toEqual(['test0', 'test1', 'test2', 'test3'])
    },
  ],
  [
    'GET number of tags should be limitable by `n` query parameter',
    async t => {
      await fourTags(t)
      expect((await tags(t, '?n=2')).tags).toEqual(['test0', 'test1'])
      expect((await tags(t, '?n=0')).tags).toEqual([])
    },
  ],
  [
    'an empty page, also for n=0, has no Link',
    async t => {
      await fourTags(t)
      for (const query of ['', '?n=0', '?n=4', '?n=9', '?n=2&last=test1', '?last=test3']) {
        expect([query, (await tags(t, query)).next]).toEqual([query, undefined])
      }
    },
  ],
  [
    'tags are listed in lexical order, whatever order they were set in',
    async t => {
      const image = await t.image()
      for (const tag of ['b', '1.10', '_x', 'B', '1.9', 'a-b', 'a']) await t.pushManifest(tag, image)
      expect((await tags(t)).tags).toEqual(['1.10', '1.9', 'B', '_x', 'a', 'a-b', 'b'])
    },
  ],
  [
    'the page after a missing tag starts at the next tag in order',
    async t => {
      await fourTags(t)
      expect((await tags(t, '?last=test15')).tags).toEqual(['test2', 'test3'])
    },
  ],
  [
    'GET start of tag is set by `last` query parameter',
    async t => {
      await fourTags(t)
      expect((await tags(t, '?n=2&last=test1')).tags).toEqual(['test2', 'test3'])
      expect((await tags(t, '?last=test2')).tags).toEqual(['test3'])
    },
  ],
  [
    'Link leads through all pages',
    async t => {
      await fourTags(t)
      const seen: string[] = []
      for (let next: string | undefined = '?n=3'; next !== undefined; ) {
        const page = await tags(t, next)
        seen.push(...page.tags)
        next = page.next
      }
      expect(seen).toEqual(['test0', 'test1', 'test2', 'test3'])
    },
  ],
  [
    'a missing repository has no list of tags: 404 NAME_UNKNOWN',
    async t => {
      const answer = await t.ask('GET', 'tags/list')
      expect(answer.status).toBe(404)
      expectErrors(answer, ['NAME_UNKNOWN'])
    },
  ],
  [
    'listing references: GET request to nonexistent blob should result in empty 200 response',
    async t => expect((await referrers(t, digestOf(someBytes()))).manifests).toEqual([]),
  ],
  [
    'a push of a manifest answers with OCI-Subject, before and after its subject exists',
    async t => {
      const image = await t.image()
      const before = await t.referrer(image.described, 'application/vnd.test.a', 'before')
      const after = await t.referrer(image.described, 'application/vnd.test.a', 'after')
      for (const document of [before, image, after]) {
        const { headers } = await t.pushManifest(document.described.digest, document)
        expect(headers['oci-subject']).toBe(document === image ? undefined : image.described.digest)
      }
    },
  ],
  [
    'listing references: GET request to existing blob should yield 200',
    async t => {
      const image = await t.image()
      await t.pushManifest('tag', image)
      const types = ['application/vnd.test.a', 'application/vnd.test.b']
      const documents = await Promise.all(types.map(type => t.referrer(image.described, type, `note of ${type}`)))
      for (const document of documents) await t.pushManifest(document.described.digest, document)
      const { manifests } = await referrers(t, image.described.digest)
      const byDigest = new Map(manifests.map(entry => [entry.digest, entry]))
      expect(digests(manifests)).toEqual(digests(documents.map(({ described }) => described)))
      for (const [i, { described }] of documents.entries()) {
        const artifactType = types[i]
        const annotations = { 'test.note': `note of ${artifactType}` }
        expect(byDigest.get(described.digest)).toEqual({ ...described, artifactType, annotations })
      }
    },
  ],
  [
    'listing references: GET request to existing blob with filter should yield 200',
    async t => {
      const image = await t.image()
      const types = ['application/vnd.test.a+x', 'application/vnd.test.b']
      const documents = await Promise.all(types.map(type => t.referrer(image.described, type, 'note')))
      for (const document of documents) await t.pushManifest(document.described.digest, document)
      const query = `?${new URLSearchParams({ artifactType: types[0]! })}`
      const { manifests, filters } = await referrers(t, image.described.digest, query)
      expect([digests(manifests), filters]).toEqual([[documents[0]!.described.digest], 'artifactType'])
    },
  ],
  [
    'listing references: GET request to missing manifest should yield 200',
    async t => {
      const missing = { mediaType: OCI_INDEX, digest: digestOf(someBytes()), size: 123 }
      const document = await t.referrer(missing, 'application/vnd.test.c', 'note')
      await t.pushManifest(document.described.digest, document)
      expect(digests((await referrers(t, missing.digest)).manifests)).toEqual([document.described.digest])
    },
  ],
  [
    'a push of an index with a subject answers with OCI-Subject, and the index is listed',
    async t => {
      const image = await t.image()
      await t.pushManifest(image.described.digest, image)
      const members = { manifests: [image.described], subject: image.described, annotations: { 'test.note': 'index' } }
      const index = documentOf(OCI_INDEX, members)
      const { headers } = await t.pushManifest(index.described.digest, index)
      expect(headers['oci-subject']).toBe(image.described.digest)
      // SPEC: an index without an artifact type has none in the list either.
      const { manifests, filters } = await referrers(t, image.described.digest)
      expect(manifests).toEqual([{ ...index.described, annotations: { 'test.note': 'index' } }])
      expect(filters).toBeUndefined()
    },
  ],
  [
    'a referrer without an artifact type has the media type of its config',
    async t => {
      const image = await t.image()
      const referrer = await t.image({ subject: image.described })
      await t.pushManifest(referrer.described.digest, referrer)
      const { manifests } = await referrers(t, image.described.digest)
      expect(manifests).toEqual([{ ...referrer.described, artifactType: OCI_CONFIG }])
    },
  ],
  [
    'a deleted referrer is not listed',
    async t => {
      const image = await t.image()
      const [gone, stays] = [
        await t.referrer(image.described, 'a/b', 'gone'),
        await t.referrer(image.described, 'a/b', 'stays'),
      ]
      for (const document of [gone, stays]) await t.pushManifest(document.described.digest, document)
      expect((await t.ask('DELETE', `manifests/${gone.described.digest}`)).status).toBe(202)
      expect(digests((await referrers(t, image.described.digest)).manifests)).toEqual([stays.described.digest])
    },
  ],
  [
    'the referrers of an invalid digest are refused with 400',
    async t => expect((await t.ask('GET', 'referrers/sha256:nothing')).status).toBe(400),
  ],
]
