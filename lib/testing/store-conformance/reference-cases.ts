import { strict as assert } from 'node:assert'
import { Annotation, type Descriptor, MediaType } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { putDocument, putImage } from './put-image.ts'
import { type CaseDefinition, contentOf, failsWith, nameListOf, sha256Of } from './subject.ts'

/** Cases for references. */
export const referenceCases: readonly CaseDefinition[] = [
  {
    name: 'a name refers to the descriptor that it was set to',
    reads: true,
    async run({ store, writable }) {
      const { manifest } = await smallImage(writable)
      assert.equal(await writable.references.set('app:1.0', manifest), 'app:1.0')
      assert.deepEqual(await store.references.get('app:1.0'), manifest)
      assert.equal(await store.references.get('app:2.0'), undefined)
      assert.deepEqual(await nameListOf(store), ['app:1.0'])
    },
  },
  {
    name: 'every spelling of a reference finds the name, which is listed in its short form',
    reads: true,
    async run({ store, writable }) {
      const { manifest } = await smallImage(writable)
      assert.equal(await writable.references.set('docker.io/library/app', manifest), 'app:latest')
      for (const name of ['app', 'app:latest', 'library/app', 'docker.io/app', 'index.docker.io/library/app:latest']) {
        assert.deepEqual(await store.references.get(name), manifest, name)
      }
      assert.equal(await writable.references.set('ghcr.io/o/app:1', manifest), 'ghcr.io/o/app:1')
      assert.deepEqual(await nameListOf(store), ['app:latest', 'ghcr.io/o/app:1'])
    },
  },
  {
    name: 'set moves an existing name to another image',
    reads: true,
    async run({ store, writable }) {
      const { manifest: first } = await smallImage(writable, 'first')
      const { manifest: second } = await smallImage(writable, 'second')
      await writable.references.set('app:1', first)
      await writable.references.set('app:1', second)
      assert.deepEqual(await store.references.get('app:1'), second)
      assert.deepEqual(await nameListOf(store), ['app:1'])
    },
  },
  {
    name: 'set with an expected digest fails if the name refers to another one',
    async run({ store }) {
      const { manifest: first } = await smallImage(store, 'first')
      const { manifest: second } = await smallImage(store, 'second')
      await failsWith('ERR_REFERENCE_CONFLICT', () => store.references.set('app:1', first, { expected: first.digest }))
      await store.references.set('app:1', first, { expected: null })
      await failsWith('ERR_REFERENCE_CONFLICT', () => store.references.set('app:1', second, { expected: null }))
      await failsWith('ERR_REFERENCE_CONFLICT', () =>
        store.references.set('app:1', second, { expected: second.digest }),
      )
      assert.deepEqual(await store.references.get('app:1'), first)
      await store.references.set('docker.io/library/app:1', second, { expected: first.digest })
      assert.deepEqual(await store.references.get('app:1'), second)
    },
  },
  {
    name: 'names returns the same array until a name is added or deleted',
    async run({ store, subject }) {
      const { references } = store
      // Foreign names may appear and disappear while the case runs.
      if (!references.names || subject.foreign) return
      const { manifest: first } = await smallImage(store, 'first')
      const { manifest: second } = await smallImage(store, 'second')
      await references.set('b:1', first)
      const before = await references.names()
      assert.deepEqual(before, ['b:1'])
      assert.equal(await references.names(), before)
      await references.set('b:1', second)
      assert.equal(await references.names(), before)
      await references.set('a:1', first)
      assert.deepEqual(await references.names(), ['a:1', 'b:1'])
      await references.delete('b:1')
      assert.deepEqual(await references.names(), ['a:1'])
      assert.deepEqual(before, ['b:1'])
    },
  },
  {
    name: 'get returns a descriptor with all of its members',
    reads: true,
    async run({ store, writable }) {
      const { manifest } = await smallImage(writable)
      const rich: Descriptor = {
        ...manifest,
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
        annotations: { 'org.example.note': 'kept' },
      }
      await writable.references.set('app:1', rich)
      assert.deepEqual(await store.references.get('app:1'), rich)
    },
  },
  {
    name: 'delete removes a name, returns whether it existed, and keeps the blobs',
    async run({ store }) {
      const { manifest } = await smallImage(store)
      await store.references.set('app:1', manifest)
      assert.equal(await store.references.delete('docker.io/library/app:1'), true)
      assert.equal(await store.references.delete('app:1'), false)
      assert.equal(await store.references.delete('not a reference'), false)
      assert.equal(await store.references.get('app:1'), undefined)
      assert.ok(await store.stat(manifest.digest))
    },
  },
  {
    name: 'set rejects an incomplete image',
    async run({ store }) {
      for (const victim of ['manifest', 'config', 'layer'] as const) {
        const image = await smallImage(store, victim)
        await store.delete(image[victim].digest)
        await failsWith('ERR_BLOB_NOT_FOUND', () => store.references.set('app:1', image.manifest))
      }
      assert.deepEqual(await nameListOf(store), [])
    },
  },
  {
    name: 'set rejects a descriptor with a wrong size',
    async run({ store }) {
      const { manifest } = await smallImage(store)
      const wrong = { ...manifest, size: manifest.size + 1 }
      await failsWith('ERR_SIZE_MISMATCH', () => store.references.set('app:1', wrong))
      assert.deepEqual(await nameListOf(store), [])
    },
  },
  {
    name: 'set requires every blob below an index',
    async run({ store }) {
      const { manifest, layer } = await smallImage(store)
      const index = await putDocument(store, MediaType.OciIndex, {
        schemaVersion: 2,
        mediaType: MediaType.OciIndex,
        manifests: [manifest],
      })
      await store.references.set('app:1', index)
      await store.delete(layer.digest)
      await failsWith('ERR_BLOB_NOT_FOUND', () => store.references.set('app:2', index))
      assert.deepEqual(await nameListOf(store), ['app:1'])
    },
  },
  {
    name: 'set accepts an absent layer if the descriptor says which repository holds it, and keeps that',
    async run({ store }) {
      const { manifest, layer, config } = await smallImage(store, 'left in a registry')
      await store.delete(layer.digest)
      const thin = { ...manifest, annotations: { [Annotation.LayersFrom]: 'ghcr.io/team/base' } }
      await store.references.set('app:1', thin)
      assert.deepEqual(await store.references.get('app:1'), thin)
      await failsWith('ERR_BLOB_NOT_FOUND', () => store.references.set('app:2', manifest))
      await store.delete(config.digest)
      await failsWith('ERR_BLOB_NOT_FOUND', () => store.references.set('app:3', thin))
    },
  },
  {
    name: 'set accepts an image whose foreign layer is absent',
    async run({ store }) {
      const { config } = await smallImage(store)
      const absent = { mediaType: MediaType.DockerForeignLayerGzip, digest: sha256Of(contentOf(9)), size: 9 }
      const manifest = await putDocument(store, MediaType.DockerManifest, {
        schemaVersion: 2,
        mediaType: MediaType.DockerManifest,
        config: { ...config, mediaType: MediaType.DockerConfig },
        layers: [absent],
      })
      await store.references.set('windows:1', manifest)
      assert.deepEqual(await store.references.get('windows:1'), manifest)
    },
  },
  {
    name: 'set accepts a document of an unknown media type without parsing it',
    async run({ store }) {
      const artifact = await putDocument(store, 'application/vnd.example.thing+json', { layers: 'none' })
      await store.references.set('thing:1', artifact)
      assert.deepEqual(await store.references.get('thing:1'), artifact)
    },
  },
  {
    name: 'set rejects a malformed reference, and get does not find it',
    async run({ store }) {
      const { manifest } = await smallImage(store)
      for (const name of ['', 'app/UPPER', '../up', 'a b', `app:${'t'.repeat(129)}`]) {
        await failsWith('ERR_INVALID_REFERENCE', () => store.references.set(name, manifest))
        assert.equal(await store.references.get(name), undefined)
      }
    },
  },
  {
    name: 'set rejects a malformed descriptor',
    async run({ store }) {
      const wrong = { mediaType: MediaType.OciManifest, digest: 'sha256:../x', size: 1 } as unknown as Descriptor
      await failsWith('ERR_INVALID_DESCRIPTOR', () => store.references.set('app:1', wrong))
    },
  },
  {
    name: 'list yields names in order',
    reads: true,
    async run({ store, writable }) {
      const { manifest } = await smallImage(writable)
      for (const name of ['b:1', 'a:2', 'c:1', 'a:1']) await writable.references.set(name, manifest)
      assert.deepEqual(await nameListOf(store), ['a:1', 'a:2', 'b:1', 'c:1'])
    },
  },
  {
    name: 'five hundred concurrent sets all succeed',
    async run({ store }) {
      const { manifest } = await smallImage(store)
      const names = Array.from({ length: 500 }, (_, i) => `app:${i}`)
      await Promise.all(names.map(name => store.references.set(name, manifest)))
      assert.deepEqual(await nameListOf(store), [...names].sort())
    },
  },
  {
    name: 'an aborted set creates no name',
    async run({ store }) {
      const { manifest } = await smallImage(store)
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      await assert.rejects(store.references.set('app:1', manifest, { signal }), error => error === reason)
      assert.deepEqual(await nameListOf(store), [])
    },
  },
  {
    name: 'concurrent sets of two stores over the same data all succeed',
    needs: 'reopen',
    async run({ store, reopen }) {
      const { manifest } = await smallImage(store)
      const other = await reopen()
      const names = Array.from({ length: 40 }, (_, i) => `app:${i}`)
      await Promise.all(names.map((name, i) => (i % 2 ? store : other).references.set(name, manifest)))
      assert.deepEqual(await nameListOf(store), [...names].sort())
      assert.deepEqual(await nameListOf(other), [...names].sort())
    },
  },
]

function smallImage(store: Store, seed = 'image') {
  return putImage(store, contentOf(1024, seed))
}
