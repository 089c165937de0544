import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { openPortably } from '../../lib/compression/zstd/open-portably.ts'
import { zstdFrames } from '../../lib/compression/zstd/zstd-frames.ts'
import { createIgnoreRules } from '../../lib/layer/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { unpackArchives } from '../../lib/rootfs/unpack/unpack-archives.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { readTar } from '../../lib/tar/index.ts'
import fc from '../helpers/fast-check.ts'
import { expectBoundedTime, randomPieces } from '../helpers/processor-time.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { zstdFrame, zstdSkippable, zstdTextFrame } from '../helpers/zstd-frames.ts'

const runs = { numRuns: Number(process.env.LAYERSTORE_PROPERTY_RUNS ?? 12) }
const MIB = 2 ** 20
const seed = fc.integer({ min: 1, max: 2 ** 31 })
const most = fc.constantFrom(1, 17, 1000, 65_536)

/** Units, over and over again until there are so many bytes. */
function repeated(units: readonly Uint8Array[], bytes: number): Buffer {
  const row = Buffer.concat(units)
  return Buffer.concat(Array(Math.max(1, Math.ceil(bytes / row.byteLength))).fill(row))
}

async function sizeOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const { byteLength } of chunks) size += byteLength
  return size
}

describe('a compressed stream is opened in time for its bytes and its content, whole and in pieces', () => {
  /** Any window up to 128 MiB, little in it. */
  const window = fc.constantFrom(0, 0x38, 0x50, 0x80, 0x88)
  const block = fc.constantFrom(
    { raw: Buffer.alloc(0) },
    { raw: Buffer.from('abc') },
    { repeat: 0x61, size: 1 },
    { repeat: 0x61, size: 1000 },
    // Literals, then one match, which the decoder has to look up in the window.
    { raw: Uint8Array.of(0x08, 0x61, 0x01, 0x54, 1, 0, 0, 0x01), type: 2 },
    // The smallest table of codes.
    { raw: Uint8Array.of(0x82, 0x00, 0x01, 128, 0x10, 0b01100101, 1, 0), type: 2 },
  )
  const zstdUnit = fc.oneof(
    fc
      .tuple(fc.array(block, { minLength: 1, maxLength: 40 }), window)
      .map(([blocks, size]) => zstdFrame(blocks, { window: size })),
    fc.constantFrom(zstdSkippable(Buffer.alloc(0)), zstdSkippable(Buffer.from('skipped'), 9), zstdTextFrame),
  )
  const zstdStream = fc
    .tuple(fc.array(zstdUnit, { minLength: 1, maxLength: 6 }), fc.constant(zstdFrame([{ raw: Buffer.from('x') }])))
    .map(([units, last]) => Buffer.concat([repeated(units, 60_000), last]))
  const opens = {
    'on this Node': (source: Iterable<Uint8Array>) => decompress(source, { type: 'zstd' }),
    'without node:zlib': (source: Iterable<Uint8Array>) => openPortably(zstdFrames(source)),
  }

  test.each(Object.entries(opens))('zstd, %s', async (name, open) => {
    await fc.assert(
      fc.asyncProperty(zstdStream, seed, most, async (bytes, start, size) => {
        await expectBoundedTime(name, bytes.byteLength, () => sizeOf(open([bytes])))
        await expectBoundedTime(`${name}, in pieces`, bytes.byteLength, () =>
          sizeOf(open(randomPieces(bytes, start, size))),
        )
      }),
      runs,
    )
  })

  test.each(Object.entries(opens))('zstd with much in its window, then many small blocks, %s', async (name, open) => {
    const large = Array.from({ length: 300 }, () => ({ repeat: 0x2e, size: 128 * 1024 }))
    const small = Array.from({ length: 20_000 }, () => ({ repeat: 0x2d, size: 1 }))
    const bytes = zstdFrame([...large, ...small], { window: 0x88 })
    // The zeros of the large blocks go out as well; they must not be what allows the small ones their time.
    const read = async () => (await sizeOf(open([bytes]))) - 300 * 128 * 1024
    await expectBoundedTime(name, bytes.byteLength, read)
  })

  const gzipUnit = fc.constantFrom(
    gzipSync(''),
    gzipSync('a'),
    gzipSync('text '.repeat(50)),
    // A name in the header, empty blocks.
    Buffer.concat([
      Buffer.from('1f8b0808000000000003', 'hex'),
      Buffer.alloc(500, 'n'),
      Buffer.from([0]),
      gzipSync('a').subarray(10),
    ]),
    Buffer.concat([
      Buffer.from('1f8b0800000000000003', 'hex'),
      repeated([Buffer.from('000000ffff', 'hex')], 500),
      Buffer.from('0300', 'hex'),
      Buffer.alloc(8),
    ]),
  )

  test('gzip', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(gzipUnit, { minLength: 1, maxLength: 5 }), seed, most, async (units, start, size) => {
        const bytes = repeated(units, 60_000)
        const open = (source: Iterable<Uint8Array>) => sizeOf(decompress(source, { type: 'gzip' }))
        await expectBoundedTime('gzip', bytes.byteLength, () => open([bytes]))
        // A piece is a trip to another thread and back: of one byte, no more than a few thousand.
        const few = bytes.subarray(0, size * 4000)
        await expectBoundedTime('gzip, in pieces', few.byteLength, () => open(randomPieces(few, start, size)))
      }),
      runs,
    )
  })
})

const sparse = (size: number, data = '') => {
  const map = data === '' ? '0\n' : `1\n0\n${data.length}\n`
  const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': `s${size}` }
  return Buffer.concat([
    tarPax({ ...records, 'GNU.sparse.realsize': String(size) }),
    tarMember({ name: 'GNUSparseFile.0/s' }, map.padEnd(512, '\0') + data),
  ])
}
const deep = (levels: number) => 'd/'.repeat(levels)
/** Links that lead on to the next one, the long way round, and a directory or file at their end. */
const chain = (end: RawEntry): RawEntry[] => [
  ...Array.from({ length: 100 }, (_, i) => ({ path: `l${i}`, link: `${'d/../'.repeat(12)}l${i + 1}` })),
  { path: 'd/' },
  end,
]
const many = (count: number, entry: (i: number) => RawEntry) =>
  rawTar(Array.from({ length: count }, (_, i) => entry(i)))

/** Layers of an image, each an archive that asks for more than it is. */
const hostileLayers: Readonly<Record<string, readonly Buffer[]>> = {
  'a hole of 900 MiB': [Buffer.concat([sparse(900 * MIB), tarEnd])],
  'a hole of 900 MiB and a byte': [Buffer.concat([sparse(900 * MIB, 'x'), tarEnd])],
  'holes of a MiB': [Buffer.concat([repeated([sparse(MIB)], 200_000), tarEnd])],
  'a file of holes and regions by turns': [
    Buffer.concat([
      tarPax({
        'GNU.sparse.size': String(500 * 2 * 65_536),
        'GNU.sparse.numblocks': '500',
        'GNU.sparse.map': Array.from({ length: 500 }, (_, i) => `${i * 2 * 65_536},512`).join(','),
      }),
      tarMember({ name: 's' }, 'x'.repeat(500 * 512)),
      tarEnd,
    ]),
  ],
  'global headers': [Buffer.concat([repeated([tarPax({ a: 'b' }, 'g')], 200_000), tarMember({ name: 'x' }), tarEnd])],
  'a header of 100,000 records': [Buffer.concat([tarPax('6 a=b\n'.repeat(100_000)), tarMember({ name: 'x' }), tarEnd])],
  'a header of many attributes': [
    Buffer.concat([
      tarPax(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`SCHILY.xattr.user.${i}`, 'v']))),
      tarMember({ name: 'x' }),
      tarEnd,
    ]),
  ],
  'long GNU names': [
    Buffer.concat([
      ...Array.from({ length: 10 }, (_, i) => [
        tarMember({ name: '././@LongLink', flag: 'L' }, `${`${i}/`.repeat(200)}x`),
        tarMember({ name: 'x' }),
      ]).flat(),
      tarEnd,
    ]),
  ],
  'one path, over and over': [many(400, () => ({ path: 'a/b/c' }))],
  'a directory and a file by turns': [many(400, i => ({ path: i % 2 ? 'a/' : 'a' }))],
  'deep paths by turns': [many(16, i => ({ path: `${deep(900)}${i % 2}/${deep(100)}${i}` }))],
  'a link to a deep path and another by turns': [
    rawTar([
      { path: `${deep(900)}a/${deep(100)}x/` },
      { path: `${deep(900)}b/${deep(100)}x/` },
      { path: 'l', link: `${deep(900)}a/${deep(100)}x` },
      { path: 'm', link: `${deep(900)}b/${deep(100)}x` },
      ...Array.from({ length: 30 }, (_, i) => ({ path: `${i % 2 ? 'l' : 'm'}/${i}` })),
    ]),
  ],
  'entries through a chain of links': [
    rawTar([
      ...chain({ path: 'l100/' }),
      ...Array.from({ length: 100 }, (_, i) => ({ path: i % 2 ? `l0/${i}` : `d/${i}` })),
    ]),
  ],
  'hard links through a chain of links': [
    rawTar([
      ...chain({ path: 'l100/f' }),
      ...Array.from({ length: 100 }, (_, i) => ({ path: `h${i}`, type: '1', link: 'l0/f' })),
    ]),
  ],
  'whiteouts through a chain of links': [rawTar(chain({ path: 'l100/' })), many(100, i => ({ path: `l0/.wh.${i}` }))],
  'whiteouts of nothing': [many(400, i => ({ path: `.wh.${i}` }))],
  'opaque marks and files by turns': [
    many(200, i => ({ path: `a/b/${i}` })),
    many(400, i => ({ path: i % 2 ? 'a/.wh..wh..opq' : `a/${i}` })),
  ],
  'whiteouts after what they hide': [
    rawTar([{ path: 'd/' }, { path: 's', link: 'd' }]),
    rawTar([...Array.from({ length: 200 }, (_, i) => ({ path: `s/${i}` })), { path: '.wh.s' }]),
  ],
  'pseudo-links': [many(400, i => ({ path: `.wh..wh.plnk/${i % 200}`, content: 'x' }))],
}

describe('layers are read, viewed and unpacked in time for their bytes', () => {
  test.each(Object.entries(hostileLayers))('%s', async (name, layers) => {
    const bytes = layers.reduce((sum, { byteLength }) => sum + byteLength, 0)
    using place = temporaryDirectory('time')
    const scan = async (source: Iterable<Uint8Array>) => {
      let entries = 0
      for await (const _ of readTar(source)) entries++
      return entries
    }
    for (const layer of layers) {
      await expectBoundedTime(`${name}: read`, layer.byteLength, () => scan([layer]))
      await expectBoundedTime(`${name}: read in pieces`, layer.byteLength, () => scan(randomPieces(layer, 7, 900)))
    }
    await using store = createMemoryStore()
    const stored = await storeLayers(store, [...layers])
    await expectBoundedTime(`${name}: view`, bytes, async () => {
      await openUnionView(store, stored)
      return 0
    })
    const unpack = async (pieces: (layer: Buffer) => Iterable<Uint8Array>, target: string) => {
      const sources = layers.map((layer, i) => ({ name: `sha256:${i}`, open: () => pieces(layer) }))
      await unpackArchives(sources, join(place.path, target), { writer: 'inline' })
      return 0
    }
    await expectBoundedTime(`${name}: unpack`, bytes, () => unpack(layer => [layer], 'whole'))
    await expectBoundedTime(`${name}: unpack in pieces`, bytes, () =>
      unpack(layer => randomPieces(layer, 7, 9000), 'pieces'),
    )
  })

  test('archives of any such members', async () => {
    const unit = fc.constantFrom(
      sparse(4 * MIB),
      sparse(64 * MIB, 'x'.repeat(512)),
      tarPax({ comment: 'c'.repeat(300) }, 'g'),
      ...[
        { path: 'a/b' },
        { path: 'a' },
        { path: 'a/' },
        { path: 'l', link: 'a/b' },
        { path: 'l/x' },
        { path: '.wh.a' },
      ].map(entry => rawTar([entry]).subarray(0, -1024)),
      rawTar([{ path: `${deep(100)}x` }]).subarray(0, -1024),
      rawTar([{ path: 'a/.wh..wh..opq' }]).subarray(0, -1024),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(unit, { minLength: 1, maxLength: 6 }), seed, most, async (units, start, size) => {
        const bytes = Buffer.concat([repeated(units, 20_000), tarEnd])
        await using store = createMemoryStore()
        using place = temporaryDirectory('time')
        const stored = await storeLayers(store, [bytes])
        await expectBoundedTime('view', bytes.byteLength, async () => {
          await openUnionView(store, stored)
          return 0
        })
        const open = () => randomPieces(bytes, start, size)
        await expectBoundedTime('unpack', bytes.byteLength, async () => {
          await unpackArchives([{ name: 'sha256:x', open }], join(place.path, 'root'), { writer: 'inline' })
          return 0
        })
      }),
      { numRuns: runs.numRuns / 2 },
    )
  })
})

test('paths of any depth are compared with ignore patterns in time for their bytes', async () => {
  const patterns = ['*a'.repeat(50), '**/a'.repeat(50), `${'[^b]*'.repeat(30)}c`, '!**/x']
  const rules = createIgnoreRules(patterns)
  const paths = [deep(1000), 'a'.repeat(2000), 'a/'.repeat(1000), `${'a/b/'.repeat(500)}x`]
  const bytes = paths.join('').length * patterns.join('').length
  await expectBoundedTime('ignore rules', bytes / 10, async () => {
    for (const path of paths) expect(typeof rules.ignores(path.replace(/\/$/, ''))).toBe('boolean')
    return 0
  })
})
