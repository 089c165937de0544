import { tarBlock, tarMember, tarPax } from '../tar-block.ts'
import { excessive, good, malformed, type TarCase } from './tar-case.ts'

const first = tarMember({ name: 'first' }, 'abc')
const hex = (text: string) => Buffer.from(text, 'hex')
const bad = (name: string, fields: Parameters<typeof tarBlock>[0], content?: string) =>
  malformed(name, first, tarMember(fields, content))
const read = (name: string, fields: Parameters<typeof tarBlock>[0], entry: Record<string, unknown>, content?: string) =>
  good(name, [{ path: 'first' }, entry, { path: 'first' }], first, tarMember(fields, content), first)

/** A block with a checksum over signed bytes, as written by programs older than the standard. */
function signedSum(): Buffer {
  const block = tarBlock({ name: Buffer.from('caf\xe9', 'latin1') })
  const sum = block.subarray(0, 148).reduce((a, b) => a + ((b << 24) >> 24), 0) + 8 * 32
  const rest = block.subarray(156).reduce((a, b) => a + ((b << 24) >> 24), 0)
  block.write(`${(sum + rest).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A block in the format of star (J. Schilling): times after a shorter prefix, and a magic at the end. */
function starBlock(): Buffer {
  const block = tarBlock({ name: 'n', prefix: 'p'.repeat(131) })
  block.write('14000000000 14000000000 ', 476, 'latin1')
  block.write('tar\0', 508, 'latin1')
  block.write('        ', 148, 'latin1')
  const sum = block.reduce((a, b) => a + b, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** Numbers in header blocks: owners, times, devices. */
export const numberCases: readonly TarCase[] = [
  bad('num-uid-4294967295', { uid: hex('80000000ffffffff') }),
  bad('num-uid-over-32-bits', { uid: hex('8000000100000000') }),
  bad('num-uid-negative', { gid: hex('ffffffffffffffff') }),
  bad('num-uid-garbage', { gid: 'root\0' }),
  bad('num-uid-minus', { uid: '-000001\0' }),
  read('num-uid-base-256', { uid: hex('8000000000300000') }, { uid: 3145728 }),
  read('num-uid-4294967294', { uid: hex('80000000fffffffe') }, { uid: 4294967294 }),
  read('num-gid-blank', { gid: '        ' }, { gid: 0 }),
  read('num-mtime-negative-base-256', { mtime: hex('fffffffffffffffffffffffb') }, { mtime: -5 }),
  read('num-mtime-base-256', { mtime: hex('800000000000000400000000') }, { mtime: 2 ** 34 }),
  bad('num-mtime-over-2-53', { mtime: hex('8000000100000000ffffffff') }),
  bad('num-mtime-under-2-53', { mtime: hex('fffffff00000000000000000') }),
  bad('num-mtime-nan', { mtime: 'NaN        \0' }),
  bad('num-devmajor-over-32-bits', { flag: '3', devmajor: '\x80\0\0\x01\0\0\0\0' }),
  bad('num-devmajor-negative', { flag: '3', devmajor: '\xff\xff\xff\xff\xff\xff\xff\xff' }),
  bad('num-devminor-garbage', { devminor: 'minor\0' }),
  read('num-mode-spaces', { mode: '  644 \0 ' }, { mode: 0o644 }),
  read('num-mode-full', { mode: '00000755' }, { mode: 0o755 }),
  read('num-mode-07777', { mode: '0107755\0' }, { mode: 0o7755 }),
  bad('num-mode-text-after-nul', { mode: '644\0x\0\0\0' }),
  bad('num-mode-leading-nul', { mode: '\x00000644' }),
  bad('num-size-negative', { size: hex('ffffffffffffffffffffffff') }),
  bad('num-size-over-2-53', { size: hex('800000000020000000000001') }),
  bad('num-size-over-2-63', { size: hex('80000000ffffffffffffffff') }),
  bad('num-size-not-octal', { size: '0000000008\0\0' }),
  bad('num-size-garbage', { size: '3 garbage' }, 'abc'),
  bad('num-size-hex', { size: '0x3\0' }, 'abc'),
  bad('num-size-plus', { size: '+3\0' }, 'abc'),
  bad('num-size-nul-then-digits', { size: '\0 3' }, 'abc'),
  read('num-size-blank', { size: '            ' }, { size: 0 }),
  read('num-size-nuls', { size: '\0\0\0\0\0\0\0\0\0\0\0\0' }, { size: 0 }),
  read('num-size-spaces', { size: '         3 \0' }, { size: 3, text: 'abc' }, 'abc'),
  read('num-size-12-digits', { size: '000000000003' }, { size: 3, text: 'abc' }, 'abc'),
  read('num-size-base-256', { size: hex('800000000000000000000003') }, { size: 3, text: 'abc' }, 'abc'),
  excessive('num-size-over-the-limit', tarBlock({ size: hex('800000000000020000000000') })),
  bad('num-size-that-never-comes', { size: 2 ** 33 - 1 }),
]

/** Sums over header blocks. */
export const checksumCases: readonly TarCase[] = [
  bad('cksum-bad', { checksum: '000001\0 ' }),
  bad('cksum-blank', { checksum: '        ' }),
  bad('cksum-nuls', { checksum: '\0\0\0\0\0\0\0\0' }),
  bad('cksum-not-octal', { checksum: '00x001\0 ' }),
  good('cksum-signed', [{ path: 'first' }, { path: 'caf\udce9' }, { path: 'first' }], first, signedSum(), first),
]

/** Types of entries. */
export const typeCases: readonly TarCase[] = [
  bad('type-unknown', { flag: '?' }),
  bad('type-multi-volume', { flag: 'M' }, 'abc'),
  bad('type-volume-label', { flag: 'V' }),
  bad('type-dumpdir', { flag: 'D' }, 'abc'),
  bad('type-solaris-acl', { flag: 'A' }, 'abc'),
  bad('type-solaris-extended', { flag: 'X' }, 'abc'),
  bad('type-old-long-name', { flag: 'N' }, 'abc'),
  bad('type-inode', { flag: 'I' }),
  bad('type-high-byte', { flag: '\xff' }),
  read('type-contiguous', { flag: '7' }, { type: 'file', text: 'abc' }, 'abc'),
  read('type-nul', { flag: '\0' }, { type: 'file', text: 'abc' }, 'abc'),
  read('type-slash-old', { name: 'd/', flag: '\0' }, { path: 'd', type: 'directory' }),
  read('type-slash-ustar', { name: 'd/', flag: '0' }, { path: 'd', type: 'file', text: 'abc' }, 'abc'),
  bad('type-slash-old-with-size', { name: 'a/', flag: '\0' }, 'abc'),
  bad('dir-with-size', { flag: '5' }, 'abc'),
  bad('sym-with-size', { flag: '2', linkname: 'first' }, 'abc'),
  bad('hl-with-body', { flag: '1', linkname: 'first' }, 'abc'),
  bad('fifo-with-size', { flag: '6' }, 'abc'),
  bad('dev-with-size', { flag: '3' }, 'abc'),
  malformed('dir-with-pax-size', tarPax({ size: '3' }), tarMember({ name: 'd/', flag: '5', size: 0 }, 'abc'), first),
  malformed(
    'golang-tar/hdr-only.tar',
    ...['1', '2', '3', '4', '5', '6'].map(flag => tarBlock({ name: 'n', flag, linkname: 'l', size: 1234567 })),
    first,
  ),
  malformed('sym-to-nothing', tarMember({ flag: '2' })),
  malformed('hl-to-nothing', tarMember({ flag: '1' })),
]

const GNU = 'ustar  \0'

/** Names in header blocks. */
export const nameCases: readonly TarCase[] = [
  read('path-ustar-prefix', { name: 'b', prefix: 'a' }, { path: 'a/b' }),
  read('path-gnu-magic-prefix', { name: 'b', prefix: '12345670123', magic: GNU }, { path: 'b' }),
  read('path-ustar-version', { name: 'b', prefix: 'a', magic: 'ustar\x0011' }, { path: 'b' }),
  read('path-no-magic-prefix', { name: 'b', prefix: 'a', magic: '\0\0\0\0\0\0\0\0', devmajor: 'any' }, { path: 'b' }),
  good('path-star-prefix', [{ path: `${'p'.repeat(131)}/n` }], starBlock()),
  read(
    'moby/broken.tar',
    { name: 'f', prefix: '\x8012\0\0\0\0', magic: GNU, uid: hex('8000000000300000') },
    { path: 'f' },
  ),
  read('path-full-name', { name: 'n'.repeat(100) }, { path: 'n'.repeat(100) }),
  read('path-nonutf8', { name: Buffer.from('caf\xe9', 'latin1') }, { path: 'caf\udce9' }),
  ...['..', '../x', 'a/../b', 'a/..', '/..', '/../x', './../x', 'a//../..'].map(name =>
    bad(`path-dotdot ${name}`, { name }),
  ),
  malformed('path-dotdot-in-hardlink', tarMember({ flag: '1', linkname: 'a/../../x' })),
  malformed('path-dotdot-in-longname', tarMember({ flag: 'L' }, 'a/../../x'), first),
  malformed('path-empty', tarMember({ name: '' })),
  malformed('path-root-as-file', tarMember({ name: './' }, 'abc')),
  malformed('path-root-as-file-by-name', tarMember({ name: '.' })),
  malformed('path-root-as-symlink', tarMember({ name: '.', flag: '2', linkname: '/etc' })),
  excessive('path-4097', tarPax({ path: `${'d/'.repeat(2048)}e` }), first),
  excessive('path-4097-target', tarPax({ linkpath: 'x'.repeat(4097) }), tarMember({ flag: '2', linkname: 'x' })),
  good('path-4096', [{ path: `${'d/'.repeat(2047)}ee` }], tarPax({ path: `${'d/'.repeat(2047)}ee` }), tarMember({})),
  excessive('node-tar/excessively-deep.tar', tarPax({ path: Array(222_371).fill('a').join('/') }), first),
]
