import { expect } from 'vitest'
import { type Case, digestOf, someBytes } from './target.ts'

export const managementCases: readonly Case[] = [
  [
    'DELETE request to manifest tag should return 202, unless tag deletion is disallowed (400/405)',
    async t => {
      const image = await t.image()
      await t.pushManifest('tagtest0', image)
      const { status } = await t.ask('DELETE', 'manifests/tagtest0')
      expect([202, 400, 405]).toContain(status)
      const after = await t.ask('HEAD', 'manifests/tagtest0')
      expect(after.status).toBe(status === 202 ? 404 : 200)
    },
  ],
  [
    'DELETE request to manifest tag leaves the manifest and its other tags',
    async t => {
      const image = await t.image()
      for (const tag of ['one', 'two']) await t.pushManifest(tag, image)
      expect((await t.ask('DELETE', 'manifests/one')).status).toBe(202)
      expect((await t.ask('HEAD', 'manifests/two')).status).toBe(200)
      expect((await t.ask('HEAD', `manifests/${image.described.digest}`)).status).toBe(200)
    },
  ],
  [
    'DELETE request to manifest (digest) should yield 202, a later GET 404',
    async t => {
      const image = await t.image()
      await t.pushManifest('tag', image)
      const path = `manifests/${image.described.digest}`
      expect((await t.ask('DELETE', path)).status).toBe(202)
      expect((await t.ask('GET', path)).status).toBe(404)
      expect((await t.ask('GET', 'manifests/tag')).status).toBe(404)
    },
  ],
  [
    'GET request to tags list should reflect manifest deletion',
    async t => {
      const [gone, stays] = [await t.image(), await t.image({ annotations: { a: 'b' } })]
      await t.pushManifest('gone', gone)
      await t.pushManifest('stays', stays)
      expect((await t.ask('DELETE', `manifests/${gone.described.digest}`)).status).toBe(202)
      expect((await t.ask('GET', 'tags/list')).json().tags).toEqual(['stays'])
    },
  ],
  [
    'DELETE of a missing manifest is answered with 404',
    async t => {
      await t.pushManifest('tag', await t.image())
      expect((await t.ask('DELETE', `manifests/${digestOf(someBytes())}`)).status).toBe(404)
      expect((await t.ask('DELETE', 'manifests/none')).status).toBe(404)
    },
  ],
  [
    'DELETE in a missing repository is answered with 404',
    async t => {
      for (const path of [`manifests/${digestOf(someBytes())}`, `blobs/${digestOf(someBytes())}`]) {
        expect([path, (await t.ask('DELETE', path)).status]).toEqual([path, 404])
      }
    },
  ],
  [
    'DELETE request to blob URL should yield 202 response, a later GET 404',
    async t => {
      const { digest } = await t.pushBlob(someBytes())
      expect((await t.ask('DELETE', `blobs/${digest}`)).status).toBe(202)
      expect((await t.ask('GET', `blobs/${digest}`)).status).toBe(404)
      expect((await t.ask('HEAD', `blobs/${digest}`)).status).toBe(404)
    },
  ],
  [
    'DELETE of a missing blob is answered with 404',
    async t => {
      await t.pushBlob(someBytes())
      expect((await t.ask('DELETE', `blobs/${digestOf(someBytes())}`)).status).toBe(404)
    },
  ],
  [
    'DELETE of a blob leaves it in other repositories',
    async t => {
      const { digest } = await t.pushBlob(someBytes())
      const mounted = await t.ask('POST', `/v2/${t.other}/blobs/uploads/?mount=${digest}&from=${t.repository}`)
      expect(mounted.status).toBe(201)
      expect((await t.ask('DELETE', `blobs/${digest}`)).status).toBe(202)
      expect((await t.ask('HEAD', `/v2/${t.other}/blobs/${digest}`)).status).toBe(200)
    },
  ],
  [
    'DELETE of a blob that a tagged manifest needs breaks no image',
    async t => {
      const image = await t.image()
      await t.pushManifest('tag', image)
      const { layers } = JSON.parse(image.bytes.toString()) as { layers: { digest: string }[] }
      const { status } = await t.ask('DELETE', `blobs/${layers[0]!.digest}`)
      if (status === 202) expect((await t.ask('HEAD', `blobs/${layers[0]!.digest}`)).status).toBe(200)
      else expect([400, 405]).toContain(status)
    },
  ],
]
