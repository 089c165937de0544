import { execFileSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { readTar, type TarInput, writeTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { settle } from '../helpers/settle.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const MIB = 1024 * 1024
const written = (...entries: TarInput[]) => readAll(writeTar(entries))
const back = async (...entries: TarInput[]) => readEntries(readTar(await written(...entries)))

describe('headers', () => {
  test('a file takes one plain block with fixed values where none are given', async () => {
    const bytes = await written({ path: 'a', type: 'file', content: 'x' })
    expect(bytes.byteLength).toBe(512 + 512 + 1024)
    expect(bytes.subarray(1024)).toEqual(Buffer.alloc(1024))
    expect(await readEntries(readTar(bytes))).toEqual([
      { path: 'a', type: 'file', mode: 0o644, uid: 0, gid: 0, size: 1, mtime: 0, offset: 512, text: 'x' },
    ])
    expect(bytes.subarray(265, 329)).toEqual(Buffer.alloc(64))
  })

  test.each([
    ['directory', 0o755],
    ['fifo', 0o644],
  ] as const)('a %s has mode %o by default', async (type, mode) => {
    expect(await back({ path: 'a', type })).toMatchObject([{ type, mode, size: 0 }])
  })

  test('links have their modes and targets, devices their numbers', async () => {
    const entries = await back(
      { path: 's', type: 'symlink', linkname: '../x/' },
      { path: 'h', type: 'hardlink', linkname: './s' },
      { path: 'c', type: 'character-device', devMajor: 1, devMinor: 3 },
      { path: 'b', type: 'block-device', devMajor: 8 },
    )
    expect(entries).toMatchObject([
      { type: 'symlink', mode: 0o777, linkname: '../x/' },
      { type: 'hardlink', mode: 0o644, linkname: 's' },
      { type: 'character-device', devMajor: 1, devMinor: 3 },
      { type: 'block-device', devMajor: 8, devMinor: 0 },
    ])
  })

  test('a mode of zero stays zero and the bits above permissions stay', async () => {
    expect(await back({ path: 'a', type: 'file', mode: 0 }, { path: 'b', type: 'file', mode: 0o7777 })).toMatchObject([
      { mode: 0 },
      { mode: 0o7777 },
    ])
  })

  test.each([
    [0, 0],
    [262143, 0],
    [262144, 1024],
    [2097152, 1024],
    [2 ** 32 - 2, 1024],
  ])('owner %i comes back, with %i bytes of PAX', async (uid, pax) => {
    const bytes = await written({ path: 'a', type: 'file', uid, gid: uid })
    expect(bytes.byteLength).toBe(512 + 1024 + pax)
    expect(await readEntries(readTar(bytes))).toMatchObject([{ uid, gid: uid }])
  })

  test.each([
    [1.9, 1],
    [-1.5, -2],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, 2 ** 31],
    [5e9, 5e9],
    [-1, -1],
  ])('time %d comes back as %d', async (mtime, seconds) => {
    expect(await back({ path: 'a', type: 'file', mtime })).toMatchObject([{ mtime: seconds }])
  })

  test.each([
    ['a'.repeat(100), false],
    ['a'.repeat(101), true],
    [`${'a'.repeat(155)}/${'b'.repeat(100)}`, false],
    [`${'a'.repeat(156)}/${'b'.repeat(100)}`, true],
    [`${'a'.repeat(50)}/${'b'.repeat(60)}/${'c'.repeat(60)}`, false],
    ['ü', true],
    ['\udcff\udcfe', true],
    ['a\u{1f600}b', true],
    [`${'d/'.repeat(2000)}e`, true],
  ])('path %s comes back', async (path, usesPax) => {
    const bytes = await written({ path, type: 'file' })
    expect(bytes.byteLength > 1536).toBe(usesPax)
    expect(await readEntries(readTar(bytes))).toMatchObject([{ path }])
  })

  test.each(['a'.repeat(150), 'x'.repeat(99), 'ü'.repeat(60)])('a directory %s comes back', async path => {
    expect(await back({ path, type: 'directory' })).toMatchObject([{ path, type: 'directory' }])
  })

  test.each(['t'.repeat(100), 't'.repeat(101), '\udc80', '/ü'])('a link to %s comes back', async linkname => {
    expect(await back({ path: 'l', type: 'symlink', linkname })).toMatchObject([{ linkname }])
  })

  test('the root is written as ./', async () => {
    const bytes = await written({ path: '/', type: 'directory' })
    expect(bytes.toString('latin1', 0, 3)).toBe('./\0')
  })

  test('extended attributes come back as bytes and do not depend on their order', async () => {
    const a = ['user.a', Buffer.from([0, 255, 254, 10, 61])] as const
    const b = ['security.capability', Buffer.from('0100000200fffe8000000000', 'hex')] as const
    const one = await written({ path: 'f', type: 'file', xattrs: new Map([a, b]) })
    expect((await written({ path: 'f', type: 'file', xattrs: new Map([b, a]) })).equals(one)).toBe(true)
    const [entry] = await readEntries(readTar(one))
    expect(entry!.xattrs).toEqual(new Map([b, a]))
  })

  test.each([95, 96, 97, 985, 986, 987, 988])(
    'a PAX record of about a power of ten (%i) has the right length',
    async n => {
      const xattrs = new Map([['u', Buffer.alloc(n, 'x')]])
      expect((await back({ path: 'f', type: 'file', xattrs }))[0]!.xattrs).toEqual(xattrs)
    },
  )

  test('a size over 8 GiB is written for readers of both kinds', async () => {
    const size = 8 * 1024 ** 3
    const first = await writeTar([
      { path: 'f', type: 'file', size, content: watchedSource([Buffer.alloc(MIB)]).source },
    ])
    const { value } = await first.next()
    await first.return()
    expect(Buffer.from(value!).toString('latin1', 512, 531)).toContain('size=8589934592\n')
    expect(Buffer.from(value!).toString('hex', 1024 + 124, 1024 + 136)).toBe('800000000000000200000000')
  })
})

describe('refusals', () => {
  test.each([
    ['an empty path', { path: '', type: 'file' }],
    ['.. in a path', { path: 'a/../b', type: 'file' }],
    ['a NUL in a path', { path: 'a\0b', type: 'file' }],
    ['a root that is no directory', { path: '.', type: 'file' }],
    ['an unknown type', { path: 'a', type: 'socket' as never }],
    ['a link without a target', { path: 'a', type: 'symlink' }],
    ['a link with an empty target', { path: 'a', type: 'symlink', linkname: '' }],
    ['a hard link out of the root', { path: 'a', type: 'hardlink', linkname: '../b' }],
    ['a mode over 7777', { path: 'a', type: 'file', mode: 0o10000 }],
    ['a fraction of an owner', { path: 'a', type: 'file', uid: 1.5 }],
    ['an owner of -1', { path: 'a', type: 'file', gid: 2 ** 32 - 1 }],
    ['no number as a time', { path: 'a', type: 'file', mtime: Number.NaN }],
    ['a device number too large', { path: 'a', type: 'block-device', devMinor: 2 ** 18 }],
    ['content of a directory', { path: 'a', type: 'directory', content: 'x' }],
    ['a size of a link', { path: 'a', type: 'symlink', linkname: 'b', size: 1 }],
    ['a stream without a size', { path: 'a', type: 'file', content: [Buffer.from('x')] }],
    ['a negative size', { path: 'a', type: 'file', content: [Buffer.from('x')], size: -1 }],
    ['an attribute with = in its name', { path: 'a', type: 'file', xattrs: new Map([['a=b', Buffer.alloc(1)]]) }],
  ] satisfies [string, TarInput][])('%s', async (_, entry) => {
    expect(await thrownBy(() => written(entry))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test.each([
    ['a path over 4,096 bytes', { path: 'ü'.repeat(2049), type: 'file' }],
    ['a target over 4,096 bytes', { path: 'a', type: 'symlink', linkname: 'x'.repeat(4097) }],
    ['attributes over 1 MiB', { path: 'a', type: 'file', xattrs: new Map([['a', Buffer.alloc(MIB)]]) }],
  ] satisfies [string, TarInput][])('%s', async (_, entry) => {
    expect(await thrownBy(() => written(entry))).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  })

  test.each([
    ['bytes shorter than the size', { content: 'abc', size: 4 }, 3],
    ['bytes longer than the size', { content: 'abc', size: 2 }, 3],
    ['a stream shorter than the size', { content: [Buffer.from('abc')], size: 4 }, 3],
    ['a stream longer than the size', { content: [Buffer.from('abc'), Buffer.from('d')], size: 3 }, 4],
    ['no content but a size', { size: 1 }, 0],
  ])('%s', async (_, members, actual) => {
    const error = await thrownBy(() => written({ path: 'a', type: 'file', ...members }))
    expect(error).toMatchObject({ code: 'ERR_SIZE_MISMATCH', expected: members.size, actual })
  })
})

describe('the stream', () => {
  test('content may be bytes, text, a list, a stream or a function that opens one', async () => {
    const entries = await back(
      { path: '1', type: 'file', content: Buffer.from('bytes') },
      { path: '2', type: 'file', content: 'tüxt' },
      { path: '3', type: 'file', content: [Buffer.from('li'), Buffer.from('st')], size: 4 },
      { path: '4', type: 'file', content: cut(Buffer.from('stream'), 1), size: 6 },
      { path: '5', type: 'file', content: () => Buffer.from('opened') },
      { path: '6', type: 'file', content: async () => cut(Buffer.from('opened'), 2), size: 6 },
      { path: '7', type: 'file' },
    )
    expect(entries.map(({ text }) => Buffer.from(text, 'latin1').toString())).toEqual([
      'bytes',
      'tüxt',
      'list',
      'stream',
      'opened',
      'opened',
      '',
    ])
  })

  test('content is opened one entry at a time, when its turn has come', async () => {
    const events: string[] = []
    const file = (path: string): TarInput => ({
      path,
      type: 'file',
      size: 3 * MIB,
      content: async function* () {
        events.push(`open ${path}`)
        for (let i = 0; i < 3; i++) yield Buffer.alloc(MIB)
        events.push(`end ${path}`)
      },
    })
    await written(file('a'), file('b'))
    expect(events).toEqual(['open a', 'end a', 'open b', 'end b'])
  })

  test('a source of content may reuse its buffer', async () => {
    const bytes = mixedBytes(2 * MIB)
    const reusing = function* () {
      const buffer = Buffer.alloc(10_000)
      for (let at = 0; at < bytes.byteLength; at += 10_000) yield buffer.subarray(0, bytes.copy(buffer, 0, at))
    }
    const [entry] = await back({ path: 'a', type: 'file', size: bytes.byteLength, content: reusing })
    expect(Buffer.from(entry!.text, 'latin1').equals(bytes)).toBe(true)
  })

  test('no entries make an archive of two zero blocks', async () => {
    expect(await written()).toEqual(Buffer.alloc(1024))
  })

  test('a slow reader holds the content back', async () => {
    const { source, state } = watchedSource(Array.from({ length: 100 }, () => Buffer.alloc(MIB)))
    const tar = writeTar([{ path: 'a', type: 'file', size: 100 * MIB, content: source }])
    await tar.next()
    await settle()
    expect(state.taken).toBeLessThan(6)
    await tar.return()
    expect(state.returned).toBe(true)
  })

  test('leaving early stops the entries', async () => {
    let returned = false
    const entries = (async function* (): AsyncGenerator<TarInput> {
      try {
        for (let i = 0; ; i++) yield { path: `f${i}`, type: 'file', content: Buffer.alloc(100_000) }
      } finally {
        returned = true
      }
    })()
    for await (const _ of writeTar(entries)) break
    expect(returned).toBe(true)
  })

  test('an error of the entries or of their content reaches the caller unchanged', async () => {
    const fault = new Error('fault')
    const failing = async function* () {
      yield Buffer.alloc(10)
      throw fault
    }
    expect(await thrownBy(() => written({ path: 'a', type: 'file', size: 20, content: failing }))).toBe(fault)
    const entries = (function* (): Generator<TarInput> {
      yield { path: 'a', type: 'file' }
      throw fault
    })()
    expect(await thrownBy(() => readAll(writeTar(entries)))).toBe(fault)
  })

  test('an abort ends silent content and silent entries with the reason', async () => {
    for (const silent of ['content', 'entries'] as const) {
      const controller = new AbortController()
      const { source } = watchedSource([Buffer.alloc(10)], { silent: true })
      const entries: AsyncIterable<TarInput> = (async function* () {
        if (silent === 'entries') await new Promise(() => {})
        yield { path: 'a', type: 'file', size: 20, content: source }
      })()
      setTimeout(() => controller.abort('enough'), 30)
      expect(await thrownBy(() => readAll(writeTar(entries, { signal: controller.signal })))).toBe('enough')
    }
  })

  test('an abort before the first entry takes none', async () => {
    let taken = 0
    const entries = (function* (): Generator<TarInput> {
      taken++
      yield { path: 'a', type: 'file' }
    })()
    expect(await thrownBy(() => readAll(writeTar(entries, { signal: AbortSignal.abort('enough') })))).toBe('enough')
    expect(taken).toBe(0)
  })

  test('the bytes do not depend on how content is given nor on the time zone', async () => {
    const bytes = mixedBytes(600_000)
    const one = await written({ path: 'a', type: 'file', content: bytes, mtime: 1e9 })
    const zone = process.env.TZ
    process.env.TZ = 'Pacific/Auckland'
    try {
      for (const size of [1000, 65536, MIB]) {
        const content = cut(bytes, size)
        const other = await written({ path: 'a', type: 'file', content, size: bytes.byteLength, mtime: 1e9 })
        expect(other.equals(one)).toBe(true)
      }
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })
})

describe('other readers', () => {
  const sample: TarInput[] = [
    { path: 'd', type: 'directory', mode: 0o1777 },
    { path: 'd/a', type: 'file', content: 'hello', mtime: 1e9, uid: 3_000_000 },
    { path: `${'long/'.repeat(60)}name`, type: 'file', content: 'x' },
    { path: 'ü', type: 'file', content: 'y' },
    { path: 'l', type: 'symlink', linkname: 'd/a' },
    { path: 'h', type: 'hardlink', linkname: 'd/a' },
  ]
  const paths = ['d/', 'd/a', `${'long/'.repeat(60)}name`, 'ü', 'l', 'h']

  test.skipIf(!needsProgram('tar'))('GNU tar lists the same', async () => {
    const list = execFileSync('tar', ['--quoting-style=literal', '-tf', '-'], { input: await written(...sample) })
    expect(list.toString().trim().split('\n')).toEqual(paths)
  })

  test.skipIf(!needsProgram('bsdtar'))('bsdtar lists the same', async () => {
    const env = { ...process.env, LC_ALL: 'C.UTF-8' }
    const list = execFileSync('bsdtar', ['-tf', '-'], { input: await written(...sample), env })
    expect(list.toString().trim().split('\n')).toEqual(paths)
  })

  test.skipIf(!needsProgram('python3'))(
    'python reads the same names, owners, times and bytes of attributes',
    async () => {
      const xattrs = new Map([['security.capability', Buffer.from('01000002fffe80000a003d00', 'hex')]])
      const input = await written(...sample, { path: '\udcff', type: 'file', xattrs })
      const program = `import tarfile,sys,json
print(json.dumps([[m.name,m.type.decode(),m.mode,m.uid,m.mtime,m.size,m.linkname,
  m.pax_headers.get('SCHILY.xattr.security.capability','').encode('utf-8','surrogateescape').hex()]
  for m in tarfile.open(fileobj=sys.stdin.buffer,mode='r|')]))`
      const rows = JSON.parse(execFileSync('python3', ['-c', program], { input }).toString())
      expect(rows[1]).toEqual(['d/a', '0', 0o644, 3_000_000, 1e9, 5, '', ''])
      expect(rows.map((row: unknown[]) => row[0])).toEqual([...paths.map(path => path.replace(/\/$/, '')), '\udcff'])
      expect(rows.at(-1).at(-1)).toBe('01000002fffe80000a003d00')
    },
  )
})

describe('pieces that are borrowed', () => {
  const entries = (): TarInput[] =>
    [10, 300_000, 262_144, 0, 600_000, 77].map((size, i) => ({
      path: `f${i}`,
      type: 'file',
      content: mixedBytes(size),
    }))

  test('are the archive, if the caller copies each before the next', async () => {
    const copies: Buffer[] = []
    for await (const piece of writeTar(entries(), { borrow: true })) copies.push(Buffer.from(piece))
    expect(Buffer.concat(copies).equals(await written(...entries()))).toBe(true)
  })

  test('lie in reused memory, which is never that of the content', async () => {
    const many = smallFiles(200)
    const whole = mixedBytes(262_144)
    const before = Buffer.from(whole)
    many.splice(100, 0, { path: 'whole', type: 'file', content: whole })
    const places = new Set<ArrayBufferLike>()
    let pieces = 0
    for await (const piece of writeTar(many, { borrow: true })) {
      places.add(piece.buffer)
      pieces++
    }
    expect(pieces).toBeGreaterThan(6)
    expect(places.size).toBeLessThan(pieces)
    expect(whole.equals(before)).toBe(true)
  })

  test('are owned by default: a caller that collects them has the archive', async () => {
    const pieces: Uint8Array[] = []
    for await (const piece of writeTar(entries())) pieces.push(piece)
    expect(Buffer.concat(pieces).equals(await written(...entries()))).toBe(true)
  })

  test.each([false, true])('memory does not grow with the archive: no piece is kept (borrow: %s)', async borrow => {
    setFlagsFromString('--expose-gc')
    const collectGarbage: () => void = runInNewContext('gc')
    const memory = new Map<number, WeakRef<ArrayBufferLike>>()
    let pieces = 0
    for await (const { buffer } of writeTar(smallFiles(400), { borrow })) {
      memory.set(pieces++, new WeakRef(buffer))
      if (pieces < 12) continue
      await setImmediate()
      collectGarbage()
      break
    }
    const kept = new Set([...memory.values()].flatMap(reference => reference.deref() ?? []))
    expect(pieces).toBe(12)
    expect(kept.size).toBeLessThan(6)
  })
})

function smallFiles(count: number): TarInput[] {
  return Array.from({ length: count }, (_, i) => ({ path: `${i}`, type: 'file', content: mixedBytes(9000) }))
}

test('a slow reader holds the entries up', async () => {
  let opened = 0
  const entries = Array.from(
    { length: 400 },
    (_, i): TarInput => ({
      path: `${i}`,
      type: 'file',
      content: () => {
        opened++
        return mixedBytes(10_000)
      },
    }),
  )
  for await (const _ of writeTar(entries)) break
  expect(opened).toBeLessThan(100)
})
