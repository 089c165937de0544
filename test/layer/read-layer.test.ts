import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { diffIdOf, readLayer, writeLayer } from '../../lib/layer/index.ts'
import type { Descriptor } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { type TarInput, writeTar } from '../../lib/tar/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { zstdFrame } from '../helpers/zstd-frames.ts'

const OCI = 'application/vnd.oci.image.layer.v1.tar'
const DOCKER = 'application/vnd.docker.image.rootfs.diff.tar'
const entries: TarInput[] = [
  { path: 'd', type: 'directory' },
  { path: 'd/f', type: 'file', content: mixedBytes(2_000_000) },
]
const tar = await readAll(writeTar(entries))
const small = await readAll(writeTar([{ path: 'small', type: 'file', content: 'x' }]))
const other = await digestOf(Buffer.from('other'))

async function stored(bytes: Uint8Array, mediaType: string): Promise<{ store: Store; descriptor: Descriptor }> {
  const store = createMemoryStore()
  return { store, descriptor: { mediaType, ...(await store.put(bytes)) } }
}
const pathsIn = async (store: Store, descriptor: Descriptor, diffId?: Digest) =>
  (await readEntries(readLayer(store, descriptor, { diffId }))).map(({ path }) => path)

test.each([
  [`${OCI}+gzip`, gzipSync(small)],
  [OCI, small],
  [`${OCI}+zstd`, zstdFrame([{ raw: small }])],
  [`${DOCKER}.gzip`, gzipSync(small)],
  [DOCKER, small],
  [`${DOCKER}.zstd`, zstdFrame([{ raw: small }])],
])('a layer of type %s is read, with and without a diffId', async (mediaType, bytes) => {
  const { store, descriptor } = await stored(bytes, mediaType)
  expect(await pathsIn(store, descriptor)).toEqual(['small'])
  expect(await pathsIn(store, descriptor, await digestOf(small))).toEqual(['small'])
  expect(await diffIdOf(store, descriptor)).toBe(await digestOf(small))
})

test('entries come with their content, hashed by either engine and by any algorithm', async () => {
  const { store, descriptor } = await stored(gzipSync(tar), `${OCI}+gzip`)
  for (const options of [
    { diffId: await digestOf(tar) },
    { diffId: await digestOf(tar), hasher: 'native' as const },
    { diffId: await digestOf(tar, { algorithm: 'sha512' }) },
  ]) {
    const read = await readEntries(readLayer(store, descriptor, options))
    expect(Buffer.from(read[1]!.text, 'latin1').equals(mixedBytes(2_000_000))).toBe(true)
  }
})

describe('the diffId', () => {
  test('if it is wrong, all entries come and then the typed error', async () => {
    const { store, descriptor } = await stored(gzipSync(tar), `${OCI}+gzip`)
    const seen: string[] = []
    const read = async () => {
      for await (const { path } of readLayer(store, descriptor, { diffId: other })) seen.push(path)
    }
    expect(await thrownBy(read)).toMatchObject({
      code: 'ERR_DIFF_ID_MISMATCH',
      layer: descriptor.digest,
      expected: other,
      actual: await digestOf(tar),
    })
    expect(seen).toEqual(['d', 'd/f'])
  })

  test('covers the bytes after the end of the archive', async () => {
    const digest = await digestOf(small)
    const trailed = Buffer.concat([small, Buffer.from('trailing bytes')])
    const { store, descriptor } = await stored(gzipSync(trailed), `${OCI}+gzip`)
    expect(await pathsIn(store, descriptor, await digestOf(trailed))).toEqual(['small'])
    expect(await thrownBy(() => pathsIn(store, descriptor, digest))).toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH' })
  })

  test('leaving early proves nothing and throws nothing', async () => {
    const { store, descriptor } = await stored(gzipSync(tar), `${OCI}+gzip`)
    for await (const { path } of readLayer(store, descriptor, { diffId: other })) {
      expect(path).toBe('d')
      break
    }
  })
})

describe('media type and content', () => {
  test.each([
    ['gzip bytes under a tar type', gzipSync(small), OCI],
    ['tar bytes under a gzip type', small, `${OCI}+gzip`],
    ['zstd bytes under a gzip type', zstdFrame([{ raw: small }]), `${OCI}+gzip`],
  ])('%s: read if the diffId proves it, refused without one, or with a wrong one', async (_, bytes, mediaType) => {
    const { store, descriptor } = await stored(bytes, mediaType)
    expect(await pathsIn(store, descriptor, await digestOf(small))).toEqual(['small'])
    expect(await thrownBy(() => pathsIn(store, descriptor))).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
    expect(await thrownBy(() => diffIdOf(store, descriptor))).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
    expect(await thrownBy(() => pathsIn(store, descriptor, other))).toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH' })
  })

  test('a tar that begins like gzip is a tar if it is its own diffId', async () => {
    const plain = Buffer.from(small)
    plain.write('\x1f\x8b\x08', 0, 'latin1')
    plain.write('        ', 148, 'latin1')
    const sum = plain.subarray(0, 512).reduce((total, byte) => total + byte, 0)
    plain.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    const { store, descriptor } = await stored(plain, OCI)
    expect(await pathsIn(store, descriptor, descriptor.digest)).toEqual(['\u001f\udc8b\bll'])
  })

  test('one compression is opened, not two', async () => {
    const { store, descriptor } = await stored(gzipSync(gzipSync(small)), `${OCI}+gzip`)
    expect(await thrownBy(() => pathsIn(store, descriptor))).toMatchObject({ code: 'ERR_INVALID_TAR' })
  })

  test.each([
    ['425a6839314159265359', 'bzip2'],
    ['fd377a585a0000', 'xz'],
  ])('bytes %s are refused as %s even with a diffId', async (hex, name) => {
    const { store, descriptor } = await stored(Buffer.from(hex, 'hex'), `${OCI}+gzip`)
    const error = await thrownBy(() => pathsIn(store, descriptor, other))
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED_COMPRESSION' })
    expect(error.message).toContain(name)
  })

  test.each([
    'application/vnd.oci.image.config.v1+json',
    `${OCI}+encrypted`,
    `${OCI}+xz`,
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'text/plain',
  ])('a layer of type %s is refused', async mediaType => {
    const { store, descriptor } = await stored(gzipSync(small), mediaType)
    expect(await thrownBy(() => pathsIn(store, descriptor))).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
  })
})

test.each([`${OCI}+gzip+encrypted`, 'application/vnd.docker.image.rootfs.diff.tar.gzip+encrypted'])(
  'an encrypted layer is refused by name, diffId or not: %s',
  async mediaType => {
    const { store, descriptor } = await stored(gzipSync(small), mediaType)
    for (const diffId of [undefined, descriptor.digest]) {
      const error = await thrownBy(() => pathsIn(store, descriptor, diffId))
      expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE', message: expect.stringContaining('encrypted') })
      expect(error.message).toContain(descriptor.digest)
    }
  },
)

describe('faults', () => {
  test('a blob that does not exist', async () => {
    const { descriptor } = await stored(small, OCI)
    expect(await thrownBy(() => pathsIn(createMemoryStore(), descriptor))).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  })

  test.each([1, -1])('a descriptor whose size is wrong by %i', async difference => {
    const { store, descriptor } = await stored(gzipSync(small), `${OCI}+gzip`)
    const wrong = { ...descriptor, size: descriptor.size + difference }
    expect(await thrownBy(() => pathsIn(store, wrong))).toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
  })

  test('a truncated layer, although its tar has the diffId', async () => {
    const { store, descriptor } = await stored(gzipSync(small).subarray(0, -4), `${OCI}+gzip`)
    expect(await thrownBy(() => pathsIn(store, descriptor, other))).toMatchObject({ code: 'ERR_INVALID_COMPRESSION' })
  })

  test('a layer larger than allowed', async () => {
    const { store, descriptor } = await stored(gzipSync(tar), `${OCI}+gzip`)
    const read = () => readEntries(readLayer(store, descriptor, { maxBytes: 1_000_000 }))
    expect(await thrownBy(read)).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    expect(await thrownBy(() => diffIdOf(store, descriptor, { maxBytes: 1_000_000 }))).toMatchObject({
      code: 'ERR_LIMIT_EXCEEDED',
    })
  })

  test('an abort', async () => {
    const { store, descriptor } = await stored(gzipSync(tar), `${OCI}+gzip`)
    const controller = new AbortController()
    const read = async () => {
      for await (const _ of readLayer(store, descriptor, { signal: controller.signal })) controller.abort('enough')
    }
    expect(await thrownBy(read)).toBe('enough')
  })

  test('a layer that was written is read again entry by entry', async () => {
    const store = createMemoryStore()
    const { descriptor, diffId } = await writeLayer(store, entries)
    expect(await pathsIn(store, descriptor, diffId)).toEqual(['d', 'd/f'])
    expect(await diffIdOf(store, descriptor)).toBe(diffId)
    const copy = await writeLayer(store, readLayer(store, descriptor, { diffId }))
    expect(copy).toMatchObject({ descriptor, diffId })
  })
})
