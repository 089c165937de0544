import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collectBytes } from '../../lib/internal/collect-bytes.ts'
import { batchesOf } from '../../lib/internal/memory/batched-iterable.ts'
import { fromDirectory, writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
const sizes = new Map<string, number>()
const READERS = ['thread', 'inline'] as const

beforeAll(() => {
  directory = temporaryDirectory('reused-batches')
  const around = (size: number) => [size - 1, size, size + 1]
  const large = [0, ...around(128 * 1024), ...around(256 * 1024), 300_000, ...around(512 * 1024), 600_000, 3_000_000]
  large.forEach((size, i) => {
    const [first, last] = [`${i}`.padStart(2, '0'), `${i}-last`]
    mkdirSync(join(directory.path, first))
    for (let n = 0; n < 60; n++) sizes.set(`${first}/${n}`, 1000 + 37 * n)
    sizes.set(`${first}/large`, size)
    sizes.set(last, size)
  })
  for (const [path, size] of sizes) writeFileSync(join(directory.path, path), contentOf(path, size))
})
afterAll(() => directory[Symbol.dispose]())

/** No two files have the same content, nor the same at any place. */
function contentOf(path: string, size: number): Buffer {
  const bytes = Buffer.from(mixedBytes(size))
  for (let at = 0; at < size; at += 100) bytes.write(path, at)
  return bytes
}

/** The entries, with content that the test has read itself. */
async function* plainEntries(): AsyncGenerator<TarInput> {
  for await (const entry of fromDirectory(directory.path, { reader: 'inline' })) {
    yield entry.type === 'file' ? { ...entry, content: readFileSync(join(directory.path, entry.path)) } : entry
  }
}

test.each(READERS)('a layer has the right bytes although memory is reused while it is written (%s)', async reader => {
  for (const compression of ['gzip', 'none'] as const) {
    const { diffId } = await writeLayer(createMemoryStore(), plainEntries(), { compression })
    const layer = await writeLayer(createMemoryStore(), fromDirectory(directory.path, { reader }), { compression })
    expect(layer.diffId).toBe(diffId)
  }
})

test.each(READERS)('content that is not released stays valid after all was read (%s)', async reader => {
  const contents: [string, Uint8Array][] = []
  for await (const { path, type, content } of fromDirectory(directory.path, { reader })) {
    const opened = type === 'file' && typeof content === 'function' ? await content() : undefined
    if (opened instanceof Uint8Array) contents.push([path, opened])
  }
  expect(contents.length).toBeGreaterThan(700)
  for (const [path, bytes] of contents) expect(contentOf(path, sizes.get(path)!).equals(bytes)).toBe(true)
})

test.each(READERS)('content of a batch that was released is read from the file again (%s)', async reader => {
  const entries: TarInput[] = []
  for await (const batch of batchesOf(fromDirectory(directory.path, { reader }))) {
    entries.push(...batch.value)
    batch.release()
  }
  for (const { path, content } of entries) {
    if (typeof content !== 'function' || !sizes.has(path)) continue
    const bytes = await collectBytes(await content(), 4_000_000, path)
    expect(contentOf(path, sizes.get(path)!).equals(bytes)).toBe(true)
  }
})

test('the bytes of released batches lie in the same memory', async () => {
  const memory = new Set<ArrayBufferLike>()
  let batches = 0
  for await (const batch of batchesOf(fromDirectory(directory.path, { reader: 'inline' }))) {
    batches++
    for (const { path, type, content } of batch.value) {
      if (type !== 'file' || sizes.get(path)! > 3000 || typeof content !== 'function') continue
      const opened = await content()
      if (opened instanceof Uint8Array && opened.byteLength > 0) memory.add(opened.buffer)
    }
    batch.release()
  }
  expect(batches).toBeGreaterThan(20)
  expect(memory.size).toBeLessThan(batches / 3)
})
