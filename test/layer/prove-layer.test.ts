import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import {
  proveLayer,
  readLayer,
  readLayerIndex,
  readLayerTar,
  type WrittenLayer,
  watchLayer,
  writeLayer,
} from '../../lib/layer/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { variedEntries } from '../helpers/varied-entries.ts'

const entries: TarInput[] = [...variedEntries(), { path: 'big', type: 'file', content: mixedBytes(1_300_000) }]
const other = await digestOf(Buffer.from('other'))

async function stored(compression: 'gzip' | 'none' = 'gzip') {
  const store = createMemoryStore()
  const layer = await writeLayer(store, entries, { compression, index: false })
  return { store, layer, read: vi.spyOn(store, 'read') }
}

describe.each(['gzip', 'none'] as const)('one decompression (%s)', compression => {
  test('returns the diffId and the index of a layer of which neither was known', async () => {
    const { store, layer, read } = await stored(compression)
    const { diffId, index } = await proveLayer(store, layer.descriptor)
    expect(read).toHaveBeenCalledTimes(1)
    expect(diffId).toBe(layer.diffId)
    expect(index).toEqual(await readLayerIndex(store, layer))
  })

  test('reads the entries and keeps the index for the next one', async () => {
    const { store, layer, read } = await stored(compression)
    await readEntries(readLayer(store, layer.descriptor, { diffId: layer.diffId, index: true }))
    const index = await readLayerIndex(store, layer)
    expect(read).toHaveBeenCalledTimes(1)
    expect(index.entries).toHaveLength(entries.length)
  })

  test('gives the tar of a layer, byte for byte', async () => {
    const { store, layer } = await stored(compression)
    const tar = await readAll(readLayerTar(store, layer.descriptor, { diffId: layer.diffId }))
    expect(await digestOf(tar)).toBe(layer.diffId)
    expect(tar.byteLength).toBe(layer.uncompressedSize)
  })

  test('looks into the bytes of a layer on their way, which come out as they went in', async () => {
    const { store, layer } = await stored(compression)
    const blob = await readAll(store.read(layer.descriptor.digest))
    for (const size of [blob.byteLength, 100_000]) {
      const { content, findings } = watchLayer(reused(blob, size), layer.descriptor, { diffId: layer.diffId })
      expect((await readAll(copied(content))).equals(blob)).toBe(true)
      expect(await findings).toEqual({ diffId: layer.diffId, index: await readLayerIndex(store, layer) })
    }
  })
})

test('an index is neither made nor kept unless it is asked for, nor without a proof', async () => {
  const { store, layer } = await stored()
  const { descriptor, diffId } = layer
  await readEntries(readLayer(store, descriptor, { diffId }))
  await readEntries(readLayer(store, descriptor, { index: true }))
  await thrownBy(() => readEntries(readLayer(store, descriptor, { diffId: other, index: true })))
  for await (const _ of readLayer(store, descriptor, { diffId, index: true })) break
  expect(await store.derived.get('indexes', diffId)).toBeUndefined()
  expect(await store.derived.get('indexes', other)).toBeUndefined()
})

describe('a layer that passes', () => {
  test('and has another diffId ends with that, on both sides', async () => {
    const { store, layer } = await stored()
    const { content, findings } = watchLayer(store.read(layer.descriptor.digest), layer.descriptor, { diffId: other })
    const mismatch = { code: 'ERR_DIFF_ID_MISMATCH', actual: layer.diffId }
    expect(await thrownBy(() => readAll(content))).toMatchObject(mismatch)
    expect(await thrownBy(() => findings)).toMatchObject(mismatch)
  })

  test('and cannot be read ends before its end', async () => {
    const { layer } = await stored()
    const broken = gzipSync(Buffer.alloc(700_000, 'no tar at all'), { level: 0 })
    let given = 0
    async function* source() {
      for (let at = 0; at < broken.byteLength; at += 1000, given++) yield broken.subarray(at, at + 1000)
    }
    const descriptor = { ...layer.descriptor, size: broken.byteLength }
    expect(await thrownBy(() => readAll(watchLayer(source(), descriptor).content))).toMatchObject({
      code: 'ERR_INVALID_TAR',
    })
    expect(given).toBeLessThan(broken.byteLength / 1000)
  })

  test('and is left early says so, and stops its source', async () => {
    const { store, layer } = await stored()
    let stopped = false
    async function* source() {
      try {
        yield* store.read(layer.descriptor.digest)
      } finally {
        stopped = true
      }
    }
    const { content, findings } = watchLayer(source(), layer.descriptor)
    for await (const _ of content) break
    expect(await thrownBy(() => findings)).toMatchObject({ message: 'the layer was not read to its end' })
    expect(stopped).toBe(true)
  })

  test('and whose source fails gives that failure', async () => {
    const { store, layer } = await stored()
    async function* source() {
      for await (const chunk of store.read(layer.descriptor.digest)) {
        yield chunk.subarray(0, 1000)
        throw new Error('line cut')
      }
    }
    const { content } = watchLayer(source(), layer.descriptor)
    expect(await thrownBy(() => readAll(content))).toMatchObject({ message: 'line cut' })
  })
})

describe('a blob that has rotted in the store', () => {
  const rot: [string, (file: string) => void][] = [
    ['in its middle', file => writeFileSync(file, flipped(readFileSync(file)))],
    ['at its end', file => appendFileSync(file, 'x')],
    ['all of it', file => writeFileSync(file, gzipSync(mixedBytes(9000)))],
  ]
  const acts: [string, (store: Parameters<typeof proveLayer>[0], layer: WrittenLayer) => Promise<unknown>][] = [
    ['readLayer', (store, { descriptor, diffId }) => readEntries(readLayer(store, descriptor, { diffId }))],
    ['readLayerTar', (store, { descriptor, diffId }) => readAll(readLayerTar(store, descriptor, { diffId }))],
    ['proveLayer', (store, { descriptor, diffId }) => proveLayer(store, descriptor, { diffId })],
  ]
  test.each(rot.flatMap(([where, damage]) => acts.map(([name, act]) => [where, name, damage, act] as const)))(
    '%s is called damaged by %s',
    async (_, __, damage, act) => {
      using place = temporaryDirectory('rot')
      await using store = await openStore(place.path)
      const layer = await writeLayer(store, entries, { index: false })
      const file = join(place.path, 'blobs/sha256', layer.descriptor.digest.slice('sha256:'.length))
      chmodSync(file, 0o600)
      damage(file)
      const code = 'ERR_BLOB_CORRUPT'
      expect(await thrownBy(() => act(store, layer))).toMatchObject({ code, digest: layer.descriptor.digest })
    },
  )

  test('but holds the same tar proves nothing wrong: what counts is what comes out', async () => {
    using place = temporaryDirectory('rot')
    await using store = await openStore(place.path)
    const layer = await writeLayer(store, entries, { index: false })
    const file = join(place.path, 'blobs/sha256', layer.descriptor.digest.slice('sha256:'.length))
    const bytes = readFileSync(file)
    // No reader uses the operating system in the gzip header.
    bytes[9] = bytes[9]! ^ 0xff
    chmodSync(file, 0o600)
    writeFileSync(file, bytes)
    expect((await proveLayer(store, layer.descriptor, { diffId: layer.diffId })).diffId).toBe(layer.diffId)
    expect(await digestOf(gunzipSync(bytes))).toBe(layer.diffId)
    // Without a diffId the blob is all there is to prove.
    expect(await thrownBy(() => proveLayer(store, layer.descriptor))).toMatchObject({ code: 'ERR_BLOB_CORRUPT' })
  })

  test('differs from a wrong diffId', async () => {
    const { store, layer } = await stored()
    const { descriptor } = layer
    expect(await thrownBy(() => proveLayer(store, descriptor, { diffId: other as Digest }))).toMatchObject({
      code: 'ERR_DIFF_ID_MISMATCH',
    })
  })
})

function flipped(bytes: Buffer): Buffer {
  bytes[bytes.byteLength >> 1] = bytes[bytes.byteLength >> 1]! ^ 1
  return bytes
}

/** Gives pieces in one buffer that is overwritten each time, as a source may. */
async function* reused(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.alloc(size)
  for (let at = 0; at < bytes.byteLength; at += size) {
    buffer.fill(0xff)
    yield buffer.subarray(0, bytes.copy(buffer, 0, at, at + size))
  }
}

async function* copied(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) yield Uint8Array.from(chunk)
}
