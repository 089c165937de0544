import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readTar, type TarEntry, writeTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { settle } from '../helpers/settle.ts'
import { tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const archive = (...members: Uint8Array[]) => Buffer.concat([...members, tarEnd])
const entriesOf = (bytes: Uint8Array, size = 65536) => readEntries(readTar(cut(bytes, size)))
const MIB = 1024 * 1024

describe('names', () => {
  test.each([
    ['./a/b', 'a/b'],
    ['/a/b', 'a/b'],
    ['//a//b', 'a/b'],
    ['a/./b/.', 'a/b'],
    ['...', '...'],
    ['.wh.x', '.wh.x'],
    ['a\\b', 'a\\b'],
    ['..a/b..', '..a/b..'],
  ])('%s is kept as %s', async (name, path) => {
    expect(await entriesOf(archive(tarMember({ name })))).toMatchObject([{ path, type: 'file' }])
  })

  test.each(['.', './', '/', './.'])('%s is the root', async name => {
    expect(await entriesOf(archive(tarMember({ name, flag: '5' })))).toMatchObject([{ path: '.', type: 'directory' }])
  })

  test('bytes that are not UTF-8 are kept, in every place a name can stand', async () => {
    const bytes = Buffer.from('caf\xe9', 'latin1')
    const entries = await entriesOf(
      archive(
        tarMember({ name: bytes }),
        tarPax({ path: bytes, linkpath: bytes }),
        tarMember({ flag: '2', linkname: 'x' }),
        tarMember({ name: '././@LongLink', flag: 'L' }, Buffer.concat([bytes, Buffer.from('\0after')])),
        tarMember({ name: '././@LongLink', flag: 'K' }, bytes),
        tarMember({ flag: '2', linkname: 'x' }),
      ),
    )
    expect(entries.map(({ path }) => path)).toEqual(Array(3).fill('caf\udce9'))
    expect(entries.map(({ linkname }) => linkname)).toEqual([undefined, 'caf\udce9', 'caf\udce9'])
  })

  test('readTar puts the ustar prefix in front, and ignores that field under the GNU magic', async () => {
    const entries = await entriesOf(
      archive(
        tarMember({ name: 'b', prefix: 'a' }),
        tarMember({ name: 'b', prefix: '12345670123', magic: 'ustar  \0' }),
        tarMember({ name: 'old', magic: '\0\0\0\0\0\0\0\0' }),
      ),
    )
    expect(entries.map(({ path }) => path)).toEqual(['a/b', 'b', 'old'])
  })

  test('a target of a link is kept as it stands, that of a hard link in the form of a path', async () => {
    const entries = await entriesOf(
      archive(
        tarMember({ name: 's', flag: '2', linkname: '../../x//y/' }),
        tarMember({ name: 'h', flag: '1', linkname: './x//y' }),
      ),
    )
    expect(entries).toMatchObject([
      { type: 'symlink', linkname: '../../x//y/' },
      { type: 'hardlink', linkname: 'x/y' },
    ])
  })
})

describe('header fields', () => {
  test('every type is understood', async () => {
    const flags = ['0', '\0', '7', '5', '3', '4', '6']
    const entries = await entriesOf(
      archive(...flags.map(flag => tarMember({ flag, devmajor: '0000010\0', devminor: '0000003\0' }))),
    )
    expect(entries.map(({ type }) => type)).toEqual([
      'file',
      'file',
      'file',
      'directory',
      'character-device',
      'block-device',
      'fifo',
    ])
    expect(entries[4]).toMatchObject({ devMajor: 8, devMinor: 3 })
    expect(entries[0]).not.toHaveProperty('devMajor')
  })

  test('a name that ends with a slash makes a directory in archives from before ustar only', async () => {
    expect(
      await entriesOf(
        archive(
          tarMember({ name: 'a/', flag: '\0' }),
          tarMember({ name: 'b/', flag: '\0', magic: '\0\0\0\0\0\0\0\0' }),
          tarMember({ name: 'c/', flag: '0' }, 'abc'),
        ),
      ),
    ).toMatchObject([
      { path: 'a', type: 'directory' },
      { path: 'b', type: 'directory' },
      { path: 'c', type: 'file', text: 'abc' },
    ])
  })

  test('numbers may be octal in all its spellings, blank, or base 256', async () => {
    const fields = {
      mode: '  644 \0 ',
      uid: Buffer.from('8000000000300000', 'hex'),
      gid: '        ',
      mtime: Buffer.from('fffffffffffffffffffffffb', 'hex'),
      size: Buffer.from('800000000000000000000003', 'hex'),
    }
    expect(await entriesOf(archive(tarMember(fields, 'abc')))).toMatchObject([
      { mode: 0o644, uid: 3145728, gid: 0, mtime: -5, size: 3, text: 'abc' },
    ])
  })

  test('of a mode only permission bits are kept', async () => {
    expect(await entriesOf(archive(tarMember({ mode: '0107755\0' })))).toMatchObject([{ mode: 0o7755 }])
  })

  test('PAX records win over the header', async () => {
    const pax = { path: 'long', uid: '4000000000', gid: '7', mtime: '1700000000.25', size: '3', comment: 'x' }
    const entries = await entriesOf(archive(tarPax(pax), tarMember({ size: 0 }, 'abc'), tarMember({ name: 'next' })))
    expect(entries).toMatchObject([
      { path: 'long', uid: 4000000000, gid: 7, mtime: 1700000000.25, size: 3, text: 'abc' },
      { path: 'next', uid: 0 },
    ])
  })

  test('an empty PAX record leaves the header as it is', async () => {
    const entries = await entriesOf(archive(tarPax({ path: '', uid: '', mtime: '' }), tarMember({ name: 'a' })))
    expect(entries).toMatchObject([{ path: 'a', uid: 0, mtime: 0 }])
  })

  test('extended attributes are bytes', async () => {
    const value = Buffer.from('0100000200fffe80000a003d', 'hex')
    const [entry] = await entriesOf(archive(tarPax({ 'SCHILY.xattr.security.capability': value }), tarMember({})))
    expect([...entry!.xattrs!]).toEqual([['security.capability', value]])
  })

  test('global PAX records have no effect', async () => {
    const entries = await entriesOf(
      archive(
        tarPax({ path: 'evil', size: '512', uid: '5', comment: 'x' }, 'g'),
        tarPax({ mtime: '1' }),
        tarMember({ name: 'a' }, 'abc'),
        tarMember({ name: 'b' }),
      ),
    )
    expect(entries).toMatchObject([{ path: 'a', uid: 0, mtime: 1, text: 'abc' }, { path: 'b' }])
  })
})

describe('the stream', () => {
  const big = mixedBytes(3 * MIB + 7)
  const sample = () =>
    readAll(
      writeTar([
        { path: 'd', type: 'directory' },
        { path: 'd/big', type: 'file', content: big },
        { path: 'd/small', type: 'file', content: 'small', xattrs: new Map([['user.a', Buffer.from('b')]]) },
        { path: 'd/empty', type: 'file' },
      ]),
    )

  test.each([1, 511, 513, 65536, 10 * MIB])('cut at %i bytes gives the same entries', async size => {
    const bytes = size === 1 ? (await sample()).subarray(512 * 6145) : await sample()
    const entries = size === 1 ? await entriesOf(await small(), 1) : await entriesOf(bytes, size)
    expect(entries.map(({ path }) => path)).toEqual(['d', 'd/big', 'd/small', 'd/empty'])
    if (size > 1) expect(Buffer.from(entries[1]!.text, 'latin1').equals(big)).toBe(true)
    expect(entries[2]).toMatchObject({ text: 'small' })
  })
  const small = () =>
    readAll(
      writeTar([
        { path: 'd', type: 'directory' },
        { path: 'd/big', type: 'file', content: 'big' },
        { path: 'd/small', type: 'file', content: 'small', xattrs: new Map([['user.a', Buffer.from('b')]]) },
        { path: 'd/empty', type: 'file' },
      ]),
    )

  test('content that is not read, or only begun, is skipped', async () => {
    const paths: string[] = []
    for await (const entry of readTar(cut(await sample(), 50_000))) {
      paths.push(entry.path)
      if (entry.path === 'd/big') for await (const _ of entry.content) break
    }
    expect(paths).toEqual(['d', 'd/big', 'd/small', 'd/empty'])
  })

  test('a source may reuse its buffer if pieces are not kept', async () => {
    const bytes = await sample()
    const buffer = Buffer.alloc(40_000)
    const reusing = (function* () {
      for (let at = 0; at < bytes.byteLength; at += buffer.byteLength)
        yield buffer.subarray(0, bytes.copy(buffer, 0, at))
    })()
    const again = await readAll(writeTar(readTar(reusing)))
    expect(again.equals(bytes)).toBe(true)
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['two zero blocks', tarEnd],
    ['one zero block', Buffer.alloc(512)],
    ['many zero blocks', Buffer.alloc(10240)],
  ])('%s is an empty archive', async (_, bytes) => {
    expect(await entriesOf(bytes)).toEqual([])
  })

  test('a missing end mark is no fault', async () => {
    expect(await entriesOf(tarMember({}, 'abc'))).toMatchObject([{ text: 'abc' }])
  })

  test('bytes after the end are read and ignored', async () => {
    const bytes = Buffer.concat([
      archive(tarMember({})),
      Buffer.from('garbage'),
      archive(tarMember({ name: 'hidden' })),
    ])
    const hash = createHash('sha256')
    const observed = (async function* () {
      for await (const chunk of cut(bytes, 100)) {
        hash.update(chunk)
        yield chunk
      }
    })()
    expect(await readEntries(readTar(observed))).toHaveLength(1)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  test('a source that is an array of chunks or one buffer is read, too', async () => {
    expect(await readEntries(readTar(await sample()))).toHaveLength(4)
    expect(await readEntries(readTar([await sample()]))).toHaveLength(4)
  })

  test('an entry that is not read holds the source back', async () => {
    const bytes = archive(tarMember({}, mixedBytes(20 * MIB)))
    const { source, state } = watchedSource(
      Array.from({ length: 210 }, (_, i) => bytes.subarray(i * 1e5, (i + 1) * 1e5)),
    )
    const entries = readTar(source)
    await entries.next()
    await settle()
    expect(state.taken).toBeLessThan(10)
    await entries.return()
    expect(state.returned).toBe(true)
  })

  test('leaving early stops the source, also with content half read', async () => {
    const { source, state } = watchedSource([...chunksOfSample(await sample())])
    for await (const entry of readTar(source)) {
      if (entry.path !== 'd/big') continue
      for await (const _ of entry.content) break
      break
    }
    expect(state.returned).toBe(true)
  })
  const chunksOfSample = function* (bytes: Buffer) {
    for (let at = 0; at < bytes.byteLength; at += 65536) yield bytes.subarray(at, at + 65536)
  }

  test('content that was skipped throws instead of being empty', async () => {
    const passed: AsyncIterable<Uint8Array>[] = []
    for await (const entry of readTar(await sample())) passed.push(entry.content)
    expect(await thrownBy(() => readAll(passed[1]!))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(await readAll(passed[0]!)).toHaveLength(0)
  })

  test('content that was begun and not waited for does not confuse what follows', async () => {
    const entries = readTar(cut(await sample(), 1000))
    await entries.next()
    const first = await entries.next()
    const chunks = (first.value as TarEntry).content[Symbol.asyncIterator]()
    const begun = [chunks.next(), chunks.next(), chunks.next()]
    const next = await entries.next()
    expect((next.value as TarEntry).path).toBe('d/small')
    expect((await readAll((next.value as TarEntry).content)).toString()).toBe('small')
    const ends = await Promise.allSettled(begun)
    expect(ends[0]).toMatchObject({ status: 'fulfilled' })
    expect((await entries.next()).value).toMatchObject({ path: 'd/empty' })
  })

  test('a fault in the archive ends the loop also after the content has thrown it, and stops the source', async () => {
    const broken = Buffer.concat([tarMember({ name: 'a' }, 'y'.repeat(600)), Buffer.alloc(512, 'no header')])
    const { source, state } = watchedSource([broken, broken])
    expect(await thrownBy(() => readEntries(readTar(source)))).toMatchObject({ code: 'ERR_INVALID_TAR' })
    expect(state).toEqual({ taken: 1, returned: true })
  })

  test('an abort between two pieces of content ends it with the reason', async () => {
    const controller = new AbortController()
    const read = async () => {
      for await (const { content } of readTar(cut(await sample(), 1000), { signal: controller.signal })) {
        for await (const _ of content) controller.abort('enough')
      }
    }
    expect(await thrownBy(read)).toBe('enough')
  })

  test('an abort between two entries of one chunk ends the loop with the reason', async () => {
    const controller = new AbortController()
    const read = async () => {
      for await (const _ of readTar([await sample()], { signal: controller.signal })) controller.abort('enough')
    }
    expect(await thrownBy(read)).toBe('enough')
  })

  test('an error of the source reaches the caller unchanged, in the loop and in the content', async () => {
    const fault = new Error('fault')
    const bytes = await sample()
    const failing = async function* (size: number) {
      yield bytes.subarray(0, size)
      throw fault
    }
    expect(await thrownBy(() => readEntries(readTar(failing(512))))).toBe(fault)
    let seen: unknown
    const read = async () => {
      for await (const entry of readTar(failing(100_000))) {
        if (entry.path === 'd/big') seen = await thrownBy(() => readAll(entry.content))
      }
    }
    expect(await thrownBy(read)).toBe(fault)
    expect(seen).toBe(fault)
  })

  test('an abort ends a silent source with the reason', async () => {
    const controller = new AbortController()
    const { source } = watchedSource([(await sample()).subarray(0, 100_000)], { silent: true })
    setTimeout(() => controller.abort('enough'), 50)
    expect(await thrownBy(() => readEntries(readTar(source, { signal: controller.signal })))).toBe('enough')
  })

  test('an abort before the first entry reads nothing', async () => {
    const { source, state } = watchedSource([tarEnd])
    expect(await thrownBy(() => readEntries(readTar(source, { signal: AbortSignal.abort('enough') })))).toBe('enough')
    expect(state.taken).toBe(0)
  })
})
