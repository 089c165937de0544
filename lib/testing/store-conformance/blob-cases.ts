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
    name: 'put returns digest and size, and read returns the same bytes',
    async run({ store }) {
      const bytes = contentOf(100_000)
      const info = await store.put(bytes)
      assert.deepEqual(info, { digest: sha256Of(bytes), size: 100_000 })
      assert.ok((await drain(store.read(info.digest))).equals(bytes))
    },
  },
  {
    name: 'the store keeps an empty blob',
    async run({ store }) {
      const { digest, size } = await store.put([])
      assert.equal(size, 0)
      assert.equal(digest, sha256Of(new Uint8Array()))
      assert.equal((await drain(store.read(digest))).byteLength, 0)
      assert.deepEqual(await blobsIn(store), [{ digest, size: 0 }])
    },
  },
  {
    name: 'read returns every byte of a blob of several mebibytes',
    async run({ store }) {
      const bytes = contentOf(3 * 1024 * 1024 + 7)
      const { digest } = await store.put(piecesOf(bytes, 65_536))
      assert.equal(digest, sha256Of(bytes))
      assert.ok((await drain(store.read(digest))).equals(bytes))
    },
  },
  {
    name: 'put gives equal bytes one digest, in whatever chunks they arrive',
    async run({ store }) {
      const bytes = contentOf(5000)
      for (const piece of [1, 7, 512, 4999, 5000]) {
        assert.equal((await store.put(piecesOf(bytes, piece))).digest, sha256Of(bytes))
      }
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'put accepts an async source with an empty chunk',
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
    name: 'put does not read the source if the expected blob exists',
    async run({ store }) {
      const { digest, size } = await store.put(contentOf(50))
      const source = {
        [Symbol.iterator]: () => assert.fail('the source was read'),
      } as unknown as Iterable<Uint8Array>
      assert.deepEqual(await store.put(source, { digest, size }), { digest, size })
    },
  },
  {
    name: 'concurrent puts of a hundred different blobs store all of them',
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
    name: 'twenty concurrent puts of one blob all succeed and store it once',
    async run({ store }) {
      const bytes = contentOf(100_000)
      const infos = await Promise.all(Array.from({ length: 20 }, () => store.put(piecesOf(bytes, 9999))))
      for (const info of infos) assert.deepEqual(info, { digest: sha256Of(bytes), size: 100_000 })
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'put rejects a wrong digest and stores nothing',
    async run({ store }) {
      const digest = sha256Of(contentOf(1))
      await failsWith('ERR_DIGEST_MISMATCH', () => store.put(contentOf(10), { digest }))
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'put reports a wrong size before it checks the digest',
    async run({ store }) {
      const digest = sha256Of(contentOf(1))
      await failsWith('ERR_SIZE_MISMATCH', () => store.put(contentOf(10), { digest, size: 9 }))
      await failsWith('ERR_SIZE_MISMATCH', () => store.put(contentOf(10), { digest, size: 11 }))
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'put stops reading a source that is longer than its size',
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
    name: 'put rejects with the error of its source and stores nothing',
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
    name: 'an aborted put rejects with the reason at once, even while its source is silent',
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
    name: 'stat returns the size of a stored blob, and undefined for any other digest',
    reads: true,
    async run({ store, writable }) {
      const { digest } = await writable.put(contentOf(11))
      assert.deepEqual(await store.stat(digest), { digest, size: 11 })
      assert.equal(await store.stat(sha256Of(contentOf(12))), undefined)
    },
  },
  {
    name: 'read of a missing blob rejects at the first chunk, not at the call',
    reads: true,
    async run({ store }) {
      const source = store.read(sha256Of(contentOf(12)))
      await failsWith('ERR_BLOB_NOT_FOUND', () => drain(source))
    },
  },
  {
    name: 'read returns a range of a blob, and stops at its end',
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
    name: 'read rejects a range that is not a whole number of bytes',
    reads: true,
    async run({ store, writable }) {
      const { digest } = await writable.put(contentOf(5))
      await failsWith('ERR_INVALID_ARGUMENT', () => drain(store.read(digest, { offset: -1 })))
      await failsWith('ERR_INVALID_ARGUMENT', () => drain(store.read(digest, { length: 0.5 })))
    },
  },
  {
    name: 'read returns the same bytes with every verification policy',
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
    name: 'a reader that leaves the loop early closes its handles',
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
    name: 'two concurrent readers of one blob both get its bytes',
    reads: true,
    async run({ store, writable }) {
      const bytes = contentOf(1_500_000)
      const { digest } = await writable.put(bytes)
      const [a, b] = await Promise.all([drain(store.read(digest)), drain(store.read(digest))])
      assert.ok(a.equals(bytes) && b.equals(bytes))
    },
  },
  {
    name: 'delete removes a blob, and succeeds if it does not exist',
    async run({ store }) {
      const { digest } = await store.put(contentOf(20))
      await store.delete(digest)
      await store.delete(digest)
      assert.equal(await store.stat(digest), undefined)
      await failsWith('ERR_BLOB_NOT_FOUND', () => drain(store.read(digest)))
    },
  },
  {
    name: 'put stores a deleted blob again',
    async run({ store }) {
      const { digest } = await store.put(contentOf(20))
      await store.delete(digest)
      await store.put(contentOf(20))
      assert.ok((await drain(store.read(digest))).equals(contentOf(20)))
    },
  },
  {
    name: 'a reader that has started reads to the end although the blob is deleted',
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
    name: 'list yields each blob once while other blobs are put',
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
    name: 'the store keeps sha512 and blake3 blobs beside sha256 blobs',
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
    name: 'every call rejects a malformed digest before it reaches the storage',
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
    name: 'a closed store rejects every call except another close',
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
    name: 'two stores over the same data read the blobs of each other',
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
    name: 'a read-only store reads every blob and rejects every write',
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
