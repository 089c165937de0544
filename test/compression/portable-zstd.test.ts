import { execFileSync } from 'node:child_process'
import zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { openPortably } from '../../lib/compression/zstd/open-portably.ts'
import { zstdFrames } from '../../lib/compression/zstd/zstd-frames.ts'
import { cut } from '../helpers/cut.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { zstdFrame } from '../helpers/zstd-frames.ts'

const MIB = 1024 * 1024
const opened = (bytes: Uint8Array, size = 65536) => readAll(openPortably(zstdFrames(cut(bytes, size))))

/** Content that zstd compresses to different kinds of blocks. */
const contents = {
  'one letter': Buffer.alloc(200_000, 0x61),
  'four letters': Buffer.from(Array.from(mixedBytes(200_000), byte => 97 + (byte & 3))),
  'a period of three bytes': Buffer.alloc(50_000, 'abc'),
  'a period of 40 bytes': Buffer.alloc(50_000, mixedBytes(40)),
  'mixed bytes': mixedBytes(300_000),
  'lines of text': Buffer.from(
    Array.from({ length: 4000 }, (_, i) => `${i} is ${i * i} and ${(i * 7919) % 1000}\n`).join(''),
  ),
  'far repetitions': Buffer.concat([mixedBytes(150_000), Buffer.alloc(0.5 * MIB, 'x'), mixedBytes(150_000)]),
  'one byte': Buffer.from('a'),
  nothing: Buffer.alloc(0),
}
const zstdParameters = (zlib.constants as unknown as Record<string, number>) ?? {}
const canCompress = 'zstdCompressSync' in zlib || needsProgram('zstd')

/** Compresses with node:zlib if it has zstd, else with the zstd program. */
function compressed(bytes: Uint8Array, { level, windowLog }: { level: number; windowLog?: number }): Buffer {
  if ('zstdCompressSync' in zlib) {
    const params = {
      [zstdParameters.ZSTD_c_compressionLevel!]: level,
      [zstdParameters.ZSTD_c_checksumFlag!]: 1,
      ...(windowLog ? { [zstdParameters.ZSTD_c_windowLog!]: windowLog } : {}),
    }
    return (zlib as unknown as { zstdCompressSync(bytes: Uint8Array, options: object): Buffer }).zstdCompressSync(
      bytes,
      { params },
    )
  }
  const options = [
    '-qc',
    level < 0 ? `--fast=${-level}` : `-${level}`,
    ...(windowLog ? [`--zstd=wlog=${windowLog}`] : []),
  ]
  return execFileSync('zstd', options, { input: bytes, maxBuffer: 16 * MIB })
}

test.runIf(canCompress).each(Object.entries(contents))(
  'opens %s at every kind of level, checksum included',
  async (_, bytes) => {
    for (const level of [-5, 3, 19]) {
      expect((await opened(compressed(bytes, { level }))).equals(bytes), `level ${level}`).toBe(true)
    }
  },
)

test.runIf(canCompress)('continues when the window has moved, in content of many windows', async () => {
  const bytes = Buffer.concat([mixedBytes(2 * MIB), Buffer.alloc(MIB, mixedBytes(900))])
  for (const windowLog of [10, 17, 20]) {
    const frame = compressed(bytes, { level: 3, windowLog })
    expect((await opened(frame, 4099)).equals(bytes), `window of 2^${windowLog}`).toBe(true)
  }
})

test('memory grows with the content, not with the window that a frame declares', async () => {
  const frames = Array.from({ length: 200 }, () => zstdFrame([{ raw: Buffer.from('abc') }], { window: 0x88 }))
  const before = process.memoryUsage().arrayBuffers
  const content = openPortably(zstdFrames(cut(Buffer.concat(frames), 65536)))
  await content.next()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MIB)
  expect((await readAll(content)).toString()).toBe('abc'.repeat(199))
})

test('a window of 128 MiB is used as far as the content goes, and small blocks behind it move nothing', async () => {
  const blocks = [
    { raw: Buffer.from('start') },
    ...Array.from({ length: 100 }, () => ({ repeat: 0x2e, size: 128 * 1024 })),
    ...Array.from({ length: 2000 }, () => ({ repeat: 0x2d, size: 1 })),
  ]
  let size = 0
  for await (const chunk of openPortably(zstdFrames([zstdFrame(blocks, { window: 0x88 })]))) size += chunk.byteLength
  expect(size).toBe(5 + 100 * 128 * 1024 + 2000)
})

/** A block of these literals and sequences, after a block of the text `before: `. */
const block = (...bytes: number[]) => framed({ raw: Buffer.from('before: ') }, bytes)
const framed = (first: { raw: Buffer } | undefined, bytes: readonly number[], window = 0x38) =>
  zstdFrame([...(first ? [first] : []), { raw: Uint8Array.from(bytes), type: 2 }], { window })
const raw = (text: string) => [text.length << 3, ...Buffer.from(text)]
/** One sequence whose three codes occur once: literals, offset, match. */
const one = (literals: number, offset: number, match: number, ...bits: number[]) => [
  1,
  0x54,
  literals,
  offset,
  match,
  ...bits,
]
const none = [0]
/** Compressed literals: header, table, stream or streams. */
const coded = (size: number, stored: readonly number[], options: { type?: number; format?: number } = {}) => {
  const { type = 2, format = 0 } = options
  const header = type | (format << 2) | (size << 4) | (stored.length << 14)
  return [header & 255, (header >> 8) & 255, header >> 16, ...stored]
}
/** The literals 0 and 1 with a code of one bit each. */
const twoCodes = [128, 0x10]

describe('blocks made by hand', () => {
  test.each<[string, Buffer, string]>([
    ['literals alone', block(...raw('abc'), ...none), 'before: abc'],
    ['a repeated literal', block((5 << 3) | 1, 0x61, ...none), 'before: aaaaa'],
    ['a match', block(...raw('a'), ...one(1, 0, 0, 0x01)), 'before: aaaa'],
    ['literals behind the last match', block(...raw('ab'), ...one(1, 0, 0, 0x01)), 'before: aaaab'],
    ['a far match', block(...raw('a'), ...one(1, 3, 0, 0b1100)), 'before: abef'],
    [
      'Huffman codes in one stream',
      block(...coded(8, [...twoCodes, 0b01100101, 1]), ...none),
      'before: \0\x01\x01\0\0\x01\0\x01',
    ],
    [
      'the table of the block before',
      zstdFrame([
        { raw: Uint8Array.from([...coded(8, [...twoCodes, 0b01100101, 1]), 0]), type: 2 },
        { raw: Uint8Array.from([...coded(2, [0b101], { type: 3 }), 0]), type: 2 },
      ]),
      '\0\x01\x01\0\0\x01\0\x01\0\x01',
    ],
    [
      'Huffman codes in four streams',
      block(...coded(8, [...twoCodes, 1, 0, 1, 0, 1, 0, 0b101, 0b110, 0b100, 0b111], { format: 1 }), ...none),
      'before: \0\x01\x01\0\0\0\x01\x01',
    ],
  ])('%s', async (_, bytes, text) => {
    expect((await opened(bytes, 3)).toString()).toBe(text)
  })

  test.each<[string, Buffer, RegExp]>([
    ['fewer literals than announced', block(0x10, 0x61), /literals without an end/],
    ['more literals than a block may make', framed(undefined, [0x0d, 0x7d, 0, 0x61, 0], 0), /more literals/],
    ['no sequences section', block(...raw('a')), /sequences without an end/],
    ['half a count of sequences', block(...raw('a'), 0x80), /sequences without an end/],
    ['a third of a count', block(...raw('a'), 0xff, 0), /sequences without an end/],
    ['bytes behind no sequences', block(...raw('a'), 0, 0), /bytes behind the last sequence/],
    ['no modes', block(...raw('a'), 1), /sequences without tables/],
    ['a reserved mode', block(...raw('a'), 1, 0x55, 1, 0, 0, 1), /reserved bit/],
    ['no symbol to repeat', block(...raw('a'), 1, 0x54), /table without an end/],
    ['a length that does not exist', block(...raw('a'), ...one(36, 0, 0, 1)), /symbol that does not exist/],
    ['the table of no block before', block(...raw('a'), 1, 0xfc, 1), /without the table of an earlier one/],
    ['bits without an end mark', block(...raw('a'), ...one(1, 0, 0, 0)), /bits without an end/],
    ['no bits at all', block(...raw('a'), ...one(1, 0, 0)), /bits without an end/],
    ['bits that are left', block(...raw('a'), ...one(1, 0, 0, 0b10)), /do not fill their stream/],
    ['bits that are missing', block(...raw('a'), ...one(1, 4, 0, 0b1)), /do not fill their stream/],
    ['bits that run out between', block(...raw('ab'), 2, 0x54, 1, 4, 0, 1), /do not fill their stream/],
    ['an offset over every window', block(...raw('a'), ...one(1, 28, 0, 1)), /behind the beginning/],
    ['a match before the content', block(...raw('a'), ...one(1, 4, 0, 0b11111)), /behind the beginning/],
    ['a match with itself', block(...raw('a'), ...one(0, 1, 0, 0b11)), /match with itself/],
    ['more literals used than there are', block(...raw('a'), ...one(2, 0, 0, 1)), /more literals than there are/],
    [
      'a match longer than a block',
      framed(undefined, [...raw('a'), ...one(1, 0, 47, 0, 8)], 0),
      /more than a block may/,
    ],
    ['literals without a table before', block(...coded(2, [0b101], { type: 3 }), 0), /literals without a table/],
    ['no room for the table', block(...coded(2, []), 0), /literals without a table/],
    ['a table cut off', block(...coded(2, [140, 0x10]), 0), /table without an end/],
    ['a weight that is too large', block(...coded(2, [129, 0x1c, 1]), 0), /code that is too long/],
    ['weights of nothing', block(...coded(2, [128, 0x00, 1]), 0), /do not fill their table/],
    ['a rest that is no power of two', block(...coded(2, [129, 0x31, 1]), 0), /do not fill their table/],
    ['a single longest code', block(...coded(2, [128, 0x20, 1]), 0), /do not fill their table/],
    ['codes over 11 bits', block(...coded(2, [129, 0xbb, 1]), 0), /do not fill their table/],
    ['a weights table cut off', block(...coded(2, [1, 0x30]), 0), /table without an end/],
    ['a weights table that is too large', block(...coded(2, [2, 0x02, 0xff]), 0), /table that is too large/],
    ['a stream that is too long', block(...coded(8, [...twoCodes, 0b01100101, 2]), 0), /do not fill their stream/],
    ['a stream that is too short', block(...coded(8, [...twoCodes, 0b101]), 0), /do not fill their stream/],
    ['a stream without an end mark', block(...coded(8, [...twoCodes, 1, 0]), 0), /bits without an end/],
    [
      'four streams of five literals',
      block(...coded(5, [...twoCodes, 1, 0, 1, 0, 1, 0, 2, 2, 2, 2], { format: 1 }), 0),
      /too few/,
    ],
    [
      'four streams past the end',
      block(...coded(8, [...twoCodes, 9, 0, 1, 0, 1, 0, 2, 2, 2, 2], { format: 1 }), 0),
      /without an end/,
    ],
  ])('%s is refused', async (_, bytes, why) => {
    expect(await thrownBy(() => opened(bytes))).toMatchObject({
      code: 'ERR_INVALID_COMPRESSION',
      message: expect.stringMatching(why),
    })
  })

  test('a match farther back than the window is refused, although the content is there', async () => {
    const content = { raw: Buffer.alloc(1024, 'x') }
    const far = { raw: Uint8Array.from([...raw('a'), ...one(1, 11, 0, 0, 0b1000)]), type: 2 }
    expect(await thrownBy(() => opened(zstdFrame([content, content, far], { window: 0 })))).toMatchObject({
      message: expect.stringMatching(/behind the beginning/),
    })
    expect((await opened(zstdFrame([content, content, far], { window: 8 }))).byteLength).toBe(2048 + 4)
  })
})
