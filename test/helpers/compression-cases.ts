import { gzipSync } from 'node:zlib'
import type { DecompressOptions } from '../../lib/compression/index.ts'
import { zstdFrame, zstdSkippable, zstdText, zstdTextFrame } from './zstd-frames.ts'

/** A compressed stream and the expected result of decompressing it. */
export interface CompressionCase {
  /** Case name, as in the catalogue of hostile input. */
  readonly name: string
  readonly bytes: () => Uint8Array
  readonly options?: DecompressOptions
  /** Code of the error. */
  readonly refused?: string
  /** Expected output. */
  readonly gives?: string
}

const one = gzipSync('the first member of a stream')
const two = gzipSync('the second member of a stream')
const both = 'the first member of a streamthe second member of a stream'
const gzip = { type: 'gzip' } as const
const damaged = 'ERR_INVALID_COMPRESSION'
const unsupported = 'ERR_UNSUPPORTED_COMPRESSION'
const excessive = 'ERR_LIMIT_EXCEEDED'
const raw = (text: string) => zstdFrame([{ raw: Buffer.from(text) }])
/** Some content, then a compressed block of these bytes: literals, then sequences. */
const compressed = (...block: number[]) =>
  zstdFrame([{ raw: Buffer.from('before: ') }, { raw: Uint8Array.from(block), type: 2 }])
const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts)

const changed = (bytes: Uint8Array, at: number, mask: number) => {
  const copy = Buffer.from(bytes)
  const place = at < 0 ? copy.byteLength + at : at
  copy[place] = copy[place]! ^ mask
  return copy
}

const bad = (name: string, bytes: () => Uint8Array, refused = damaged): CompressionCase =>
  name.startsWith('gz') ? { name, bytes, refused, options: gzip } : { name, bytes, refused, options: { type: 'zstd' } }
const good = (name: string, bytes: () => Uint8Array, gives: string): CompressionCase => ({ name, bytes, gives })

/** Streams of gzip and zstd. */
export const compressionCases: readonly CompressionCase[] = [
  good('gz-multimember', () => join(one, two), both),
  good('gz-multimember-empty', () => join(one, gzipSync(''), two), both),
  good('gz-512-members', () => join(...Array.from({ length: 512 }, () => gzipSync('m'))), 'm'.repeat(512)),
  good('gzip/test_compat_gzip_1.tgz', () => join(gzipSync('a'), gzipSync('b'), gzipSync('c')), 'abc'),
  bad('gz-zero-pad-between-members', () => join(one, Buffer.alloc(512), two)),
  good('gz-trailing-zeros', () => join(one, Buffer.alloc(1000)), 'the first member of a stream'),
  bad('gz-trailing-garbage', () => join(one, Buffer.from('garbage'))),
  bad('gz-trailing-zeros-then-garbage', () => join(one, Buffer.alloc(100), Buffer.from('garbage'))),
  bad('gz-truncated-header', () => one.subarray(0, 5)),
  bad('gz-truncated-body', () => one.subarray(0, 20)),
  bad('gz-truncated-trailer', () => one.subarray(0, -3)),
  bad('gz-truncated-second-member', () => join(one, two.subarray(0, 20))),
  bad('gz-bad-crc', () => changed(one, -5, 1)),
  bad('gz-bad-isize', () => changed(one, -1, 1)),
  bad('gz-bad-method', () => changed(one, 2, 15)),
  bad('gz-bad-reserved-flags', () => changed(one, 3, 0x20)),
  bad('gz-bad-header-only', () => one.subarray(0, 10)),
  bad('gz-bad-magic', () => changed(one, 1, 1)),
  bad('gz-empty-file', () => Buffer.alloc(0)),
  {
    name: 'gz-bomb-256m',
    bytes: () => join(...Array.from({ length: 4 }, () => gzipSync(Buffer.alloc(2 ** 26), { level: 9 }))),
    options: { maxRatio: 500 },
    refused: excessive,
  },
  {
    name: 'zst-rle-bomb',
    bytes: () => zstdFrame(Array(2000).fill({ repeat: 0, size: 128 * 1024 }), { window: 0x50 }),
    refused: excessive,
  },
  good('zst-window-128m', () => zstdFrame([{ raw: Buffer.from('x') }], { window: 17 << 3 }), 'x'),
  bad('zst-window-2g', () => zstdFrame([{ raw: Buffer.from('x') }], { window: 21 << 3 }), unsupported),
  bad('zst-window-3.75t', () => zstdFrame([{ raw: Buffer.from('x') }], { window: 0xff }), unsupported),
  good('zst-multi-frame', () => join(raw('one'), zstdTextFrame, raw('two')), `one${zstdText}two`),
  good('zst-skippable-first', () => join(zstdSkippable(Buffer.alloc(9)), raw('one')), 'one'),
  good('zst-skippable-last', () => join(raw('one'), zstdSkippable(Buffer.alloc(9), 15)), 'one'),
  good('zst-no-content-size', () => raw('one'), 'one'),
  bad('zst-wrong-content-size', () => zstdFrame([{ raw: Buffer.from('x') }], { header: [0x20, 2] })),
  bad('zst-dictionary', () => zstdFrame([{ raw: Buffer.from('x') }], { header: [0x01, 0x38, 7] }), unsupported),
  bad('zst-truncated-skippable', () => join(raw('one'), zstdSkippable(Buffer.alloc(9)).subarray(0, 12))),
  bad('zst-truncated-block', () => raw('one').subarray(0, -1)),
  bad('zst-trailing-garbage', () => join(raw('one'), Buffer.from('garbage'))),
  bad('zst-trailing-zeros', () => join(raw('one'), Buffer.alloc(512))),
  bad('zst-empty-file', () => Buffer.alloc(0)),
  bad('zstd/truncated_huff_state', () => compressed(0x02, 0x81, 0x01, 3, 0x10, 0x3f, 0x01, 0x01, 0x80)),
  good('zstd/one-repeat', () => compressed(0x08, 0x61, 0x01, 0x54, 1, 0, 0, 0x01), 'before: aaaa'),
  bad('zst-bad-checksum', () => changed(zstdTextFrame, -1, 1)),
  // zstd accepted these streams until version 1.5.5.
  bad('zstd/off0', () => compressed(0x08, 0x61, 0x01, 0x54, 0, 1, 0, 0x03)),
  bad('zstd/zeroSeq_extraneous', () => compressed(0x08, 0x61, 0, 0)),
]
