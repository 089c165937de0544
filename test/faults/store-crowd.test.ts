import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'

let program: Awaited<ReturnType<typeof bundleChild>>
beforeAll(async () => {
  program = await bundleChild('crowd-child.mjs')
})
afterAll(() => program[Symbol.dispose]())

describe.skipIf(!needsProgram('prlimit'))('ST-05: a process that may have 64 open files', () => {
  const limited = (act: string, directory: string) =>
    JSON.parse(
      execFileSync('prlimit', ['--nofile=64:64', process.execPath, program.path, act, directory], { encoding: 'utf8' }),
    )

  test('puts 500 blobs, reads them and sets 100 names at once, and has none open afterwards', {
    timeout: 240_000,
  }, () => {
    using directory = memoryDirectory('crowd')
    const { put, read, names, most, left } = limited('crowd', directory.path)
    expect([put, read, names]).toEqual([500, 500, 100])
    expect(left).toEqual([])
    console.log(`ST-05: 500 puts and reads at once had ${most} files of the store open at most`)
    expect(most).toBeLessThan(64)
  })

  test('waits for a file to be closed, and says EMFILE when none is', () => {
    using directory = memoryDirectory('crowd')
    expect(limited('starve', directory.path)).toEqual({
      waited: 'found',
      starved: ['ERR_STORE_IO', 'EMFILE'],
      left: [],
    })
  })
})

test('ST-21: a hundred readers that are read in turns all get on', async () => {
  using directory = memoryDirectory('crowd')
  await using store = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  const blobs = await Promise.all(
    Array.from({ length: 100 }, (_, i) => store.put(Buffer.alloc(1_200_000, `turns ${i}`))),
  )
  const readers = blobs.map(({ digest }) => store.read(digest)[Symbol.asyncIterator]())
  for (let turn = 0; turn < 2; turn++) {
    const chunks = await Promise.all(readers.map(reader => reader.next()))
    for (const { value } of chunks) expect(value?.byteLength).toBeGreaterThanOrEqual(64 * 1024)
  }
  await Promise.all(readers.map(reader => reader.return?.()))
  expect((await readAll(store.read(blobs[0]!.digest))).byteLength).toBe(1_200_000)
})

test('ST-05: a call that waits for a permit stops when it is aborted', async () => {
  using directory = memoryDirectory('crowd')
  await using store = await openStore(directory.path, { durability: 'none' })
  let release!: () => void
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  async function* slow() {
    yield Buffer.from('first')
    await held
  }
  const puts = Array.from({ length: 20 }, () => store.put(slow()))
  const stop = new AbortController()
  const waiting = store.put(Buffer.from('late'), { signal: stop.signal })
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  release()
  expect(new Set((await Promise.all(puts)).map(({ digest }) => digest)).size).toBe(1)
})

test('readers whose callers pause keep no other reader waiting', async () => {
  using directory = memoryDirectory('crowd')
  await using store = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  const { digest } = await store.put(Buffer.alloc(1_200_000, 'slow'))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const slow = Array.from({ length: 60 }, () => store.read(digest)[Symbol.asyncIterator]())
    const taken: number[] = []
    // At most 20 blobs are read at a time. The next 20 begin once the first have paused, long before the limit doubles.
    for (let i = 0; i < slow.length; i += 20) {
      const first = await Promise.all(slow.slice(i, i + 20).map(reader => reader.next()))
      taken.push(...first.map(({ value }) => value!.byteLength))
      vi.advanceTimersByTime(101)
    }
    expect(await readAll(store.read(digest))).toHaveLength(1_200_000)
    const rests = await Promise.all(slow.map(reader => readAll({ [Symbol.asyncIterator]: () => reader })))
    expect(new Set(rests.map((rest, i) => taken[i]! + rest.byteLength))).toEqual(new Set([1_200_000]))
  } finally {
    vi.useRealTimers()
  }
})

test('large blobs that are read keep no small one waiting', async () => {
  using directory = memoryDirectory('crowd')
  await using store = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  const large = await store.put(Buffer.alloc(1_200_000, 'large'))
  const small = await store.put(Buffer.from('small'))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const readers = Array.from({ length: 30 }, () => store.read(large.digest)[Symbol.asyncIterator]())
    const firsts = readers.map(reader => reader.next())
    await Promise.all(firsts.slice(0, 20))
    // The clock does not advance, so no reader releases its permit.
    expect((await readAll(store.read(small.digest))).toString()).toBe('small')
    vi.advanceTimersByTime(101)
    await Promise.all(firsts)
    await Promise.all(readers.map(reader => reader.return?.()))
  } finally {
    vi.useRealTimers()
  }
})
