import { expect, test } from 'vitest'
import { readTar } from '../../lib/tar/index.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const faultOf = (...members: Uint8Array[]) => thrownBy(() => readEntries(readTar(Buffer.concat([...members, tarEnd]))))

test.each(['..', '../x', 'a/..', 'a/../b', '/../x', './../x', 'a/../../x', '..//x'])(
  'the path %s is refused, in every place a path can stand',
  async path => {
    const code = 'ERR_INVALID_TAR'
    expect(await faultOf(tarMember({ name: path }))).toMatchObject({ code, at: 'byte 0' })
    expect(await faultOf(tarPax({ path }), tarMember({}))).toMatchObject({ code, at: 'byte 1024' })
    expect(await faultOf(tarMember({ flag: 'L' }, path), tarMember({}))).toMatchObject({ code })
    expect(await faultOf(tarMember({ name: 'x', prefix: path }))).toMatchObject({ code })
    expect(await faultOf(tarMember({ name: 'h', flag: '1', linkname: path }))).toMatchObject({ code })
  },
)

test.each([
  ['an empty name', tarMember({ name: '' })],
  ['a root that is a file', tarMember({ name: './' }, 'abc')],
  ['a root that is a file by name', tarMember({ name: '.' })],
  ['a root that is a link', tarMember({ name: '.', flag: '2', linkname: '/etc' })],
  ['a link to nothing', tarMember({ flag: '2' })],
  ['a hard link to nothing', tarMember({ flag: '1' })],
])('%s is refused', async (_, member) => {
  expect(await faultOf(member)).toMatchObject({ code: 'ERR_INVALID_TAR' })
})

test.each([
  ['a path', { path: `${'d/'.repeat(2048)}e` }],
  ['a target', { linkpath: 'x'.repeat(4097) }],
])('%s over 4,096 bytes is refused', async (_, records) => {
  expect(await faultOf(tarPax(records), tarMember({ flag: '2', linkname: 'x' }))).toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
    limit: 4096,
  })
})

test('a path of 4,096 bytes is read', async () => {
  const path = `${'d/'.repeat(2047)}ee`
  const entries = await readEntries(readTar(Buffer.concat([tarPax({ path }), tarMember({}), tarEnd])))
  expect(entries).toMatchObject([{ path }])
})
