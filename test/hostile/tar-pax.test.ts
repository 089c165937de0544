import { expect, test } from 'vitest'
import { readTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { tarBlock, tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const faultOf = (...members: Uint8Array[]) =>
  thrownBy(() => readEntries(readTar(cut(Buffer.concat([...members, tarMember({ name: 'x' }, 'abc'), tarEnd]), 700))))

test.each([
  ['length 0', '0 a=b\n'],
  ['length 1', '1 a=b\n'],
  ['a negative length', '-6 a=b\n'],
  ['a plus sign', '+6 a=b\n'],
  ['a hexadecimal length', '0x6 a=b\n'],
  ['a leading zero', '006 a=b\n'],
  ['a length past the end', '7 a=b\n'],
  ['a length of very many digits', '99999999999999999999 a=b\n'],
  ['a length too small', '5 a=b\n'],
  ['no newline', '6 a=bc'],
  ['no =', '6 abc\n'],
  ['an empty key', '5 =b\n'],
  ['no blank', '6a=b\n'],
  ['a = behind the record', '4 a\n6 a=b\n'],
  ['NULs as padding', '6 a=b\n\0\0\0'],
])('a record with %s is refused', async (_, body) => {
  expect(await faultOf(tarPax(body))).toMatchObject({ code: 'ERR_INVALID_TAR' })
})

test.each([
  { size: '-1' },
  { size: '0x10' },
  { size: '1e3' },
  { size: '9007199254740993' },
  { size: '99999999999999999999' },
  { uid: '4294967295' },
  { uid: '-1' },
  { gid: '18446744073709551616' },
  { gid: '1.5' },
  { mtime: 'NaN' },
  { mtime: '1e9' },
  { mtime: '99999999999999999999' },
  { path: 'a\0b' },
  { path: '../x' },
  { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' },
  { 'GNU.sparse.map': '0,1' },
  { 'GNU.sparse.name': 'x' },
])('%j is refused', async records => {
  expect(await faultOf(tarPax(records as Record<string, string>))).toMatchObject({ code: 'ERR_INVALID_TAR' })
})

test.each([
  ['two PAX headers for one entry', [tarPax({ comment: 'a' }), tarPax({ comment: 'b' })]],
  ['two long names for one entry', [tarMember({ flag: 'L' }, 'a'), tarMember({ flag: 'L' }, 'b')]],
  ['two long links for one entry', [tarMember({ flag: 'K' }, 'a'), tarMember({ flag: 'K' }, 'b')]],
  ['a long name and a PAX path', [tarMember({ flag: 'L' }, 'a'), tarPax({ path: 'b' })]],
  ['an empty PAX header', [tarPax('')]],
  ['an empty long name', [tarMember({ flag: 'L' })]],
  ['a long name that begins with a NUL', [tarMember({ flag: 'L' }, '\0a')]],
])('%s are refused', async (_, members) => {
  expect(await faultOf(...members)).toMatchObject({ code: 'ERR_INVALID_TAR' })
})

test.each([
  ['x', 1024 * 1024 + 1],
  ['x', 2 ** 32],
  ['g', 2 ** 32],
  ['L', 2 ** 30],
  ['K', 5000],
])('an extended header of type %s that announces %i bytes is refused before anything is kept', async (flag, size) => {
  const before = process.memoryUsage().arrayBuffers
  expect(await faultOf(tarBlock({ flag, size }))).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
})

test('a megabyte of records is read in a moment', async () => {
  const records = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`key${i}`, 'value value']))
  const entries = await readEntries(readTar(Buffer.concat([tarPax(records), tarMember({ name: 'x' }), tarEnd])))
  expect(entries).toHaveLength(1)
})

test('records named like members of objects do nothing', async () => {
  const records = JSON.parse('{"__proto__":"evil","constructor":"evil","SCHILY.xattr.__proto__":"v"}')
  const [entry] = await readEntries(readTar(Buffer.concat([tarPax(records), tarMember({ name: 'x' }), tarEnd])))
  expect([...entry!.xattrs!.keys()]).toEqual(['__proto__'])
  expect(({} as { evil?: string }).evil).toBeUndefined()
})
