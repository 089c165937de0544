import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Digest } from '../../../lib/digest/index.ts'
import { batchesOf, inBatches } from '../../../lib/internal/memory/batched-iterable.ts'
import { withList } from '../../../lib/internal/memory/lazy-list.ts'
import {
  type KnownEntry,
  type WriteLayerOptions,
  type WriteLayerProgress,
  type WrittenLayer,
  writeLayer,
} from '../../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { blobsOf } from '../../helpers/blobs-of.ts'
import { mixedBytes } from '../../helpers/mixed-bytes.ts'

/** Files that fill several blocks of 1 MiB; `changes` replaces the content of some. */
function files(changes: Record<number, Buffer> = {}): { entries: KnownEntry[]; read: Set<string> } {
  const read = new Set<string>()
  const base = mixedBytes(SIZES.at(-1)!)
  const entries = SIZES.slice(0, -1).map((size, i): KnownEntry => {
    const bytes = changes[i] ?? Buffer.from(base.subarray(i, i + size))
    const path = `d/f${String(i).padStart(3, '0')}`
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
    const content = () => {
      read.add(path)
      return bytes
    }
    return { path, type: 'file', size: bytes.byteLength, digest, content }
  })
  return { entries: [{ path: 'd', type: 'directory' }, ...entries], read }
}
const SIZES = [...Array.from({ length: 40 }, (_, i) => 20_000 + ((i * 7919) % 150_000)), 200_000]

const unknown = (entries: readonly KnownEntry[]) => entries.map(({ digest: _, ...entry }) => entry)
const bytesOf = async (store: Store, key: string) => Buffer.from((await store.derived.get('indexes', key))!)

/** Writes the layer as any caller does, and with an earlier layer; both must be one layer. */
async function expectEqual(
  store: Store,
  earlier: WrittenLayer,
  entries: readonly KnownEntry[],
  options: WriteLayerOptions = {},
): Promise<WrittenLayer> {
  await using plain = createMemoryStore()
  const wanted = await writeLayer(plain, unknown(entries), options)
  const made = await writeLayer(store, entries, { ...options, reuse: [earlier.descriptor.digest] })
  expect(made).toEqual(wanted)
  expect(await bytesOf(store, made.diffId)).toEqual(await bytesOf(plain, wanted.diffId))
  return made
}

const CHANGES: Record<string, (entries: KnownEntry[]) => KnownEntry[]> = {
  'nothing has changed': entries => entries,
  'a file at the start has other bytes': () => files({ 0: mixedBytes(20_000).fill(7) }).entries,
  'a file in the middle has other bytes of the same size': () => files({ 30: mixedBytes(SIZES[30]!).fill(7) }).entries,
  'a file in the middle is some bytes longer': () => files({ 30: mixedBytes(SIZES[30]! + 3) }).entries,
  'a file in the middle is much longer': () => files({ 30: mixedBytes(SIZES[30]! + 700_000) }).entries,
  'the last file has other bytes': () => files({ 39: mixedBytes(SIZES[39]!).fill(7) }).entries,
  'a file is gone': entries => entries.filter((_, i) => i !== 20),
  'a file is new at the end': entries => [
    ...entries,
    { path: 'd/z', type: 'file', content: 'z', size: 1 } as KnownEntry,
  ],
  'a mode has changed': entries => entries.map((entry, i) => (i === 30 ? { ...entry, mode: 0o755 } : entry)),
  'a name has changed': entries => entries.map((entry, i) => (i === 30 ? { ...entry, path: 'd/g030' } : entry)),
  'only the first files are left': entries => entries.slice(0, 12),
}

describe.each(['wasm', 'native'] as const)('a layer that takes blocks from an earlier one (%s)', hasher => {
  test.each(Object.keys(CHANGES))('is the layer that is made without it: %s', async name => {
    await using store = createMemoryStore()
    const earlier = await writeLayer(store, files().entries, { hasher, reuse: [] })
    const changed = CHANGES[name]!(files().entries)
    const made = await expectEqual(store, earlier, changed, { hasher })
    // The table of the new layer serves as well.
    await expectEqual(store, made, files().entries, { hasher })
  })
})

describe('the files of an earlier layer', () => {
  test('are not read if nothing has changed', async () => {
    await using store = createMemoryStore()
    const earlier = await writeLayer(store, files().entries, { reuse: [] })
    const { entries, read } = files()
    await expectEqual(store, earlier, entries)
    read.clear()
    await writeLayer(store, entries, { reuse: [earlier.descriptor.digest] })
    expect([...read]).toEqual([])
  })

  test('are read around a changed file only', async () => {
    await using store = createMemoryStore()
    const earlier = await writeLayer(store, files().entries, { reuse: [] })
    const { entries, read } = files({ 30: mixedBytes(SIZES[30]!).fill(7) })
    const { descriptor } = await writeLayer(store, entries, { reuse: [earlier.descriptor.digest] })
    expect(descriptor.digest).not.toBe(earlier.descriptor.digest)
    expect(read.has('d/f030')).toBe(true)
    expect(read.size).toBeLessThan(25)
  })

  test('are read where the compression is another one', async () => {
    await using store = createMemoryStore()
    const earlier = await writeLayer(store, files().entries, { reuse: [], level: 1 })
    const { entries, read } = files()
    await writeLayer(store, entries, { reuse: [earlier.descriptor.digest], level: 6 })
    expect(read.size).toBe(40)
    await expectEqual(store, earlier, entries, { level: 1 })
  })
})

describe('an earlier layer that cannot be used gives the same result', () => {
  const damages: Record<string, (store: Store, earlier: WrittenLayer) => Promise<Pick<Store, 'read'>>> = {
    'its bytes are damaged': async store => ({
      async *read(...args: Parameters<Store['read']>) {
        for await (const chunk of store.read(...args)) {
          const damaged = Buffer.from(chunk)
          damaged[damaged.byteLength >> 1]! ^= 1
          yield damaged
        }
      },
    }),
    'it ends early': async store => ({
      async *read(digest, options) {
        yield* store.read(digest, { ...options, length: options!.length! - 1 })
      },
    }),
    'it is gone': async (store, { descriptor }) => {
      await store.delete(descriptor.digest)
      return store
    },
    'its states are damaged': async (store, { descriptor }) => {
      const key = `blocks:${descriptor.digest}`
      const table = JSON.parse(Buffer.from((await store.derived.get('facts', key))!).toString())
      for (const row of table.rows) row[4].state = `A${row[4].state.slice(1)}`
      await store.derived.set('facts', key, Buffer.from(JSON.stringify(table)))
      return store
    },
    'its table is not one': async (store, { descriptor }) => {
      await store.derived.set('facts', `blocks:${descriptor.digest}`, Buffer.from('{"version":1,"rows":[["x"]]}'))
      return store
    },
  }

  test.each(Object.keys(damages))('%s', async name => {
    await using store = createMemoryStore()
    const earlier = await writeLayer(store, files().entries, { reuse: [] })
    const { read } = await damages[name]!(store, earlier)
    const { entries } = files({ 30: mixedBytes(SIZES[30]!).fill(7) })
    const { put, derived, leases } = store
    const using = { put: put.bind(store), derived, leases, read: read.bind(store) }
    const made = await writeLayer(using, entries, { reuse: [earlier.descriptor.digest] })
    await using plain = createMemoryStore()
    expect(made).toEqual(await writeLayer(plain, unknown(entries)))
  })
})

test('entries of every kind have the index that reading the layer gives', async () => {
  const bytes = mixedBytes(1_500_000)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
  const long = `${'directory/'.repeat(30)}name`
  const entries: KnownEntry[] = [
    { path: '.', type: 'directory', mode: 0o700, mtime: 5.9 },
    { path: 'd', type: 'directory', uid: 2_500_000, gid: 7 },
    { path: 'd/ünï', type: 'symlink', linkname: '../ünï' },
    { path: 'd/\udcff', type: 'file', content: Buffer.alloc(0), mode: 0o4755 },
    { path: long, type: 'file', size: bytes.byteLength, digest, content: () => bytes, mtime: -3 },
    { path: 'hard', type: 'hardlink', linkname: `/${long}` },
    { path: 'empty', type: 'file', size: 0 },
  ]
  await using store = createMemoryStore()
  const earlier = await writeLayer(store, entries, { reuse: [] })
  const made = await expectEqual(store, earlier, entries)
  expect(await store.derived.get('facts', `blocks:${made.descriptor.digest}`)).toBeDefined()
})

test('a content that is not the one of its digest and size fails, and stores nothing', async () => {
  await using store = createMemoryStore()
  const { entries } = files()
  const wrong = entries.map(entry => (entry.path === 'd/f030' ? { ...entry, content: () => Buffer.alloc(3) } : entry))
  await expect(writeLayer(store, wrong, { reuse: [] })).rejects.toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
  expect(await blobsOf(store)).toEqual([])
})

test('an entry whose digest is not known is read, and so is everything else', async () => {
  await using store = createMemoryStore()
  const { entries, read } = files()
  const { digest: _, ...plain } = entries[30]!
  const mixed = entries.map((entry, i) => (i === 30 ? plain : entry))
  const made = await writeLayer(store, mixed, { reuse: [] })
  expect(read.size).toBe(40)
  await using other = createMemoryStore()
  expect(made).toEqual(await writeLayer(other, unknown(entries)))
})

describe('entries that are made when they are asked for', () => {
  const listed = (entries: readonly KnownEntry[]) => {
    const list = { length: entries.length, at: (index: number) => ({ ...entries[index]! }) }
    const streamed = { value: false }
    const batches = (async function* () {
      streamed.value = true
      yield* batchesOf(entries)
    })()
    return { stream: withList(inBatches(batches), async () => list), streamed }
  }

  test('give the same layer, also if one of them must be read', async () => {
    await using plain = createMemoryStore()
    const { entries } = files()
    for (const last of [[], [{ path: 'd/z', type: 'fifo' } as const]]) {
      const all = [...entries, ...last]
      await using store = createMemoryStore()
      const progress: WriteLayerProgress[] = []
      const { stream, streamed } = listed(all)
      const made = await writeLayer(store, stream, { reuse: [], onProgress: now => progress.push(now) })
      expect(streamed.value).toBe(last.length > 0)
      expect(progress.at(-1)).toEqual({ entries: all.length, bytes: made.uncompressedSize })
      expect(made).toEqual(await writeLayer(plain, unknown(all)))
      expect(await bytesOf(store, made.diffId)).toEqual(await bytesOf(plain, made.diffId))
      expect(await writeLayer(store, listed(all).stream, { reuse: [made.descriptor.digest] })).toEqual(made)
    }
  })

  test('are refused if two have one path', async () => {
    await using store = createMemoryStore()
    const entries = [...files().entries, { path: 'd/./f007', type: 'file', size: 0 } as const]
    await expect(writeLayer(store, listed(entries).stream, { reuse: [] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('"d/f007" stands twice'),
    })
    expect(await blobsOf(store)).toEqual([])
  })
})

test('an aborted write stores nothing and gives the reason', async () => {
  await using store = createMemoryStore()
  const stop = new AbortController()
  const reason = new Error('stop')
  const { entries } = files()
  const onProgress = () => stop.abort(reason)
  await expect(writeLayer(store, entries, { reuse: [], signal: stop.signal, onProgress })).rejects.toBe(reason)
  expect(await blobsOf(store)).toEqual([])
})
