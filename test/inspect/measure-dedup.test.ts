import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { compress } from '../../lib/compression/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { type DedupLevel, measureDedup } from '../../lib/inspect/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { readAll } from '../helpers/read-all.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})

type Content = Readonly<Record<string, string | Uint8Array>>

async function imageOf(...layers: readonly Content[]) {
  const written = []
  for (const [i, files] of layers.entries()) {
    const entries = Object.entries(files).map(([path, content]) => ({ path, type: 'file' as const, content }))
    written.push(await writeLayer(store, entries, { compression: i % 2 ? 'none' : 'gzip' }))
  }
  return { store, image: await composeImage(store, { layers: written }) }
}

const levelsOf = (levels: readonly DedupLevel[]) => Object.fromEntries(levels.map(level => [level.level, level]))

describe('measureDedup', () => {
  test('keeps each layer, each file and each chunk once, and says what each image adds', async () => {
    const [a, b] = [mixedBytes(30_000), mixedBytes(20_000).reverse()]
    const one = await imageOf({ a, b }, { small: 'small' })
    const two = await imageOf({ a, b }, { other: 'other', again: 'small' })
    const { images, levels } = await measureDedup([one, two])
    const { image, blob, file, chunk } = levelsOf(levels)
    expect(images).toMatchObject([
      { layers: 2, bytes: 50_005 },
      { layers: 2, bytes: 50_010 },
    ])
    expect(image).toMatchObject({ pieces: 2, bytes: images[0]!.tarBytes + images[1]!.tarBytes, indexBytes: 0 })
    expect(image!.compressedBytes).toBe(images[0]!.blobBytes + images[1]!.blobBytes)
    // The first layer is shared.
    const [shared, upper, changed] = [one.image.layers[0]!, one.image.layers[1]!, two.image.layers[1]!].map(
      ({ descriptor }) => descriptor.size,
    ) as [number, number, number]
    expect(blob).toMatchObject({ pieces: 3, references: 4, compressedBytes: shared + upper + changed })
    expect(blob!.added.map(({ compressedBytes }) => compressedBytes)).toEqual([shared + upper, changed])
    // Files: a, b, small, other.
    expect(file).toMatchObject({ pieces: 4, references: 5, bytes: 50_010 })
    expect(file!.added.map(({ bytes }) => bytes)).toEqual([50_005, 5])
    expect(chunk!.bytes).toBeLessThanOrEqual(50_010)
    expect(chunk!.added[1]).toMatchObject({ bytes: 5 })
    expect(file!.indexBytes).toBeGreaterThan(0)
    expect(chunk!.indexBytes).toBe(file!.indexBytes + 32 * chunk!.references + 44 * chunk!.pieces)
  })

  test('finds chunks that files share where files differ', async () => {
    const old = mixedBytes(300_000)
    const edited = Buffer.concat([old.subarray(0, 150_000), Buffer.from('edit'), old.subarray(150_000)])
    const { levels } = await measureDedup([await imageOf({ lib: old }), await imageOf({ lib: edited })])
    const { file, chunk } = levelsOf(levels)
    expect(file!.added[1]!.bytes).toBe(300_004)
    expect(chunk!.added[1]!.bytes).toBeLessThan(150_000)
  })

  test('compressed sizes are those of gzip, of small and of large files', async () => {
    const large = mixedBytes(1_500_000)
    const small = Buffer.from('text '.repeat(1000))
    const { levels } = await measureDedup([await imageOf({}, { large, small })])
    const stream = await readAll(compress([large], { type: 'gzip' }))
    expect(levelsOf(levels).file!.compressedBytes).toBe(stream.byteLength + gzipSync(small).byteLength)
  })

  test('measures no compressed sizes of files and chunks if they are not wanted', async () => {
    const { levels } = await measureDedup([await imageOf({ a: 'a'.repeat(100_000) })], { compressed: false })
    const { blob, file, chunk } = levelsOf(levels)
    expect(blob).toHaveProperty('compressedBytes')
    expect(file).not.toHaveProperty('compressedBytes')
    expect(chunk!.added[0]).not.toHaveProperty('compressedBytes')
    // Equal chunks of one file are one.
    expect(chunk).toMatchObject({ pieces: 2, references: 2, bytes: 100_000 })
  })

  test('opens no layer whose files are all known', async () => {
    const one = await imageOf({ a: 'a', b: 'b' })
    const two = await imageOf({ b: 'b', c: 'a' })
    await measureDedup([one, two])
    await store.delete(two.image.layers[0]!.descriptor.digest)
    expect(levelsOf((await measureDedup([one, two])).levels).file).toMatchObject({ pieces: 2, references: 4 })
  })

  test('gives median and 95th percentile of the pieces', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, 'x'.repeat(i + 1)]))
    expect(levelsOf((await measureDedup([await imageOf(files)])).levels).file).toMatchObject({
      medianBytes: 11,
      p95Bytes: 20,
    })
  })

  test('of an image without files has no pieces; no image, or an abort, is an error', async () => {
    expect(levelsOf((await measureDedup([await imageOf()])).levels).chunk).toMatchObject({ pieces: 0, medianBytes: 0 })
    await expect(measureDedup([])).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(measureDedup([await imageOf({ a: 'a' })], { signal })).rejects.toThrow('enough')
  })
})
