import { strict as assert } from 'node:assert'
import { checkStore, repairFromStore, repairStore } from '../../maintenance/index.ts'
import { createMemoryStore, type Store } from '../../store/index.ts'
import { putImage } from './put-image.ts'
import { blobsIn, type CaseDefinition, contentOf, drain, failsWith } from './subject.ts'

/** Cases for corrupt and missing blobs, and for the checks that find them. */
export const integrityCases: readonly CaseDefinition[] = [
  {
    name: 'read reports a changed blob as corrupt, at its end at the latest',
    needs: 'damage',
    reads: true,
    async run({ store, writable, subject }) {
      for (const how of ['flip', 'shorten', 'extend', 'empty'] as const) {
        const { digest } = await writable.put(contentOf(100_000, how))
        await subject.damage?.(store, digest, how)
        let bytes = 0
        await failsWith('ERR_BLOB_CORRUPT', async () => {
          for await (const chunk of store.read(digest, { verify: 'always' })) bytes += chunk.byteLength
        })
        assert.ok(bytes <= 100_001, `${bytes} bytes were given out of a blob of 100,000`)
      }
    },
  },
  {
    name: 'read verifies a blob again that has changed since the last read',
    needs: 'damage',
    reads: true,
    async run({ store, writable, subject }) {
      const { digest } = await writable.put(contentOf(100_000))
      await drain(store.read(digest, { verify: 'once-per-process' }))
      await subject.damage?.(store, digest, 'flip')
      await failsWith('ERR_BLOB_CORRUPT', () => drain(store.read(digest, { verify: 'once-per-process' })))
    },
  },
  {
    name: 'delete and put replace a corrupt blob',
    needs: 'damage',
    async run({ store, subject }) {
      const { digest } = await store.put(contentOf(100_000))
      await subject.damage?.(store, digest, 'flip')
      await store.delete(digest)
      await store.put(contentOf(100_000))
      assert.ok((await drain(store.read(digest))).equals(contentOf(100_000)))
    },
  },
  {
    name: 'checkStore finds a sound store sound, and changes nothing',
    reads: true,
    async run({ store, writable }) {
      await nameImage(writable, 'app:1')
      const before = await blobsIn(store)
      const report = await checkStore(store)
      assert.ok(report.sound, JSON.stringify(report.problems))
      assert.ok(report.names >= 1 && report.blobs >= 3)
      assert.deepEqual(await blobsIn(store), before)
    },
  },
  {
    name: 'checkStore reports a missing blob with the path of references to it',
    reads: true,
    async run({ store, writable }) {
      const { layer } = await nameImage(writable, 'app:1')
      await writable.delete(layer.digest)
      const { sound, problems } = await checkStore(store)
      assert.equal(sound, false)
      const missing = problems.filter(({ digest }) => digest === layer.digest)
      assert.deepEqual(
        missing.map(problem => [problem.class, problem.reason]),
        [['missing', 'tag app:1 → manifest → layer']],
      )
    },
  },
  {
    name: 'repairStore fetches missing blobs, and no others',
    async run({ store }) {
      const elsewhere = createMemoryStore()
      for (const one of [store, elsewhere]) await nameImage(one, 'app:1')
      const { layer, manifest } = await nameImage(elsewhere, 'app:1')
      await store.delete(layer.digest)
      await store.delete(manifest.digest)
      const result = await repairStore(store, await checkStore(store), [repairFromStore(elsewhere)])
      assert.deepEqual(result.repaired.map(({ digest }) => digest).sort(), [layer.digest, manifest.digest].sort())
      assert.deepEqual(result.unrepaired, [])
      assert.ok((await checkStore(store)).sound)
    },
  },
  {
    name: 'repairStore replaces a corrupt blob with an intact copy',
    needs: 'damage',
    async run({ store, subject }) {
      const elsewhere = createMemoryStore()
      for (const one of [store, elsewhere]) await nameImage(one, 'app:1')
      const { layer } = await nameImage(elsewhere, 'app:1')
      await subject.damage?.(store, layer.digest, 'flip')
      const report = await checkStore(store)
      assert.deepEqual(
        report.problems.filter(({ digest }) => digest === layer.digest).map(problem => problem.class),
        ['corrupt'],
      )
      const result = await repairStore(store, report, [repairFromStore(elsewhere)])
      assert.deepEqual(
        result.repaired.map(({ digest }) => digest),
        [layer.digest],
      )
      assert.ok((await drain(store.read(layer.digest))).equals(contentOf(100_000, 'app:1')))
    },
  },
  {
    name: 'derived data is readable until it is deleted',
    async run({ store }) {
      await store.derived.set('facts', 'key', contentOf(100))
      assert.deepEqual(Buffer.from((await store.derived.get('facts', 'key')) ?? []), Buffer.from(contentOf(100)))
      assert.equal(await store.derived.get('indexes', 'key'), undefined)
      await store.derived.delete('facts', 'key')
      await store.derived.delete('facts', 'key')
      assert.equal(await store.derived.get('facts', 'key'), undefined)
      await failsWith('ERR_INVALID_ARGUMENT', () => store.derived.get('facts', '../key'))
    },
  },
  {
    name: 'a lease reports whether a blob exists, and may be released twice',
    reads: true,
    async run({ store, writable }) {
      const { digest } = await writable.put(contentOf(10))
      await using lease = await store.leases.hold({ label: 'conformance' })
      assert.equal(await lease.add(digest), true)
      await writable.delete(digest)
      assert.equal(await lease.add(digest), false)
      await lease.renew()
      await lease.release()
    },
  },
]

async function nameImage(store: Store, name: string) {
  const image = await putImage(store, contentOf(100_000, name))
  await store.references.set(name, image.manifest)
  return image
}
