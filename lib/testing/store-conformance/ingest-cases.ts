import { strict as assert } from 'node:assert'
import { digestOf } from '../../digest/index.ts'
import { blobsIn, type CaseDefinition, contentOf, drain, failsWith, sha256Of } from './subject.ts'

/** Cases for `ingest` and its writer. */
export const ingestCases: readonly CaseDefinition[] = [
  {
    name: 'an ingest is invisible until its commit',
    async run({ store }) {
      const bytes = contentOf(300_000)
      const writer = await store.ingest('key')
      await writer.write(bytes)
      assert.deepEqual(await blobsIn(store), [])
      assert.equal(await store.stat(sha256Of(bytes)), undefined)
      assert.deepEqual(await writer.commit({ digest: sha256Of(bytes), size: 300_000 }), {
        digest: sha256Of(bytes),
        size: 300_000,
      })
      assert.ok((await drain(store.read(sha256Of(bytes)))).equals(bytes))
    },
  },
  {
    name: 'offset counts the bytes that the writer has accepted',
    async run({ store }) {
      await using writer = await store.ingest('key')
      assert.equal(writer.offset, 0)
      await writer.write(contentOf(10))
      await writer.write(new Uint8Array())
      await writer.write(contentOf(300_000))
      assert.equal(writer.offset, 300_010)
    },
  },
  {
    name: 'the caller may reuse the buffer once write resolves',
    async run({ store }) {
      const buffer = Buffer.alloc(100, 'a')
      const writer = await store.ingest('key')
      await writer.write(buffer)
      buffer.fill('b')
      await writer.write(buffer)
      const { digest } = await writer.commit()
      assert.equal((await drain(store.read(digest))).toString(), 'a'.repeat(100) + 'b'.repeat(100))
    },
  },
  {
    name: 'commit closes the writer',
    async run({ store }) {
      const writer = await store.ingest('key')
      await writer.write(contentOf(5))
      await writer.commit()
      await failsWith('ERR_WRITER_CLOSED', () => writer.commit())
      await failsWith('ERR_WRITER_CLOSED', () => writer.write(contentOf(1)))
      await writer.abort()
      await writer[Symbol.asyncDispose]()
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'a commit with a wrong size fails, and the next ingest starts at 0',
    async run({ store }) {
      const writer = await store.ingest('key')
      await writer.write(contentOf(5))
      await failsWith('ERR_SIZE_MISMATCH', () => writer.commit({ size: 6, digest: sha256Of(contentOf(6)) }))
      await failsWith('ERR_WRITER_CLOSED', () => writer.commit())
      await using again = await store.ingest('key')
      assert.equal(again.offset, 0)
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'a commit with a wrong digest fails, and the next ingest starts at 0',
    async run({ store }) {
      const writer = await store.ingest('key')
      await writer.write(contentOf(5))
      await failsWith('ERR_DIGEST_MISMATCH', () => writer.commit({ size: 5, digest: sha256Of(contentOf(6)) }))
      await using again = await store.ingest('key')
      assert.equal(again.offset, 0)
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'commit rejects a digest of another algorithm, and the writer stays open',
    async run({ store }) {
      const writer = await store.ingest('key', { algorithm: 'sha512' })
      await writer.write(contentOf(5))
      await failsWith('ERR_INVALID_ARGUMENT', () => writer.commit({ digest: sha256Of(contentOf(5)) }))
      assert.ok((await writer.commit()).digest.startsWith('sha512:'))
    },
  },
  {
    name: 'commit succeeds if the blob already exists',
    async run({ store }) {
      const there = await store.put(contentOf(40))
      const writer = await store.ingest('key')
      await writer.write(contentOf(40))
      assert.deepEqual(await writer.commit(there), there)
      assert.equal((await blobsIn(store)).length, 1)
    },
  },
  {
    name: 'an ingest without a write commits the empty blob',
    async run({ store }) {
      const writer = await store.ingest('key')
      assert.deepEqual(await writer.commit({ size: 0 }), { digest: sha256Of(new Uint8Array()), size: 0 })
    },
  },
  {
    name: 'abort drops the bytes before and after the first write, and may be called again',
    async run({ store }) {
      await (await store.ingest('key')).abort()
      const writer = await store.ingest('key')
      await writer.write(contentOf(5))
      await writer.abort()
      await writer.abort()
      await failsWith('ERR_WRITER_CLOSED', () => writer.write(contentOf(5)))
      await using again = await store.ingest('key')
      assert.equal(again.offset, 0)
      assert.deepEqual(await blobsIn(store), [])
    },
  },
  {
    name: 'abort during a write drops the bytes',
    async run({ store }) {
      const writer = await store.ingest('key')
      const writing = writer.write(contentOf(2_000_000))
      await writer.abort()
      await writing
      await using again = await store.ingest('key')
      assert.equal(again.offset, 0)
    },
  },
  {
    name: 'the next ingest of the same key resumes an unfinished one',
    async run({ store }) {
      const bytes = contentOf(700_000)
      const first = await store.ingest('key')
      await first.write(bytes.subarray(0, 400_000))
      await first[Symbol.asyncDispose]()
      await failsWith('ERR_WRITER_CLOSED', () => first.write(bytes))
      const second = await store.ingest('key')
      assert.equal(second.offset, 400_000)
      await second.write(bytes.subarray(400_000))
      const { digest } = await second.commit({ size: 700_000 })
      assert.equal(digest, sha256Of(bytes))
      assert.ok((await drain(store.read(digest))).equals(bytes))
    },
  },
  {
    name: 'an ingest resumes any number of times',
    async run({ store }) {
      const bytes = contentOf(1000)
      for (let i = 0; i < 1000; i += 100) {
        await using writer = await store.ingest('key')
        assert.equal(writer.offset, i)
        await writer.write(bytes.subarray(i, i + 100))
      }
      const writer = await store.ingest('key')
      assert.equal((await writer.commit()).digest, sha256Of(bytes))
    },
  },
  {
    name: 'an ingest resumes with another hasher',
    async run({ store }) {
      const bytes = contentOf(1000)
      for (const [key, first, second] of [
        ['a', 'native', 'wasm'],
        ['b', 'wasm', 'native'],
      ] as const) {
        {
          await using writer = await store.ingest(key, { hasher: first })
          await writer.write(bytes.subarray(0, 600))
        }
        const writer = await store.ingest(key, { hasher: second })
        assert.equal(writer.offset, 600)
        await writer.write(bytes.subarray(600))
        assert.equal((await writer.commit()).digest, sha256Of(bytes))
      }
    },
  },
  {
    name: 'an ingest that resumes with another algorithm hashes all bytes',
    async run({ store }) {
      const bytes = contentOf(1000)
      {
        await using writer = await store.ingest('key', { algorithm: 'sha256' })
        await writer.write(bytes.subarray(0, 600))
      }
      await using writer = await store.ingest('key', { algorithm: 'sha512' })
      assert.ok(writer.offset === 0 || writer.offset === 600)
      await writer.write(bytes.subarray(writer.offset))
      const digest = await digestOf(bytes, { algorithm: 'sha512' })
      assert.deepEqual(await writer.commit({ digest, size: 1000 }), { digest, size: 1000 })
    },
  },
  {
    name: 'another store over the same data resumes an unfinished ingest',
    needs: 'reopen',
    async run({ store, reopen }) {
      const bytes = contentOf(1000)
      {
        await using writer = await store.ingest('key')
        await writer.write(bytes.subarray(0, 600))
      }
      const writer = await (await reopen()).ingest('key')
      assert.equal(writer.offset, 600)
      await writer.write(bytes.subarray(600))
      await writer.commit({ digest: sha256Of(bytes) })
      assert.ok((await drain(store.read(sha256Of(bytes)))).equals(bytes))
    },
  },
  {
    name: 'a key has one writer at a time',
    async run({ store }) {
      const writer = await store.ingest('key')
      await failsWith('ERR_INGEST_BUSY', () => store.ingest('key'))
      await using other = await store.ingest('another key')
      assert.equal(other.offset, 0)
      await writer.abort()
      await (await store.ingest('key')).abort()
    },
  },
  {
    name: 'a key has one writer at a time among all stores over the same data',
    needs: 'reopen',
    async run({ store, reopen }) {
      const writer = await store.ingest('key')
      const other = await reopen()
      await failsWith('ERR_INGEST_BUSY', () => other.ingest('key'))
      await writer.write(contentOf(10))
      const waiting = other.ingest('key', { wait: true })
      await writer[Symbol.asyncDispose]()
      const next = await waiting
      assert.equal(next.offset, 10)
      await next.abort()
    },
  },
  {
    name: 'callers that wait for a key get it one after the other, in order',
    async run({ store }) {
      const writer = await store.ingest('key')
      const order: number[] = []
      const waiting = [1, 2, 3].map(async i => {
        await using next = await store.ingest('key', { wait: true })
        order.push(i)
        await next.abort()
      })
      await writer.write(contentOf(10))
      assert.deepEqual(order, [])
      await writer.commit()
      await Promise.all(waiting)
      assert.deepEqual(order, [1, 2, 3])
    },
  },
  {
    name: 'a caller that stops waiting for a key leaves it to the next caller',
    async run({ store }) {
      const reason = new Error('enough')
      const controller = new AbortController()
      const writer = await store.ingest('key')
      const impatient = store.ingest('key', { wait: true, signal: controller.signal })
      const patient = store.ingest('key', { wait: true })
      setTimeout(() => controller.abort(reason), 10)
      await assert.rejects(impatient, error => error === reason)
      await writer.abort()
      await (await patient).abort()
    },
  },
  {
    name: 'an aborted commit makes nothing visible, and the next ingest resumes',
    async run({ store }) {
      const reason = new Error('enough')
      const writer = await store.ingest('key')
      await writer.write(contentOf(10))
      const aborted = writer.commit({ signal: AbortSignal.abort(reason) })
      await assert.rejects(aborted, error => error === reason)
      await writer[Symbol.asyncDispose]()
      assert.deepEqual(await blobsIn(store), [])
      await using again = await store.ingest('key')
      assert.equal(again.offset, 10)
    },
  },
  {
    name: 'ingest accepts any key of 1 to 512 characters, and rejects any other',
    async run({ store }) {
      for (const key of ['../../etc/passwd', 'a\u0000b', 'ä/ö', ' ', 'x'.repeat(512)]) {
        const writer = await store.ingest(key)
        await writer.write(contentOf(5, key))
        await writer.commit()
      }
      assert.equal((await blobsIn(store)).length, 5)
      for (const key of ['', 'x'.repeat(513), undefined as unknown as string]) {
        await failsWith('ERR_INVALID_ARGUMENT', () => store.ingest(key))
      }
    },
  },
  {
    name: 'write rejects a chunk that is not bytes, and the writer stays usable',
    async run({ store }) {
      const writer = await store.ingest('key')
      await failsWith('ERR_INVALID_ARGUMENT', () => writer.write('text' as unknown as Uint8Array))
      await writer.write(contentOf(5))
      assert.equal((await writer.commit()).digest, sha256Of(contentOf(5)))
    },
  },
  {
    name: 'close keeps the bytes of open writers for a later ingest',
    needs: 'reopen',
    async run({ store, reopen }) {
      const other = await reopen()
      const writer = await other.ingest('key')
      await writer.write(contentOf(10))
      await other.close()
      await failsWith('ERR_WRITER_CLOSED', () => writer.write(contentOf(1)))
      await using again = await store.ingest('key')
      assert.equal(again.offset, 10)
    },
  },
]
