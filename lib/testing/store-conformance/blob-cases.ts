import { strict as assert } from 'node:assert'
import type { Digest } from '../../digest/index.ts'
import { blobsIn, type CaseDefinition, contentOf, drain, failsWith, sha256Of } from './subject.ts'

const HOSTILE_DIGESTS = [
  'sha256:../../../../etc/passwd',
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(65)}`,
  `md5:${'a'.repeat(32)}`,
  `sha256:${'a'.repeat(32)}/${'a'.repeat(31)}`,
  '',
] as Digest[]

/** Cases for `put`, `stat`, `read`, `delete` and `list`. */
export const blobCases: readonly CaseDefinition[] = [
  {
    name: 'a fresh store is empty',
    reads: true,
    async run({ store }) {
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'put says digest and size, and read gives the same bytes',
    async run({ store }) {
      const bytes = contentOf(100_000)
      const info = await store.put(bytes)
      assert.deepEqual(info, { digest: sha256Of(bytes), size: 100_000 })
      assert.ok((await drain(store.read(info.digest))).equals(bytes))
    },
  },
  {
    name: 'a blob of no bytes is a blob',
    async run({ store }) {
      const { digest, size } = await store.put([])
      assert.equal(size, 0)
      assert.equal(digest, sha256Of(new Uint8Array()))
      assert.equal((await drain(store.read(digest))).byteLength, 0)
      assert.deepEqual(await blobsIn(store), [{ digest, size: 0 }])
    },
  },
  {
    name: 'a blob of several mebibytes comes back whole',
    async run({ store }) {
      const bytes = contentOf(3 * 1024 * 1024 + 7)
      const { digest } = await store.put(piecesOf(bytes, 65_536))
      assert.equal(digest, sha256Of(bytes))
      assert.ok((await drain(store.read(digest))).equals(bytes))
    },
  },
  {
    name: 'the same bytes in any pieces are the same blob',
    async run({ store }) {
      const bytes = contentOf(5000)
      for (const piece of [1, 7, 512, 4999, 5000]) {
        assert.equal((await store.put(piecesOf(bytes, piece))).digest, sha256Of(bytes))
      }
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'put takes an async source and an empty chunk in it',
    async run({ store }) {
      const bytes = contentOf(10)
      const { digest } = await store.put(
        (async function* () {
          yield bytes.subarray(0, 4)
          yield new Uint8Array()
          yield bytes.subarray(4)
        })(),
      )
      assert.equal(digest, sha256Of(bytes))
    },
  },
  {
    name: 'put is idempotent',
    async run({ store }) {
      const first = await store.put(contentOf(50))
      assert.deepEqual(await store.put(contentOf(50)), first)
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'put of an expected digest that is there does not read the source',
    async run({ store }) {
      const { digest, size } = await store.put(contentOf(50))
      const source = {
        [Symbol.iterator]: () => assert.fail('the source was read'),
      } as unknown as Iterable<Uint8Array>
      assert.deepEqual(await store.put(source, { digest, size }), { digest, size })
    },
  },
  {
    name: 'a hundred different blobs put at the same time are all there',
    async run({ store }) {
      const blobs = Array.from({ length: 100 }, (_, i) => contentOf(1000 + i, `blob ${i}`))
      const infos = await Promise.all(blobs.map(bytes => store.put(bytes)))
      assert.deepEqual(
        infos.map(info => info.digest),
        blobs.map(sha256Of),
      )
      assert.equal((await blobsIn(store)).length, 100)
    },
  },
  {
    name: 'the same blob put twenty times at the same time is stored once, and every put succeeds',
    async run({ store }) {
      const bytes = contentOf(100_000)
      const infos = await Promise.all(Array.from({ length: 20 }, () => store.put(piecesOf(bytes, 9999))))
      for (const info of infos) assert.deepEqual(info, { digest: sha256Of(bytes), size: 100_000 })
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'put with another digest than expected fails and leaves nothing',
    async run({ store }) {
      const digest = sha256Of(contentOf(1))
      await failsWith('ERR_DIGEST_MISMATCH', () => store.put(contentOf(10), { digest }))
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'put with another size than expected fails as such, before the digest is looked at',
    async run({ store }) {
      const digest = sha256Of(contentOf(1))
      await failsWith('ERR_SIZE_MISMATCH', () => store.put(contentOf(10), { digest, size: 9 }))
      await failsWith('ERR_SIZE_MISMATCH', () => store.put(contentOf(10), { digest, size: 11 }))
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'put stops reading a source that is longer than announced',
    async run({ store }) {
      let given = 0
      const endless = (function* () {
        for (;;) {
          given++
          yield contentOf(1000)
        }
      })()
      await failsWith('ERR_SIZE_MISMATCH', () => store.put(endless, { size: 2500 }))
      assert.equal(given, 3)
    },
  },
  {
    name: 'put rejects with what its source throws, and leaves nothing',
    async run({ store }) {
      const fault = new Error('source broke')
      const source = (async function* () {
        yield contentOf(10)
        throw fault
      })()
      await assert.rejects(store.put(source), error => error === fault)
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'an aborted put rejects with the reason at once, also while its source is silent',
    async run({ store }) {
      const reason = new Error('enough')
      const controller = new AbortController()
      const source = (async function* () {
        yield contentOf(10)
        setImmediate(() => controller.abort(reason))
        await new Promise(() => undefined)
      })()
      await assert.rejects(store.put(source, { signal: controller.signal }), error => error === reason)
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'every call with a signal that has fired rejects with its reason',
    async run({ store }) {
      const reason = new Error('too late')
      const options = { signal: AbortSignal.abort(reason) }
      const { digest } = await store.put(contentOf(3))
      const isReason = (error: unknown) => error === reason
      await assert.rejects(store.put(contentOf(4), options), isReason)
      await assert.rejects(store.stat(digest, options), isReason)
      await assert.rejects(drain(store.read(digest, options)), isReason)
      await assert.rejects(store.ingest('key', options), isReason)
      await assert.rejects(store.delete(digest, options), isReason)
      await assert.rejects(async () => {
        for await (const _ of store.list(options)) assert.fail('listed')
      }, isReason)
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'stat knows what is there and what is not',
    reads: true,
    async run({ store, writable }) {
      const { digest } = await writable.put(contentOf(11))
      assert.deepEqual(await store.stat(digest), { digest, size: 11 })
      assert.equal(await store.stat(sha256Of(contentOf(12))), undefined)
    },
  },
  {
    name: 'read of a blob that is not there rejects, at the first chunk and not before',
    reads: true,
    async run({ store }) {
      const source = store.read(sha256Of(contentOf(12)))
      await failsWith('ERR_BLOB_NOT_FOUND', () => drain(source))
    },
  },
  {
    name: 'a part of a blob can be read, also past its end',
    reads: true,
    async run({ store, writable }) {
      const bytes = Buffer.from(contentOf(1000))
      const { digest } = await writable.put(bytes)
      const part = (offset?: number, length?: number) => drain(store.read(digest, { offset, length }))
      assert.ok((await part(10, 20)).equals(bytes.subarray(10, 30)))
      assert.ok((await part(990)).equals(bytes.subarray(990)))
      assert.ok((await part(990, 1000)).equals(bytes.subarray(990)))
      assert.ok((await part(undefined, 3)).equals(bytes.subarray(0, 3)))
      assert.equal((await part(5, 0)).byteLength, 0)
      assert.equal((await part(1000)).byteLength, 0)
      assert.equal((await part(5000, 5)).byteLength, 0)
    },
  },
  {
    name: 'a part that is not a whole number of bytes is refused',
    reads: true,
    async run({ store, writable }) {
      const { digest } = await writable.put(contentOf(5))
      await failsWith('ERR_INVALID_ARGUMENT', () => drain(store.read(digest, { offset: -1 })))
      await failsWith('ERR_INVALID_ARGUMENT', () => drain(store.read(digest, { length: 0.5 })))
    },
  },
  {
    name: 'every policy of verification reads the right bytes',
    reads: true,
    async run({ store, writable }) {
      const bytes = contentOf(2000)
      const { digest } = await writable.put(bytes)
      for (const verify of ['always', 'once-per-process', 'once-per-process', 'never'] as const) {
        assert.ok((await drain(store.read(digest, { verify }))).equals(bytes))
      }
    },
  },
  {
    name: 'a reader that writes into its chunks does not change the blob',
    reads: true,
    async run({ store, writable }) {
      const { digest } = await writable.put(contentOf(100))
      for await (const chunk of store.read(digest)) chunk.fill(0)
      assert.ok((await drain(store.read(digest))).equals(contentOf(100)))
    },
  },
  {
    name: 'a reader that leaves early frees what it held',
    reads: true,
    needs: 'openHandles',
    async run({ store, writable, subject }) {
      const { digest } = await writable.put(contentOf(2 * 1024 * 1024))
      const before = subject.openHandles?.(store)
      for await (const _ of store.read(digest)) break
      for await (const _ of store.read(digest, { verify: 'never' })) break
      for await (const _ of store.list()) break
      assert.equal(subject.openHandles?.(store), before)
    },
  },
  {
    name: 'two readers of one blob do not disturb each other',
    reads: true,
    async run({ store, writable }) {
      const bytes = contentOf(1_500_000)
      const { digest } = await writable.put(bytes)
      const [a, b] = await Promise.all([drain(store.read(digest)), drain(store.read(digest))])
      assert.ok(a.equals(bytes) && b.equals(bytes))
    },
  },
  {
    name: 'delete removes a blob, and is fine when it is not there',
    async run({ store }) {
      const { digest } = await store.put(contentOf(20))
      await store.delete(digest)
      await store.delete(digest)
      assert.equal(await store.stat(digest), undefined)
      await failsWith('ERR_BLOB_NOT_FOUND', () => drain(store.read(digest)))
    },
  },
  {
    name: 'a deleted blob can be put again',
    async run({ store }) {
      const { digest } = await store.put(contentOf(20))
      await store.delete(digest)
      await store.put(contentOf(20))
      assert.ok((await drain(store.read(digest))).equals(contentOf(20)))
    },
  },
  {
    name: 'a reader that has begun reads on when the blob is deleted',
    reads: true,
    async run({ store, writable }) {
      const bytes = contentOf(1_500_000)
      const { digest } = await writable.put(bytes)
      const chunks: Uint8Array[] = []
      for await (const chunk of store.read(digest)) {
        if (chunks.length === 0) await writable.delete(digest)
        chunks.push(chunk)
      }
      assert.ok(Buffer.concat(chunks).equals(bytes))
    },
  },
  {
    name: 'list gives each blob once while others come',
    reads: true,
    async run({ store, writable }) {
      const first = await Promise.all(Array.from({ length: 80 }, (_, i) => writable.put(contentOf(64, `first ${i}`))))
      const seen: string[] = []
      for await (const { digest } of store.list()) {
        if (seen.length < 20) await writable.put(contentOf(64, `second ${seen.length}`))
        seen.push(digest)
      }
      assert.equal(new Set(seen).size, seen.length)
      for (const { digest } of first) assert.ok(seen.includes(digest))
    },
  },
  {
    name: 'sha512 and blake3 digests are kept beside sha256',
    async run({ store }) {
      for (const algorithm of ['sha512', 'blake3'] as const) {
        const writer = await store.ingest(algorithm, { algorithm })
        await writer.write(contentOf(99))
        const { digest } = await writer.commit()
        assert.ok(digest.startsWith(`${algorithm}:`))
        assert.ok((await drain(store.read(digest))).equals(contentOf(99)))
        assert.deepEqual(await store.put(contentOf(99), { digest }), { digest, size: 99 })
      }
      assert.equal((await blobsIn(store)).length, 2)
    },
  },
  {
    name: 'what is not a digest never gets as far as the storage',
    async run({ store }) {
      for (const digest of HOSTILE_DIGESTS) {
        await failsWith('ERR_INVALID_DIGEST', () => store.stat(digest))
        await failsWith('ERR_INVALID_DIGEST', () => drain(store.read(digest)))
        await failsWith('ERR_INVALID_DIGEST', () => store.delete(digest))
        await failsWith('ERR_INVALID_DIGEST', () => store.put(contentOf(1), { digest }))
      }
    },
  },
  {
    name: 'a closed store refuses every call, and closes twice',
    reads: true,
    async run({ store, writable }) {
      const { digest } = await writable.put(contentOf(1))
      await store.close()
      await store.close()
      await failsWith('ERR_STORE_CLOSED', () => store.stat(digest))
      await failsWith('ERR_STORE_CLOSED', () => drain(store.read(digest)))
      await failsWith('ERR_STORE_CLOSED', () => store.put(contentOf(2)))
      await failsWith('ERR_STORE_CLOSED', () => store.ingest('key'))
      await failsWith('ERR_STORE_CLOSED', () => store.delete(digest))
      await failsWith('ERR_STORE_CLOSED', () => blobsIn(store))
      await failsWith('ERR_STORE_CLOSED', () => store.references.get('app'))
    },
  },
  {
    name: 'another store over the same data has the blobs',
    needs: 'reopen',
    async run({ store, reopen }) {
      const { digest } = await store.put(contentOf(77))
      const other = await reopen()
      assert.ok((await drain(other.read(digest))).equals(contentOf(77)))
      const { digest: later } = await other.put(contentOf(78))
      assert.deepEqual(await store.stat(later), { digest: later, size: 78 })
    },
  },
  {
    name: 'a read-only store reads everything and refuses every write',
    needs: 'reopenReadOnly',
    async run({ store, reopenReadOnly }) {
      const { digest } = await store.put(contentOf(77))
      const reader = await reopenReadOnly()
      assert.ok((await drain(reader.read(digest))).equals(contentOf(77)))
      assert.equal((await blobsIn(reader)).length, 1)
      await failsWith('ERR_STORE_READ_ONLY', () => reader.put(contentOf(1)))
      await failsWith('ERR_STORE_READ_ONLY', () => reader.put(contentOf(77), { digest }))
      await failsWith('ERR_STORE_READ_ONLY', () => reader.ingest('key'))
      await failsWith('ERR_STORE_READ_ONLY', () => reader.delete(digest))
      await failsWith('ERR_STORE_READ_ONLY', () => reader.references.delete('app'))
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
]

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let i = 0; i < bytes.byteLength; i += size) yield bytes.subarray(i, i + size)
}
