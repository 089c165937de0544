import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { openPortably } from '../../lib/compression/zstd/open-portably.ts'
import { zstdFrames } from '../../lib/compression/zstd/zstd-frames.ts'
import { cut } from '../helpers/cut.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { watchedSource } from '../helpers/watched-source.ts'
import { zstdFrame, zstdSkippable, zstdText, zstdTextFrame } from '../helpers/zstd-frames.ts'

const MIB = 1024 * 1024
const engines = [
  ['the engine of this Node', (source: AsyncIterable<Uint8Array>) => decompress(source)],
  ['the portable engine', (source: AsyncIterable<Uint8Array>) => openPortably(zstdFrames(source))],
] as const

describe.each(engines)('%s', (_, open) => {
  const opened = async (bytes: Uint8Array, size = 65536) => (await readAll(open(cut(bytes, size)))).toString()

  test.each([1, 3, 17, 4096])('opens compressed blocks, cut at %i', async size => {
    expect(await opened(zstdTextFrame, size)).toBe(zstdText)
  })

  test.each([1, 5, 4096])('opens several frames, skippable ones first, between and last, cut at %i', async size => {
    const row = [
      zstdSkippable(Buffer.from('first')),
      zstdTextFrame,
      zstdSkippable(Buffer.alloc(0), 15),
      zstdSkippable(Buffer.alloc(300), 7),
      zstdFrame([{ raw: Buffer.from('raw ') }, { repeat: 0x61, size: 5 }, { raw: Buffer.alloc(0) }]),
      zstdTextFrame,
      zstdSkippable(Buffer.alloc(20_000)),
    ]
    expect(await opened(Buffer.concat(row), size)).toBe(`${zstdText}raw aaaaa${zstdText}`)
  })

  test('opens frames that announce their size in one, two, four and eight bytes', async () => {
    const content = Buffer.alloc(300, 0x62)
    const frames = [
      zstdFrame([{ raw: content.subarray(0, 5) }], { header: [0x20, 5] }),
      zstdFrame([{ raw: content }], { header: [0x60, 300 - 256, 0] }),
      zstdFrame([{ raw: content }], { header: [0xa0, 44, 1, 0, 0] }),
      zstdFrame([{ raw: content }], { header: [0xe0, 44, 1, 0, 0, 0, 0, 0, 0] }),
      zstdFrame([{ raw: content }], { header: [0x40, 0x38, 44, 0] }),
      zstdFrame([{ raw: content }], { header: [0x03, 0x38, 0, 0, 0, 0] }),
    ]
    expect(await opened(Buffer.concat(frames))).toBe('b'.repeat(5 + 5 * 300))
  })

  test('opens an empty frame', async () => {
    expect(await opened(zstdFrame([{ raw: Buffer.alloc(0) }]))).toBe('')
  })

  test('leaving early stops the source', async () => {
    const { source, state } = watchedSource(Array.from({ length: 5000 }, () => zstdTextFrame))
    for await (const _ of open(source)) break
    expect(state.returned).toBe(true)
    expect(state.taken).toBeLessThan(5000)
  })

  test
    .skipIf(!needsProgram('zstd'))
    .each([['-1'], ['-3', '--no-check'], ['-19', '--long=27'], ['-3', '-B65536', '-T2']])(
    'opens what the zstd program writes with %s %s',
    async (...options) => {
      const bytes = mixedBytes(3 * MIB)
      const input = execFileSync('zstd', ['-qc', ...options.filter(Boolean)], { input: bytes, maxBuffer: 16 * MIB })
      expect((await readAll(open(cut(input, 65536)))).equals(bytes)).toBe(true)
    },
  )
})
