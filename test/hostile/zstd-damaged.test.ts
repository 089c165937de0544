import { describe, expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { openPortably } from '../../lib/compression/zstd/open-portably.ts'
import { zstdFrames } from '../../lib/compression/zstd/zstd-frames.ts'
import { cut } from '../helpers/cut.ts'
import { readAll } from '../helpers/read-all.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { zstdFrame, zstdSkippable, zstdText, zstdTextFrame } from '../helpers/zstd-frames.ts'

const engines = [
  ['the engine of this Node', (source: AsyncIterable<Uint8Array>) => decompress(source, { type: 'zstd' })],
  ['the portable engine', (source: AsyncIterable<Uint8Array>) => openPortably(zstdFrames(source))],
] as const
const raw = (text: string) => zstdFrame([{ raw: Buffer.from(text) }])

describe.each(engines)('%s', (_, open) => {
  const faultOf = (bytes: Uint8Array) => thrownBy(() => readAll(open(cut(bytes, 100))))

  test('a stream cut anywhere is refused, unless a frame ends there', async () => {
    const whole = Buffer.concat([raw('one'), zstdSkippable(Buffer.alloc(9)), zstdTextFrame])
    const ends = [raw('one').byteLength, raw('one').byteLength + 17]
    for (let size = 0; size < whole.byteLength; size++) {
      if (ends.includes(size)) continue
      expect(await faultOf(whole.subarray(0, size)), `cut at ${size}`).toMatchObject({
        code: 'ERR_INVALID_COMPRESSION',
      })
    }
  })

  test.each([
    ['empty', Buffer.alloc(0)],
    ['only a skippable frame', zstdSkippable(Buffer.alloc(9))],
    ['garbage after a frame', Buffer.concat([raw('one'), Buffer.from('garbage')])],
    ['zeros after a frame', Buffer.concat([raw('one'), Buffer.alloc(512)])],
    ['one byte after a frame', Buffer.concat([raw('one'), Buffer.alloc(1)])],
    ['a reserved bit', zstdFrame([{ raw: Buffer.from('x') }], { descriptor: 8 })],
    ['a block of the reserved type', zstdFrame([{ raw: Buffer.from('x'), type: 3 }])],
    ['a repeated byte over 128 KiB', zstdFrame([{ repeat: 1, size: 128 * 1024 + 1 }], { window: 0x50 })],
    ['a block larger than the window', zstdFrame([{ repeat: 1, size: 1025 }], { window: 0 })],
    ['less content than announced', zstdFrame([{ raw: Buffer.from('x') }], { header: [0x20, 2] })],
    ['a compressed block of noise', zstdFrame([{ raw: Buffer.alloc(40, 0xa7), type: 2 }])],
    ['an empty compressed block', zstdFrame([{ raw: Buffer.alloc(0), type: 2 }])],
  ])('%s is refused', async (_, bytes) => {
    expect(await faultOf(bytes)).toMatchObject({ code: 'ERR_INVALID_COMPRESSION' })
  })

  test.each([
    ['of 128 MiB and an eighth', zstdFrame([{ raw: Buffer.from('x') }], { window: (17 << 3) | 1 })],
    ['of 2 GiB', zstdFrame([{ raw: Buffer.from('x') }], { window: 21 << 3 })],
    ['of 3.75 TiB', zstdFrame([{ raw: Buffer.from('x') }], { window: 0xff })],
    [
      'of 2^64 - 1 in a single segment',
      zstdFrame([{ raw: Buffer.from('x') }], { header: [0xe0, ...Array(8).fill(255)] }),
    ],
  ])('a window %s is refused before it is allocated', async (_, bytes) => {
    const before = process.memoryUsage().arrayBuffers
    expect(await faultOf(bytes)).toMatchObject({ code: 'ERR_UNSUPPORTED_COMPRESSION' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
  })

  test('a frame that needs a dictionary is refused', async () => {
    const bytes = zstdFrame([{ raw: Buffer.from('x') }], { header: [0x01, 0x38, 7] })
    expect(await faultOf(bytes)).toMatchObject({ code: 'ERR_UNSUPPORTED_COMPRESSION' })
  })

  test('a window of 128 MiB is opened', async () => {
    const opened = await readAll(open(cut(zstdFrame([{ raw: Buffer.from('x') }], { window: 17 << 3 }), 100)))
    expect(opened.toString()).toBe('x')
  })

  test('any byte flipped is an error, never a crash or a hang, and never other bytes', async () => {
    for (let at = 0; at < zstdTextFrame.byteLength; at++) {
      const flipped = Buffer.from(zstdTextFrame)
      flipped[at] = flipped[at]! ^ 0x55
      const outcome = await readAll(open(cut(flipped, 200))).then(
        bytes => bytes.toString() === zstdText,
        error => error.code,
      )
      expect(['ERR_INVALID_COMPRESSION', 'ERR_UNSUPPORTED_COMPRESSION'], `byte ${at}`).toContain(outcome)
    }
  })

  test('a false checksum of content is refused, in a small frame and in a large one', async () => {
    // Frames above a size are decompressed by node:zlib where it has zstd: 17 KiB in raw blocks exceed it.
    const blocks = [{ raw: Buffer.alloc(17 * 1024, 'x') }]
    const frame = (end: number[]) => zstdFrame(blocks, { descriptor: 4, window: 0x50, end })
    expect(await readAll(open(cut(frame([0xd8, 0x33, 0x9d, 0xc4]), 1000)))).toHaveLength(17 * 1024)
    expect(await faultOf(frame([0xd8, 0x33, 0x9d, 0xc5]))).toMatchObject({ code: 'ERR_INVALID_COMPRESSION' })
    const flipped = Buffer.from(zstdTextFrame)
    flipped[flipped.byteLength - 1] = flipped[flipped.byteLength - 1]! ^ 1
    expect(await faultOf(flipped)).toMatchObject({ code: 'ERR_INVALID_COMPRESSION' })
  })
})
