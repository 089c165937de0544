import { tarBlock, tarMember, tarPax } from '../tar-block.ts'
import { excessive, good, malformed, type TarCase } from './tar-case.ts'

const x = tarMember({ name: 'x' }, 'abc')
const block = (letter: string) => letter.repeat(512)
const zeros = (blocks: number) => '\0'.repeat(512 * blocks)
const filled = (map: string) => map.padEnd(Math.ceil(map.length / 512) * 512, '\0')

/** Two blocks of data in 2,100 bytes: a hole first, between and at the end. */
const DATA = block('a') + block('b')
const FILE = { size: 2560, text: zeros(1) + block('a') + zeros(1) + block('b') + zeros(1) }
const MAP = [512, 512, 1536, 512, 2560, 0]

type Records = Record<string, string>
const version10 = (map: string, data: string, records: Records = {}) => [
  tarPax({
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': 's',
    'GNU.sparse.realsize': '2560',
    ...records,
  }),
  tarMember({ name: 'GNUSparseFile.0/s' }, filled(map) + data),
  x,
]
const version01 = (map: string, data: string, records: Records = {}) => [
  tarPax({
    'GNU.sparse.size': '2560',
    'GNU.sparse.numblocks': '3',
    'GNU.sparse.map': map,
    'GNU.sparse.name': 's',
    ...records,
  }),
  tarMember({ name: 'GNUSparseFile.0/s' }, data),
  x,
]
/** One record; the lengths of all records here have two digits. */
const record = (key: string, value: number | string) => {
  const rest = ` GNU.sparse.${key}=${value}\n`
  return `${rest.length + 2}${rest}`
}
/** One record per number, which an object of records cannot express. */
const version00 = (pairs: readonly (readonly [string, number])[], data: string) => {
  const body = [record('size', 2560), record('numblocks', 3), ...pairs.map(([key, value]) => record(key, value))]
  return [tarPax(body.join('')), tarMember({ name: 's' }, data), x]
}
const pairs = MAP.map((value, i) => [i % 2 ? 'numbytes' : 'offset', value] as const)
const text10 = (map: readonly number[]) => `${[map.length / 2, ...map].join('\n')}\n`
const bad10 = (name: string, map: readonly number[], data = DATA) => malformed(name, ...version10(text10(map), data))
const entries = [
  { path: 's', type: 'file', ...FILE },
  { path: 'x', text: 'abc' },
]

/** Sparse files: the PAX formats are read, malformed ones are rejected. */
export const sparseCases: readonly TarCase[] = [
  good('sparse-pax00', entries, ...version00(pairs, DATA)),
  good('sparse-pax01', entries, ...version01(MAP.join(','), DATA)),
  good('sparse-pax10', entries, ...version10(text10(MAP), DATA)),
  good(
    'sparse-leading-zeros',
    entries,
    ...version10(text10(MAP).replace(/^/gm, '0'.repeat(20)).replace(/0+$/, ''), DATA, {
      'GNU.sparse.realsize': `${'0'.repeat(20)}2560`,
    }),
  ),
  good(
    'sparse-pax10-data-only',
    [{ path: 's', size: 700, text: 'a'.repeat(700) }, { path: 'x' }],
    ...version10(text10([0, 700]), 'a'.repeat(700), { 'GNU.sparse.realsize': '700' }),
  ),
  good(
    'sparse-pax10-hole-only',
    [{ path: 's', size: 100_000, text: '\0'.repeat(100_000) }, { path: 'x' }],
    ...version10(text10([100_000, 0]), '', { 'GNU.sparse.realsize': '100000' }),
  ),
  good(
    'sparse-pax10-empty',
    [{ path: 's', size: 0, text: '' }, { path: 'x' }],
    ...version10(text10([]), '', { 'GNU.sparse.realsize': '0' }),
  ),
  good(
    'sparse-pax10-map-of-many-blocks',
    [{ path: 's', size: 1024 * 200 }, { path: 'x' }],
    ...version10(text10(Array.from({ length: 200 }, (_, i) => [1024 * i, 512]).flat()), block('z').repeat(200), {
      'GNU.sparse.realsize': String(1024 * 200),
    }),
  ),
  good(
    'sparse-pax01-no-blocks',
    [{ path: 's', size: 2560, text: zeros(5) }, { path: 'x' }],
    ...version01('', '', { 'GNU.sparse.numblocks': '0' }),
  ),
  malformed('sparse-pax00-out-of-order', ...version00([pairs[1]!, pairs[0]!, ...pairs.slice(2)], DATA)),
  malformed('sparse-pax00-odd', ...version00(pairs.slice(0, 5), DATA)),
  malformed('sparse-pax00-and-01', tarPax(record('offset', 0) + record('numbytes', 0) + record('map', '0,0')), x),
  malformed('sparse-pax01-odd', ...version01('512', DATA)),
  malformed('sparse-pax01-wrong-count', ...version01(MAP.join(','), DATA, { 'GNU.sparse.numblocks': '2' })),
  malformed('sparse-pax01-negative', ...version01('-512,512,1536,512,2560,0', DATA)),
  malformed('sparse-pax01-blanks', ...version01('512, 512,1536,512,2560,0', DATA)),
  malformed('sparse-pax-no-size', tarPax({ 'GNU.sparse.map': '0,3', 'GNU.sparse.numblocks': '1' }), x),
  malformed('sparse-pax-unknown-version', ...version10(text10(MAP), DATA, { 'GNU.sparse.minor': '1' })),
  malformed('sparse-pax-major-only', tarPax({ 'GNU.sparse.major': '2' }), x),
  malformed('sparse-pax-name-only', tarPax({ 'GNU.sparse.name': 'x' }), x),
  malformed(
    'sparse-pax-size-over-2-53',
    ...version10(text10(MAP), DATA, { 'GNU.sparse.realsize': '9007199254740993' }),
  ),
  malformed(
    'sparse-pax-on-directory',
    tarPax({ 'GNU.sparse.size': '0', 'GNU.sparse.numblocks': '0' }),
    tarMember({ flag: '5' }),
  ),
  bad10('sparse-pax10-overlap', [512, 512, 768, 512]),
  bad10('sparse-pax10-unsorted', [1536, 512, 512, 512]),
  bad10('sparse-pax10-beyond-size', [512, 512, 2304, 512]),
  bad10('sparse-pax10-unaligned', [512, 100, 1536, 412]),
  bad10('sparse-pax10-too-little-data', [512, 512, 1024, 1024]),
  bad10('sparse-pax10-too-much-data', [512, 512]),
  malformed('sparse-pax10-negative', ...version10('1\n-1\n512\n', block('a'))),
  malformed('sparse-pax10-plus', ...version10('1\n+1\n512\n', block('a'))),
  malformed('sparse-pax10-empty-line', ...version10('1\n\n512\n', block('a'))),
  malformed('sparse-pax10-no-newline', ...version10(`1\n0\n512${'\0'.repeat(600)}`, '')),
  malformed('sparse-pax10-endless-digits', ...version10('9'.repeat(100_000), '')),
  malformed('sparse-pax10-map-longer-than-content', ...version10('3\n512\n512\n', '')),
  malformed(
    'sparse-pax10-no-content',
    tarPax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '1' }),
    x,
  ),
  excessive('sparse-pax10-count-bomb', ...version10('9999999999999\n', '')),
  excessive('sparse-pax10-10001-regions', ...version10('10001\n', '')),
  excessive(
    'sparse-pax01-10001-regions',
    ...version01(Array(20_002).fill('0').join(','), '', { 'GNU.sparse.numblocks': '10001' }),
  ),
  malformed('sparse-pax00-count-bomb', tarPax((record('offset', 0) + record('numbytes', 0)).repeat(20_000)), x),
  excessive('sparse-pax10-huge', ...version10(text10([]), '', { 'GNU.sparse.realsize': String(2 ** 52) })),
  // Regions of one byte: readers disagree about the bytes between them.
  bad10('golang-tar/sparse-formats.tar', [1, 1, 3, 1, 5, 1, 7, 1], 'ABCD'),
  // Written by GNU tar for a file that ends with data.
  good(
    'libarchive/gtar_sparse_1_17_posix10.tar',
    [{ path: 's', size: 3_145_728 }, { path: 'x' }],
    ...version10(text10([1_048_576, 1024, 2_097_152, 512, 3_145_216, 512]), block('a').repeat(4), {
      'GNU.sparse.realsize': '3145728',
      path: './GNUSparseFile.1/s',
    }),
  ),
  good(
    'libarchive/gtar_sparse_1_17_posix01.tar',
    [{ path: 's', size: 2560 }, { path: 'x' }],
    ...version01(MAP.join(','), DATA, { path: './GNUSparseFile.1/s' }),
  ),
  malformed('sparse-name-escape', ...version10(text10(MAP), DATA, { 'GNU.sparse.name': '../../etc/passwd' })),
  malformed('sparse-name-nul', ...version10(text10(MAP), DATA, { 'GNU.sparse.name': 'a\0b' })),
  malformed('sparse-oldgnu', tarMember({ flag: 'S', magic: 'ustar  \0' }, 'abc'), x),
  malformed('sparse-oldgnu-unaligned', tarMember({ flag: 'S', magic: 'ustar  \0' }, 'a'.repeat(700)), x),
  malformed('sparse-oldgnu-huge', tarBlock({ flag: 'S', magic: 'ustar  \0' }), x),
  malformed('sparse-oldgnu-ext-bomb', tarBlock({ flag: 'S', magic: 'ustar  \0' }), Buffer.alloc(51_200, 1), x),
]
