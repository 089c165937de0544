import { describe, expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { StoreError } from '../../lib/errors/index.ts'
import { checkStore, planCollection, repairStore, runCollection } from '../../lib/maintenance/index.ts'
import { driverOf } from '../../lib/store/drivers/store-driver.ts'
import {
  type BlobWriter,
  createMemoryStore,
  readOnlyStore,
  type Store,
  tieredStore,
  verifyingStore,
} from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const BYTES = Buffer.alloc(1_500_000, 'bytes ')

/** A store with some of its members replaced. */
function withMembers(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, key) => {
      const member: unknown = Object.hasOwn(members, key)
        ? members[key as keyof Store]
        : Reflect.get(target, key, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** A store whose writers have some members replaced. */
function lying(store: Store, members: (writer: BlobWriter) => Partial<BlobWriter>): Store {
  return withMembers(store, {
    ingest: async (key, options) => {
      const writer = await store.ingest(key, options)
      const replaced = members(writer)
      return new Proxy(writer, {
        get: (target, name) => {
          const from = Object.hasOwn(replaced, name) ? replaced : target
          const member: unknown = Reflect.get(from, name, from)
          return typeof member === 'function' ? member.bind(from) : member
        },
      })
    },
  })
}

describe('readOnlyStore', () => {
  test('refuses every write and allows every read', async () => {
    const store = createMemoryStore()
    const { manifest, layer } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    const view = readOnlyStore(store)
    const writes: Record<string, () => Promise<unknown>> = {
      put: () => view.put(BYTES),
      ingest: () => view.ingest('key'),
      delete: () => view.delete(layer.digest),
      set: () => view.references.set('app:2', manifest),
      untag: () => view.references.delete('app:1'),
      forget: () => view.derived.delete('facts', 'key'),
      collect: async () => runCollection(view, await planCollection(view)),
    }
    for (const [name, write] of Object.entries(writes)) {
      expect((await thrownBy(write)).code, name).toBe('ERR_STORE_READ_ONLY')
    }
    await view.derived.set('facts', 'key', BYTES)
    expect(await view.derived.get('facts', 'key')).toBeUndefined()
    const lease = await view.leases.hold({ digests: [layer.digest] })
    expect(await lease.add(layer.digest)).toBe(true)
    for await (const _ of view.leases.list()) expect.unreachable()
    await lease.renew()
    await lease[Symbol.asyncDispose]()
    expect(await planCollection(view)).toMatchObject({ keep: [{}, {}, {}] })
    expect((await checkStore(view)).sound).toBe(true)
    await view[Symbol.asyncDispose]()
    expect((await thrownBy(() => view.put(BYTES))).code).toBe('ERR_STORE_CLOSED')
    expect((await thrownBy(() => store.put(BYTES))).code).toBe('ERR_STORE_CLOSED')
  })

  test('refuses the writing members of the drivers as well', async () => {
    const refused = { code: 'ERR_STORE_READ_ONLY' }
    const { openStore } = await import('../../lib/disk-store/index.ts')
    const { temporaryDirectory } = await import('../helpers/temporary-directory.ts')
    using directory = temporaryDirectory('read-only')
    await using view = readOnlyStore(await openStore(directory.path))
    const { collection, checking } = driverOf(view)
    const calls = [
      () => collection!.alone(async () => {}),
      () => collection!.forgetNames([]),
      () => collection!.forgetRecords([]),
      () => collection!.forgetLeases([]),
      () => collection!.remove([], async () => () => false),
      () => checking!.quarantine(`sha256:${'0'.repeat(64)}` as Digest),
      () => checking!.mend('index.json', async () => []),
    ]
    for (const call of calls) expect(await thrownBy(call)).toMatchObject(refused)
    expect(collection!.readOnly && checking!.readOnly).toBe(true)
    expect(await collection!.unfinished()).toMatchObject({ count: 0 })
    expect(await collection!.document(`sha256:${'0'.repeat(64)}` as Digest)).toBeUndefined()
    expect((await checkStore(view)).sound).toBe(true)
    expect(await thrownBy(async () => repairStore(view, await checkStore(view), []))).toMatchObject(refused)
  })
})

describe('tieredStore', () => {
  const stores = async () => {
    const [fast, slow] = [createMemoryStore(), createMemoryStore()]
    const { digest } = await slow.put(BYTES)
    return { fast, slow, digest, both: tieredStore(fast, slow) }
  }

  test('a blob that is read as a whole is copied, and later reads use the fast store', async () => {
    const { fast, slow, digest, both } = await stores()
    expect((await readAll(both.read(digest))).equals(BYTES)).toBe(true)
    expect(await fast.stat(digest)).toEqual({ digest, size: BYTES.byteLength })
    await slow.delete(digest)
    expect((await readAll(both.read(digest))).equals(BYTES)).toBe(true)
    await both.close()
    expect((await thrownBy(() => fast.stat(digest))).code).toBe('ERR_STORE_CLOSED')
    expect((await thrownBy(() => slow.stat(digest))).code).toBe('ERR_STORE_CLOSED')
  })

  test('a partial read copies nothing, nor does a whole one with fill: false', async () => {
    const { fast, slow, digest, both } = await stores()
    expect(await readAll(both.read(digest, { offset: 5, length: 10 }))).toEqual(BYTES.subarray(5, 15))
    expect(await readAll(both.read(digest, { length: 10 }))).toEqual(BYTES.subarray(0, 10))
    expect((await readAll(tieredStore(fast, slow, { fill: false }).read(digest))).equals(BYTES)).toBe(true)
    expect(await fast.stat(digest)).toBeUndefined()
  })

  test('the next reader resumes an unfinished copy', async () => {
    const { fast, digest, both } = await stores()
    for await (const _ of both.read(digest)) break
    expect(await fast.stat(digest)).toBeUndefined()
    const writer = await fast.ingest(digest)
    expect(writer.offset).toBeGreaterThan(0)
    await writer[Symbol.asyncDispose]()
    expect((await readAll(both.read(digest))).equals(BYTES)).toBe(true)
    expect(await fast.stat(digest)).toBeDefined()
  })

  test('two readers at once copy once, and both get the bytes', async () => {
    const { fast, digest, both } = await stores()
    const [a, b] = await Promise.all([readAll(both.read(digest)), readAll(both.read(digest))])
    expect(a.equals(BYTES) && b.equals(BYTES)).toBe(true)
    expect(await fast.stat(digest)).toBeDefined()
  })

  test('a fast store that cannot take the copy does not disturb the reader', async () => {
    const { slow, digest } = await stores()
    const full = new StoreError('ERR_STORE_IO', 'could not write (ENOSPC)', { errno: 'ENOSPC' })
    const fails = () => Promise.reject(full)
    const broken: Store[] = [
      withMembers(createMemoryStore(), { ingest: fails }),
      lying(createMemoryStore(), () => ({ write: fails })),
      lying(createMemoryStore(), () => ({ write: fails, abort: fails })),
      lying(createMemoryStore(), () => ({ commit: fails })),
      lying(createMemoryStore(), writer => ({ commit: fails, abort: () => writer.abort() })),
    ]
    for (const fast of broken) {
      expect((await readAll(tieredStore(fast, slow).read(digest))).equals(BYTES)).toBe(true)
      expect(await fast.stat(digest)).toBeUndefined()
    }
    const stuck = lying(createMemoryStore(), () => ({ [Symbol.asyncDispose]: fails }))
    for await (const _ of tieredStore(stuck, slow).read(digest)) break
  })

  test('wrong bytes of the slow store do not reach the fast one', async () => {
    const { slow, digest } = await stores()
    const fast = createMemoryStore()
    const wrong = withMembers(slow, {
      async *read() {
        yield Buffer.alloc(BYTES.byteLength, 'wrong')
      },
    })
    await readAll(tieredStore(fast, wrong).read(digest))
    expect(await fast.stat(digest)).toBeUndefined()
  })

  test('if the fast store fails before the first byte the slow one is read; a later failure rejects the read', async () => {
    const { slow, digest } = await stores()
    const unread = (after: number, error: Error) =>
      withMembers(createMemoryStore(), {
        async *read() {
          if (after > 0) yield BYTES.subarray(0, after)
          throw error
        },
      })
    const eio = new StoreError('ERR_STORE_IO', 'could not read (EIO)', { errno: 'EIO' })
    expect((await readAll(tieredStore(unread(0, eio), slow).read(digest))).equals(BYTES)).toBe(true)
    expect(await thrownBy(() => readAll(tieredStore(unread(9, eio), slow).read(digest)))).toBe(eio)
    const closed = new StoreError('ERR_STORE_CLOSED', 'closed')
    expect(await thrownBy(() => readAll(tieredStore(unread(0, closed), slow).read(digest)))).toBe(closed)
  })

  test('blobs and names are written to the slow store, deleted from both, and collected there', async () => {
    const { fast, slow, both } = await stores()
    const { manifest, layer } = await putStoreImage(both)
    await both.references.set('app:1', manifest)
    expect(await slow.references.get('app:1')).toEqual(manifest)
    expect(await fast.stat(layer.digest)).toBeUndefined()
    await readAll(both.read(layer.digest))
    await both.delete(layer.digest)
    expect([await fast.stat(layer.digest), await slow.stat(layer.digest)]).toEqual([undefined, undefined])
    expect(driverOf(both).collection).toBe(driverOf(slow).collection)
    expect(driverOf(both).checking).toBe(driverOf(slow).checking)
    expect(both.derived).toBe(slow.derived)
    expect(both.leases).toBe(slow.leases)
  })

  test('memory does not grow with the blob while it is copied', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    const digest = await digestOf(
      (function* () {
        for (let i = 0; i < 200; i++) yield chunk
      })(),
    )
    let written = 0
    let read = 0
    let mostAhead = 0
    const slow = withMembers(createMemoryStore(), {
      async *read() {
        for (let i = 0; i < 200; i++) {
          read += chunk.byteLength
          mostAhead = Math.max(mostAhead, read - written)
          yield Buffer.from(chunk)
        }
      },
    })
    const fast = lying(createMemoryStore(), () => ({
      write: async bytes => {
        written += bytes.byteLength
      },
    }))
    for await (const _ of tieredStore(fast, slow).read(digest)) await new Promise(resolve => setImmediate(resolve))
    expect(written).toBe(200 * chunk.byteLength)
    // When garbage is collected differs between versions of Node; how far reading runs ahead of writing does not.
    expect(mostAhead).toBeLessThanOrEqual(4 * chunk.byteLength)
  })
})

describe('verifyingStore', () => {
  test('a read of wrong bytes rejects, at the end of the stream at the latest', async () => {
    const inner = createMemoryStore({ verify: 'never' })
    const { digest } = await inner.put(BYTES)
    for (const wrong of [Buffer.alloc(BYTES.byteLength, 'x'), BYTES.subarray(1), Buffer.concat([BYTES, BYTES])]) {
      const store = verifyingStore(
        withMembers(inner, {
          async *read() {
            yield wrong
          },
        }),
      )
      expect((await thrownBy(() => readAll(store.read(digest)))).code).toBe('ERR_BLOB_CORRUPT')
      expect((await thrownBy(() => readAll(store.read(digest, { verify: 'once-per-process' })))).code).toBe(
        'ERR_BLOB_CORRUPT',
      )
      expect((await readAll(store.read(digest, { verify: 'never' }))).equals(wrong)).toBe(true)
      expect((await readAll(store.read(digest, { offset: 1 }))).equals(wrong)).toBe(true)
    }
  })

  test('a put rejects if the store reports another digest or size', async () => {
    const other = { digest: await digestOf(Buffer.from('other')), size: 5 }
    const right = { digest: await digestOf(BYTES), size: BYTES.byteLength }
    const lies = [other, { ...right, size: 1 }]
    for (const lie of lies) {
      const code = lie === other ? 'ERR_DIGEST_MISMATCH' : 'ERR_SIZE_MISMATCH'
      const puts = verifyingStore(
        withMembers(createMemoryStore(), {
          put: async source => {
            for await (const _ of source as AsyncIterable<Uint8Array>) void _
            return lie
          },
        }),
      )
      expect((await thrownBy(() => puts.put(BYTES))).code).toBe(code)
      const commits = verifyingStore(lying(createMemoryStore(), () => ({ commit: async () => lie })))
      const writer = await commits.ingest('key')
      await writer.write(BYTES)
      expect((await thrownBy(() => writer.commit())).code).toBe(code)
    }
  })

  test('expectations are verified here, even if the store accepts any bytes', async () => {
    const promised = { digest: await digestOf(Buffer.from('other')), size: BYTES.byteLength }
    let committed = 0
    const gullible = verifyingStore(
      lying(createMemoryStore(), () => ({
        commit: async () => {
          committed++
          return promised
        },
      })),
    )
    for (const expected of [promised, { size: 3 }]) {
      const writer = await gullible.ingest('key')
      await writer.write(BYTES)
      expect((await thrownBy(() => writer.commit(expected))).code).toMatch(/^ERR_(DIGEST|SIZE)_MISMATCH$/)
    }
    expect(committed).toBe(0)
    const store = verifyingStore(
      withMembers(createMemoryStore(), {
        put: async source => {
          for await (const _ of source as AsyncIterable<Uint8Array>) void _
          return promised
        },
      }),
    )
    expect((await thrownBy(() => store.put([BYTES], promised))).code).toBe('ERR_DIGEST_MISMATCH')
  })

  test('a blob whose ingest was resumed is read back, and removed if it is wrong', async () => {
    const inner = createMemoryStore()
    const begin = async (store: Store) => {
      await using writer = await store.ingest('key')
      await writer.write(BYTES.subarray(0, 1_000_000))
    }
    const store = verifyingStore(inner)
    await begin(store)
    const writer = await store.ingest('key')
    await writer.write(BYTES.subarray(writer.offset))
    expect(await writer.commit({ size: BYTES.byteLength })).toEqual({
      digest: await digestOf(BYTES),
      size: BYTES.byteLength,
    })
    await inner.delete(await digestOf(BYTES))
    const forgetful = verifyingStore(
      withMembers(inner, {
        async *read() {
          yield Buffer.alloc(BYTES.byteLength)
        },
      }),
    )
    await begin(forgetful)
    const second = await forgetful.ingest('key')
    await second.write(BYTES.subarray(second.offset))
    expect((await thrownBy(() => second.commit())).code).toBe('ERR_BLOB_CORRUPT')
    expect(await inner.stat(await digestOf(BYTES))).toBeUndefined()
    const reason = new Error('enough')
    const stop = new AbortController()
    const slow = verifyingStore(
      withMembers(inner, {
        async *read() {
          stop.abort(reason)
          yield BYTES
          throw reason
        },
      }),
    )
    await begin(slow)
    const third = await slow.ingest('key')
    await third.write(BYTES.subarray(third.offset))
    expect(await thrownBy(() => third.commit({ signal: stop.signal }))).toBe(reason)
    expect(await inner.stat(await digestOf(BYTES))).toBeDefined()
  })

  test('a hasher without the algorithm leaves no writer open', async () => {
    const inner = createMemoryStore()
    const store = verifyingStore(inner, { hasher: 'native' })
    expect(await thrownBy(() => store.ingest('key', { algorithm: 'blake3' }))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
    await using writer = await inner.ingest('key')
    expect(writer.offset).toBe(0)
  })

  test('a put that fails tells its source to stop', async () => {
    const { source, state } = watchedSource([BYTES, BYTES], { silent: true })
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 20)
    await thrownBy(() => verifyingStore(createMemoryStore()).put(source, { signal: stop.signal }))
    expect(state.returned).toBe(true)
  })

  test('all other members are those of the store', async () => {
    const inner = createMemoryStore()
    const store = verifyingStore(inner)
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    expect(driverOf(store).collection).toBe(driverOf(inner).collection)
    expect(driverOf(store).checking).toBe(driverOf(inner).checking)
    expect(store.derived).toBe(inner.derived)
    expect(store.leases).toBe(inner.leases)
    expect((await thrownBy(() => readAll(store.read(`sha256:${'0'.repeat(64)}` as Digest)))).code).toBe(
      'ERR_BLOB_NOT_FOUND',
    )
    await store[Symbol.asyncDispose]()
    expect((await thrownBy(() => inner.stat(manifest.digest))).code).toBe('ERR_STORE_CLOSED')
  })
})
