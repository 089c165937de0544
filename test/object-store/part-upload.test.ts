import { expect, test } from 'vitest'
import { PartUpload, type UploadStart } from '../../lib/object-store/ingest/part-upload.ts'
import type { ObjectContext } from '../../lib/object-store/object-context.ts'

/** Uploads bytes in parts of ten; resolves to the sizes of all parts. */
async function sizesOf(bytes: number, start?: UploadStart): Promise<number[]> {
  const sizes = (start?.resumed?.parts ?? []).map(({ size }) => size)
  const bucket = {
    startUpload: async () => 'upload',
    async putPart(_key: string, _id: string, number: number, part: Uint8Array) {
      sizes[number - 1] = part.byteLength
      return `"${number}"`
    },
    completeUpload: async () => ({ stored: true }),
  }
  const context = { bucket, settings: { partSize: 10, concurrency: 4 } } as unknown as ObjectContext
  const upload = new PartUpload(context, 'key', start)
  await upload.append(Buffer.alloc(bytes))
  await upload.complete()
  return sizes
}

test('all parts but the last have one size if the size of the blob is known, and there are at most 10,000', async () => {
  expect(await sizesOf(35, { size: 35 })).toEqual([10, 10, 10, 5])
  const many = await sizesOf(100_000, { size: 100_000 })
  expect(many).toHaveLength(10_000)
  const sizes = await sizesOf(250_015, { size: 250_015 })
  expect(sizes.length).toBeLessThanOrEqual(10_000)
  expect(new Set(sizes.slice(0, -1))).toEqual(new Set([26]))
  expect(sizes.reduce((sum, size) => sum + size)).toBe(250_015)
})

test('an upload that another writer has begun goes on with parts of the same size', async () => {
  const parts = [12, 12].map((size, i) => ({ number: i + 1, etag: `"${i}"`, size }))
  expect(await sizesOf(40, { size: 64, resumed: { uploadId: 'upload', parts } })).toEqual([12, 12, 12, 12, 12, 4])
})

test('the parts of a blob of unknown size grow, so that 5 TiB need at most 10,000', async () => {
  const sizes = await sizesOf(100_000)
  expect(sizes.slice(0, 2000)).toEqual(Array(2000).fill(10))
  expect(sizes.slice(2000)).toEqual(Array(2000).fill(40))
})

test('a blob that is announced with a size of terabytes, or is larger than announced, begins with small parts', async () => {
  expect(await sizesOf(30, { size: 5 * 1024 ** 4 })).toEqual([10, 10, 10])
  const sizes = await sizesOf(20_080, { size: 15 })
  expect([sizes.length, sizes[1999], sizes[2000]]).toEqual([2002, 10, 40])
})
