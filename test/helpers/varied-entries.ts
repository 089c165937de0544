import { decodeName } from '../../lib/internal/name-bytes.ts'
import type { TarInput } from '../../lib/tar/index.ts'

const long = (letter: string) => `${letter.repeat(120)}/${letter.repeat(140)}`

/** Entries of every kind, for comparisons with other tools. Devices and owners need root. */
export function variedEntries(): TarInput[] {
  return [
    { path: 'etc', type: 'directory', mode: 0o755, mtime: 1_600_000_001 },
    { path: 'etc/empty', type: 'file', mode: 0o600, mtime: 1_600_000_002 },
    { path: 'etc/text', type: 'file', content: 'text\n', mode: 0o640, uid: 12, gid: 34, mtime: 1_600_000_003 },
    { path: 'etc/hard', type: 'hardlink', linkname: 'etc/text', mode: 0o640, uid: 12, gid: 34, mtime: 1_600_000_003 },
    { path: 'etc/symbolic', type: 'symlink', linkname: '../usr/large', uid: 12, gid: 34, mtime: 1_600_000_004 },
    { path: 'etc/absolute', type: 'symlink', linkname: '/nowhere/at/all', mtime: 1_600_000_004 },
    { path: 'closed', type: 'directory', mode: 0o500, mtime: 1_600_000_005 },
    { path: 'closed/inside', type: 'file', content: 'x', mode: 0o400, mtime: 1_600_000_006 },
    { path: 'usr', type: 'directory', mode: 0o2775, gid: 50, mtime: 1_600_000_007 },
    { path: 'usr/large', type: 'file', content: Buffer.alloc(3_000_001, 'large'), mode: 0o644, mtime: 1_600_000_008 },
    { path: 'usr/set-id', type: 'file', content: '#!', mode: 0o6755, uid: 7, gid: 8, mtime: 1_600_000_009 },
    { path: 'usr/far-owner', type: 'file', content: 'y', uid: 3_000_000_000, gid: 2_500_000, mtime: 1_600_000_010 },
    { path: 'tmp', type: 'directory', mode: 0o1777, mtime: 1_600_000_011 },
    { path: 'pipe', type: 'fifo', mode: 0o622, mtime: 1_600_000_012 },
    { path: 'null', type: 'character-device', devMajor: 1, devMinor: 3, mode: 0o666, mtime: 1_600_000_013 },
    { path: 'loop', type: 'block-device', devMajor: 7, devMinor: 200, mode: 0o660, gid: 6, mtime: 1_600_000_013 },
    { path: 'caf\u00e9 \u4e2d\u6587 \u{1f600}', type: 'file', content: 'utf-8', mtime: 1_600_000_014 },
    {
      path: decodeName(Buffer.from('not-utf8-\xff\xfe', 'latin1')),
      type: 'file',
      content: 'bytes',
      mtime: 1_600_000_015,
    },
    { path: 'a b\\c"d\'e', type: 'file', content: 'quotes', mtime: 1_600_000_016 },
    { path: long('l').split('/')[0] as string, type: 'directory', mode: 0o755, mtime: 1_600_000_017 },
    { path: long('l'), type: 'file', content: 'long', mtime: 1_600_000_018 },
    { path: 'to-long', type: 'symlink', linkname: long('l'), mtime: 1_600_000_019 },
    { path: 'hard-to-long', type: 'hardlink', linkname: long('l'), mtime: 1_600_000_018 },
  ]
}
