import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { digestOf } from '../../lib/digest/index.ts'
import { readLayer } from '../../lib/layer/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { compressionCases } from '../helpers/compression-cases.ts'
import { cut } from '../helpers/cut.ts'
import { layerTypeCases } from '../helpers/layer-type-cases.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'

test.each(compressionCases)('$name', async ({ bytes, options, refused, gives }) => {
  const stream = bytes()
  for (const size of stream.byteLength < 20_000 ? [1, 4096] : [65536]) {
    let length = 0
    const open = async () => {
      for await (const chunk of decompress(cut(stream, size), options)) length += chunk.byteLength
    }
    const outcome = await open().then(
      () => 'read',
      error => error.code,
    )
    expect(outcome).toBe(refused ?? 'read')
    expect(length).toBeLessThan(200 * 1024 * 1024)
  }
  if (gives !== undefined) expect((await readAll(decompress(stream, options))).toString()).toBe(gives)
})

test.each(layerTypeCases)('$name', async ({ mediaType, blob, diffId, refused }) => {
  await using store = createMemoryStore()
  const { digest, size } = await store.put(blob())
  const proof = diffId && { diffId: await digestOf(diffId()) }
  const outcome = await readEntries(readLayer(store, { mediaType, digest, size }, proof)).then(
    entries => entries.map(({ path }) => path),
    error => error.code,
  )
  expect(outcome).toEqual(refused ?? ['x'])
})

test('a gzip stream of a gzip stream is opened once', async () => {
  const inner = gzipSync('text')
  expect((await readAll(decompress(gzipSync(inner)))).equals(inner)).toBe(true)
  expect(MediaType.OciLayerGzip).toMatch(/gzip$/)
})
