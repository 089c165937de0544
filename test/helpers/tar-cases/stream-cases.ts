import { tarEnd, tarMember, tarPax } from '../tar-block.ts'
import type { TarCase } from './tar-case.ts'

const first = tarMember({ name: 'first' }, 'abc')
const long = tarMember({ name: 'long' }, 'y'.repeat(700))
const refused = (name: string, ...parts: readonly Uint8Array[]): TarCase => ({
  name,
  bytes: () => Buffer.concat(parts),
  refused: 'ERR_INVALID_TAR',
})
const good = (name: string, paths: readonly string[], ...parts: readonly Uint8Array[]): TarCase => ({
  name,
  bytes: () => Buffer.concat(parts),
  entries: paths.map(path => ({ path })),
})

/** The end of an archive, and bytes after it. */
export const streamCases: readonly TarCase[] = [
  good('empty-0-bytes', []),
  good('empty-1024-zeros', [], tarEnd),
  good('empty-512-zeros', [], Buffer.alloc(512)),
  good('empty-10240-zeros', [], Buffer.alloc(10240)),
  refused('empty-100-zeros', Buffer.alloc(100)),
  refused('not-a-tar', Buffer.alloc(1024, 'plain text that is no archive ')),
  refused('not-a-tar-short', Buffer.from('text')),
  refused('not-a-tar-gzip', Buffer.concat([Buffer.from('1f8b0800', 'hex'), Buffer.alloc(600, 7)])),
  good('trunc-no-trailer', ['first'], first),
  good('trunc-half-trailer', ['first'], first, Buffer.alloc(512)),
  refused('trunc-in-trailer', first, Buffer.alloc(700)),
  refused('trunc-in-header', first, long.subarray(0, 300)),
  refused('trunc-after-header', first, long.subarray(0, 512)),
  refused('trunc-in-content', first, long.subarray(0, 1000)),
  refused('trunc-in-padding', first, long.subarray(0, 1300)),
  refused('trunc-before-padding', first.subarray(0, 515)),
  refused('trunc-in-pax', tarPax({ path: 'p' }).subarray(0, 516)),
  refused('trunc-in-pax-padding', tarPax({ path: 'p' }).subarray(0, 600)),
  refused('trunc-lone-zero-block-then-entry', first, Buffer.alloc(512), long),
  good('trailing-garbage', ['first'], first, tarEnd, Buffer.from('garbage of no length of a block')),
  good('trailing-zeros', ['first'], first, Buffer.alloc(20480)),
  good('trailing-second-archive', ['first'], first, tarEnd, long, tarEnd),
]
