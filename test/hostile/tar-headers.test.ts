import { describe, expect, test } from 'vitest'
import { readTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { tarBlock, tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const faultOf = (...members: Uint8Array[]) =>
  thrownBy(() => readEntries(readTar(cut(Buffer.concat([...members, tarEnd]), 700))))
const first = tarMember({ name: 'first' }, 'abc')
const hex = (text: string) => Buffer.from(text, 'hex')

test.each([
  ['a wrong checksum', tarMember({ checksum: '000001\0 ' })],
  ['a blank checksum', tarMember({ checksum: '        ' })],
  ['no octal in the checksum', tarMember({ checksum: '00x001\0 ' })],
  ['a negative size', tarMember({ size: hex('ffffffffffffffffffffffff') })],
  ['a size over 2^53', tarMember({ size: hex('800000000020000000000001') })],
  ['a size over 2^63', tarMember({ size: hex('80000000ffffffffffffffff') })],
  ['no octal in the size', tarMember({ size: '0000000008\0\0' })],
  ['text after the size', tarMember({ size: '3 garbage' }, 'abc')],
  ['a size of NULs, a blank and a digit', tarMember({ size: '\0 3' }, 'abc')],
  ['an owner of -1', tarMember({ uid: hex('80000000ffffffff') })],
  ['an owner over 32 bits', tarMember({ uid: hex('8000000100000000') })],
  ['a negative owner', tarMember({ gid: hex('ffffffffffffffff') })],
  ['garbage as an owner', tarMember({ gid: 'root\0' })],
  ['a device number over 32 bits', tarMember({ flag: '3', devmajor: '\x80\0\0\x01\0\0\0\0' })],
  ['a hard link with content', tarMember({ flag: '1', linkname: 'first' }, 'abc')],
  ['a symbolic link with content', tarMember({ flag: '2', linkname: 'first' }, 'abc')],
  ['a directory with content', tarMember({ flag: '5' }, 'abc')],
  ['a directory by its slash, with content', tarMember({ name: 'a/', flag: '\0' }, 'abc')],
  ['a fifo with content', tarMember({ flag: '6' }, 'abc')],
  ['an old GNU sparse file', tarMember({ flag: 'S' }, 'abc')],
  ['a multi-volume entry', tarMember({ flag: 'M' }, 'abc')],
  ['a volume label', tarMember({ flag: 'V' })],
  ['a dumped directory', tarMember({ flag: 'D' }, 'abc')],
  ['an unknown type', tarMember({ flag: '?' })],
  ['plain text', Buffer.alloc(1024, 'plain text that is no archive ')],
  ['a second member after one zero block', Buffer.concat([Buffer.alloc(512), first])],
])('%s is refused, with the byte where it shows', async (_, member) => {
  const error = await faultOf(first, member)
  expect(error).toMatchObject({ code: 'ERR_INVALID_TAR' })
  expect(error.at).toMatch(/^byte (1024|1536)$/)
})

test('an archive cut anywhere is refused, unless an entry ends there', async () => {
  const whole = Buffer.concat([tarPax({ path: 'p' }), first, tarMember({ name: 'second' }, Buffer.alloc(600)), tarEnd])
  for (let size = 1; size <= whole.byteLength; size += 37) {
    const cutAt = whole.subarray(0, size)
    const good = [2048, 3584 + 512, 3584 + 1024].includes(size)
    const outcome = await readEntries(readTar(cutAt)).then(
      () => 'read',
      error => error.code,
    )
    expect(outcome, `cut at ${size}`).toBe(good ? 'read' : 'ERR_INVALID_TAR')
  }
})

test.each([
  ['after a PAX header', tarPax({ path: 'p' })],
  ['after a GNU long name', tarMember({ flag: 'L' }, 'long')],
  ['after a GNU long link', tarMember({ flag: 'K' }, 'long')],
])('the end of the archive %s is refused, with and without an end mark', async (_, member) => {
  expect(await faultOf(first, member)).toMatchObject({ code: 'ERR_INVALID_TAR' })
  const unmarked = Buffer.concat([first, member])
  expect(await thrownBy(() => readEntries(readTar(unmarked)))).toMatchObject({ code: 'ERR_INVALID_TAR' })
})

describe('sizes that lie', () => {
  test('a PAX size hides no entry: it wins over the header', async () => {
    const hidden = tarMember({ name: 'hidden' }, 'x')
    const entries = await readEntries(
      readTar(Buffer.concat([tarPax({ size: '1024' }), tarBlock({ name: 'outer', size: 0 }), hidden, tarEnd])),
    )
    expect(entries.map(({ path, size }) => [path, size])).toEqual([['outer', 1024]])
  })

  test('a PAX size counts for the next entry only, not for a long name in between', async () => {
    const entries = await readEntries(
      readTar(
        Buffer.concat([
          tarPax({ size: '3' }),
          tarMember({ flag: 'L' }, 'a long name'),
          tarMember({ size: 9 }, 'abc'),
          first,
          tarEnd,
        ]),
      ),
    )
    expect(entries).toMatchObject([
      { path: 'a long name', text: 'abc' },
      { path: 'first', text: 'abc' },
    ])
  })

  test('content that never comes is truncation, however much is announced', async () => {
    expect(await faultOf(tarBlock({ size: 2 ** 33 - 1 }))).toMatchObject({ code: 'ERR_INVALID_TAR' })
    expect(await faultOf(tarPax({ size: '1099511627770' }), tarBlock())).toMatchObject({ code: 'ERR_INVALID_TAR' })
  })
})
