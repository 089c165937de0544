import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { needs } from '../helpers/needs.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const key = `sha256:${'ab'.repeat(32)}`
const bytes = Buffer.from([0, 1, 2, 0xff, 0xfe])
let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory('derived')
})
afterEach(() => place[Symbol.dispose]())

const openDisk = (options = {}) => openStore(join(place.path, 'store'), { durability: 'none', ...options })
const drivers: [string, () => Store | Promise<Store>][] = [
  ['memory', () => createMemoryStore()],
  ['disk', () => openDisk()],
]

describe.each(drivers)('derived data of a %s store', (_, open) => {
  test('is absent, then stored under its kind and key, then replaced, then deleted', async () => {
    await using store = await open()
    expect(await store.derived.get('indexes', key)).toBeUndefined()
    await store.derived.set('indexes', key, bytes)
    expect(Buffer.from((await store.derived.get('indexes', key))!)).toEqual(bytes)
    expect(await store.derived.get('facts', key)).toBeUndefined()
    await store.derived.set('indexes', key, new Uint8Array())
    expect((await store.derived.get('indexes', key))!.byteLength).toBe(0)
    await store.derived.delete('indexes', key)
    await store.derived.delete('indexes', key)
    expect(await store.derived.get('indexes', key)).toBeUndefined()
  })

  test('does not change when the caller changes the buffers that it passed or received', async () => {
    await using store = await open()
    const given = Buffer.from(bytes)
    await store.derived.set('facts', 'a', given)
    given.fill(7)
    const out = (await store.derived.get('facts', 'a'))!
    out.fill(8)
    expect(Buffer.from((await store.derived.get('facts', 'a'))!)).toEqual(bytes)
  })

  test('keeps bytes of every length apart', async () => {
    await using store = await open()
    for (let length = 0; length < 20; length++) {
      const some = Buffer.alloc(length, length)
      await store.derived.set('facts', `n${length}`, some)
      expect(Buffer.from((await store.derived.get('facts', `n${length}`))!)).toEqual(some)
    }
  })

  test.each(['', '..', '../x', 'a/b', 'A', '.x', 'a%b', 'x'.repeat(201), 'a\0'])('refuses the key %j', async wrong => {
    await using store = await open()
    for (const act of [
      () => store.derived.get('indexes', wrong),
      () => store.derived.set('indexes', wrong, bytes),
      () => store.derived.delete('indexes', wrong),
    ]) {
      expect(await thrownBy(act)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
  })

  test('refuses other kinds', async () => {
    await using store = await open()
    expect(await thrownBy(() => store.derived.get('..' as never, key))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('a cache record keeps the blobs that it lists until a policy drops it', async () => {
    await using store = await open()
    const { digest } = await store.put(Buffer.from('a layer'))
    await store.derived.set('cache', 'step:1', Buffer.from(JSON.stringify({ blobs: [digest] })))
    await store.derived.set('cache', 'step:2', Buffer.from('no record'))
    const settings = { graceMs: 0, force: true }
    expect((await planCollection(store, settings)).drop).toEqual([])
    const dropping = await planCollection(store, { ...settings, maxBytes: 0 })
    expect(dropping.dropRecords.length).toBe(1)
    await runCollection(store, dropping)
    expect(await store.derived.get('cache', 'step:1')).toBeUndefined()
    expect(await store.stat(digest)).toBeUndefined()
  })

  test('rejects in a closed store, and on abort', async () => {
    const store = await open()
    const signal = AbortSignal.abort(new Error('enough'))
    expect(await thrownBy(() => store.derived.get('indexes', key, { signal }))).toBe(signal.reason)
    expect(await thrownBy(() => store.derived.set('indexes', key, bytes, { signal }))).toBe(signal.reason)
    await store.close()
    expect(await thrownBy(() => store.derived.get('indexes', key))).toMatchObject({ code: 'ERR_STORE_CLOSED' })
  })
})

describe('on disk', () => {
  const file = () => join(place.path, 'store/.layerstore/indexes', key.replace(':', '%3a'))

  async function keep(): Promise<void> {
    await using store = await openDisk()
    await store.derived.set('indexes', key, bytes)
  }

  test('it is one file, without temporary files, and survives the process', async () => {
    await keep()
    expect(readdirSync(join(file(), '..'))).toEqual([`sha256%3a${'ab'.repeat(32)}`])
    await using store = await openDisk({ readOnly: true })
    expect(Buffer.from((await store.derived.get('indexes', key))!)).toEqual(bytes)
  })

  test('a cache record is a plain JSON file that ends in .json, and a torn one counts as absent', async () => {
    await using store = await openDisk()
    const record = Buffer.from('{"blobs":[]}')
    await store.derived.set('cache', key, record)
    expect(await store.derived.list('cache')).toEqual([key])
    const path = `${file().replace('indexes', 'cache')}.json`
    expect(readFileSync(path)).toEqual(record)
    writeFileSync(path, '{"blobs":[')
    expect(await store.derived.get('cache', key)).toBeUndefined()
    writeFileSync(join(path, '..', 'other'), 'of another program')
    expect(await store.derived.list('cache')).toEqual([key])
    await store.derived.delete('cache', key)
    expect(await store.derived.list('cache')).toEqual([])
  })

  test('damage of any single bit is detected, and counts as absence', async () => {
    await keep()
    const sound = readFileSync(file())
    await using store = await openDisk()
    for (let i = 0; i < sound.byteLength * 8; i++) {
      const sealed = Buffer.from(sound)
      sealed[i >> 3]! ^= 1 << (i & 7)
      writeFileSync(file(), sealed)
      expect(await store.derived.get('indexes', key)).toBeUndefined()
    }
    writeFileSync(file(), sound.subarray(0, -1))
    expect(await store.derived.get('indexes', key)).toBeUndefined()
    writeFileSync(file(), '')
    expect(await store.derived.get('indexes', key)).toBeUndefined()
  })

  test('a link in its place is not followed, a directory is moved aside', async () => {
    await keep()
    writeFileSync(join(place.path, 'elsewhere'), readFileSync(file()))
    rmSync(file())
    symlinkSync(join(place.path, 'elsewhere'), file())
    await using store = await openDisk()
    expect(await store.derived.get('indexes', key)).toBeUndefined()
    rmSync(file())
    mkdirSync(file())
    expect(await store.derived.get('indexes', key)).toBeUndefined()
    await store.derived.set('indexes', key, bytes)
    expect(Buffer.from((await store.derived.get('indexes', key))!)).toEqual(bytes)
  })

  test.each(['indexes', 'facts'] as const)(
    'a directory in the place of one of the %s is moved aside when it is forgotten',
    async kind => {
      await using store = await openDisk()
      await store.derived.set(kind, key, bytes)
      const path = file().replace('indexes', kind)
      rmSync(path)
      mkdirSync(join(path, 'inside'), { recursive: true })
      await store.derived.delete(kind, key)
      const [aside, ...more] = readdirSync(join(path, '..'))
      expect(aside).toMatch(/\.tmp$/)
      expect(more).toEqual([])
      expect(await store.derived.list(kind)).toEqual([])
    },
  )

  test('a fact above the size limit is not kept', async () => {
    await using store = await openDisk()
    await store.derived.set('facts', 'large', Buffer.alloc(16 * 1024 * 1024))
    expect(await store.derived.list('facts')).toEqual([])
  })

  test('all of it may be deleted while the store is open', async () => {
    await keep()
    await using store = await openDisk()
    rmSync(join(place.path, 'store/.layerstore/indexes'), { recursive: true })
    expect(await store.derived.get('indexes', key)).toBeUndefined()
    await store.derived.set('indexes', key, bytes)
    expect(Buffer.from((await store.derived.get('indexes', key))!)).toEqual(bytes)
  })

  test('a read-only store ignores a set and does not fail', async () => {
    await (await openDisk()).close()
    await using store = await openDisk({ readOnly: true })
    await store.derived.set('indexes', key, bytes)
    expect(await store.derived.get('indexes', key)).toBeUndefined()
    expect(await thrownBy(() => store.derived.delete('indexes', key))).toMatchObject({ code: 'ERR_STORE_READ_ONLY' })
  })

  test.runIf(needs(process.geteuid?.() !== 0, 'needs a user other than root'))(
    'a directory that may not be written keeps nothing either',
    async () => {
      await keep()
      chmodSync(join(file(), '..'), 0o500)
      await using store = await openDisk()
      const other = `${key.slice(0, -1)}c`
      await store.derived.set('indexes', other, bytes)
      chmodSync(join(file(), '..'), 0o700)
      expect(await store.derived.get('indexes', other)).toBeUndefined()
      expect(await store.derived.list('indexes')).toHaveLength(1)
    },
  )
})
