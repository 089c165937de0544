import { execFileSync } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { type PackageList, readPackages } from '../../lib/trust/index.ts'
import { findGoBuildInfo, goPackages } from '../../lib/trust/sbom/ecosystems/go.ts'
import { parseRpmHeader } from '../../lib/trust/sbom/ecosystems/rpm.ts'
import { parseRpmDatabase } from '../../lib/trust/sbom/ecosystems/rpm-database.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})
afterEach(() => store.close())

const program = (path: string, content: Buffer): TarInput => ({ path, type: 'file', content, mode: 0o755 })
async function packagesOf(...entries: TarInput[]): Promise<PackageList> {
  const { descriptor } = await composeImage(store, { layers: [await writeLayer(store, entries)] })
  return readPackages(store, descriptor)
}
const files = async (...layers: Record<string, string | Uint8Array>[]) => {
  await sampleImage(store, layers, { name: 'app:1' })
  return readPackages(store, 'app:1')
}

/** A varint and a text, as Go writes them. */
function goString(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text)
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) return Buffer.concat([Buffer.from(length), bytes])
  }
}
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
const ELF = Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(4092)])
const framed = (lines: string) => Buffer.concat([Buffer.alloc(16, 1), Buffer.from(lines), Buffer.alloc(16, 2)])
const goRecord = (version: string, modules: Buffer | string) =>
  Buffer.concat([MAGIC, Buffer.from([8, 2]), Buffer.alloc(16), goString(version), goString(modules)])

test('a program of Go states its modules, those in the place of others, and the standard library', async () => {
  const lines = [
    'path\texample.org/app/cmd',
    'mod\texample.org/app\t(devel)\t',
    'dep\tgithub.com/a/B\tv1.2.3\th1:x=',
    'dep\tgithub.com/old/c\tv0.1.0',
    '=>\tgithub.com/new/c\tv0.2.0+incompatible\th1:y=',
    `build\t-ldflags=${'x'.repeat(200_000)}`,
    '',
  ]
  // The magic bytes alone, at an offset that may hold a record or may not, are data of a program that reads records.
  const data = Buffer.concat([MAGIC, Buffer.alloc(2 + 16), Buffer.alloc(13), MAGIC, Buffer.alloc(5)])
  const padding = Buffer.alloc(16 - (data.length % 16) + 65536 - 16)
  const content = Buffer.concat([ELF, data, padding, goRecord('go1.22.1', framed(lines.join('\n'))), Buffer.alloc(99)])
  const { packages, unread } = await packagesOf(program('usr/bin/app', content))
  expect(packages.map(({ type, purl, path }) => [type, purl, path])).toEqual(
    [
      'pkg:golang/example.org/app@%28devel%29',
      'pkg:golang/github.com/a/B@v1.2.3',
      'pkg:golang/github.com/new/c@v0.2.0%2Bincompatible',
      'pkg:golang/stdlib@1.22.1',
    ].map(purl => ['golang', purl, 'usr/bin/app']),
  )
  expect(unread).toEqual([])
})

test('of programs of Go before 1.18 it is said that they were not read, and others are none', async () => {
  const pointers = Buffer.concat([ELF, MAGIC, Buffer.from([8, 0]), Buffer.alloc(16)])
  const broken = Buffer.concat([ELF, MAGIC, Buffer.from([8, 2]), Buffer.alloc(16), Buffer.alloc(20, 0xff)])
  const cut = Buffer.concat([ELF, goRecord('go1.22', framed('dep\ta\tv1\n'))]).subarray(0, -20)
  const unframed = Buffer.concat([ELF, goRecord('devel +abc', 'dep\ta\tv1\n')])
  const script = Buffer.concat([Buffer.from('#!/bin/sh\n'), MAGIC])
  const { packages, unread } = await packagesOf(
    program('bin/broken', broken),
    program('bin/cut', cut),
    program('bin/empty', Buffer.alloc(0)),
    program('bin/old', pointers),
    program('bin/script', script),
    program('bin/unframed', unframed),
    { path: 'bin/data', type: 'file', content: Buffer.concat([ELF, goRecord('go1.1', '')]), mode: 0o644 },
  )
  expect(packages).toEqual([])
  expect(unread).toEqual([{ path: 'bin/old', reason: 'the modules of programs of Go before 1.18 are not read' }])
})

test.skipIf(!needsProgram('umoci'))('a program of Debian that is written in Go states its version of Go', async () => {
  const info = await findGoBuildInfo(createReadStream('/usr/bin/umoci'))
  expect(goPackages(info!)[0]).toEqual({ name: 'stdlib', version: expect.stringMatching(/^1\.\d+/) })
})

/** A ZIP archive; a content that is a list is an archive too. */
type Member = readonly [name: string, content: string | Buffer, options?: { method?: number; size?: number }]
function zip(...members: Member[]): Buffer {
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []]
  let at = 0
  for (const [name, content, { method = 8, size = Buffer.from(content).length } = {}] of members) {
    const bytes = method === 8 ? deflateRawSync(content) : Buffer.from(content)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(method, 10)
    central.writeUInt32LE(bytes.length, 20)
    central.writeUInt32LE(size, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(at, 42)
    parts.push(local, Buffer.from(name), bytes)
    directory.push(central, Buffer.from(name))
    at += 30 + name.length + bytes.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(members.length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, ...directory, end])
}
const pom = (group: string, artifact: string, version: string): Member => [
  `META-INF/maven/${group}/${artifact}/pom.properties`,
  `#Created\nversion=${version}\ngroupId=${group}\nartifactId=${artifact}\n`,
]
const manifest = (text: string): Member => ['META-INF/MANIFEST.MF', `Manifest-Version: 1.0\r\n${text}\r\n`]

test('archives of Java state what Maven left, else their manifest, else their name, at any depth up to four', async () => {
  const nested = zip(pom('org.in', 'deep', '1'), ['lib/deeper.jar', zip(['x.jar', zip(['y.jar', zip()])])])
  const war = zip(
    pom('org.a', 'web', '1.0'),
    pom('org.b', 'shaded', '2.0'),
    ['WEB-INF/lib/inner.jar', nested, { method: 0 }],
    ['WEB-INF/classes/x.txt', 'x'],
  )
  const bundle = manifest(
    'Bundle-SymbolicName: org.long.na\r\n me.part;x:=y\r\nBundle-Version: 3\r\nBundle-License: MIT',
  )
  const { packages, unread } = await files({
    'app/web.war': war,
    'lib/guava-31.1-jre.jar': Buffer.concat([Buffer.from('#!/bin/sh\nexit\n'), zip(manifest('X: y'))]),
    'lib/part.jar': zip(bundle),
    'lib/named.jar': zip(manifest('Implementation-Vendor-Id: org.v\r\nImplementation-Version: 4')),
    'lib/unnamed.jar': zip(['x', 'y', { method: 0 }]),
  })
  expect(packages.map(({ purl, path, license }) => [purl, path, license])).toEqual([
    ['pkg:maven/guava@31.1-jre', 'lib/guava-31.1-jre.jar', undefined],
    ['pkg:maven/org.a/web@1.0', 'app/web.war', undefined],
    ['pkg:maven/org.b/shaded@2.0', 'app/web.war', undefined],
    ['pkg:maven/org.in/deep@1', 'app/web.war!/WEB-INF/lib/inner.jar', undefined],
    ['pkg:maven/org.long.name/part@3', 'lib/part.jar', 'MIT'],
    ['pkg:maven/org.v/named@4', 'lib/named.jar', undefined],
  ])
  expect(unread).toEqual([
    {
      path: 'app/web.war!/WEB-INF/lib/inner.jar!/lib/deeper.jar!/x.jar!/y.jar',
      reason: 'more than 3 archives deep',
    },
  ])
})

test('archives within an archive of Java are charged with the size that they state, even if they are damaged', async () => {
  const claims = { size: 150 * 1024 * 1024 }
  const { unread } = await files({ 'a.jar': zip(['a.jar', 'x', claims], ['b.jar', 'x', claims], ['c.jar', zip()]) })
  expect(unread).toEqual([
    { path: 'a.jar!/a.jar', reason: 'not readable: not a ZIP archive' },
    {
      path: 'a.jar!/b.jar',
      reason: expect.stringMatching(/^not readable: b\.jar has 157286400 bytes, more than 11114\d{4}$/),
    },
  ])
  const poms = Array.from({ length: 300 }, (_, i) => [pom('g', `a${i}`, '1')[0], 'x', { size: 1024 * 1024 }] as const)
  expect((await files({ 'b.jar': zip(...poms) })).unread).toEqual([
    { path: 'b.jar', reason: expect.stringMatching(/has 1048576 bytes, more than \d{1,6}$/) },
  ])
})

test('long runs of spaces and very many packages do not stop the reading', async () => {
  const spaces = ' '.repeat(500_000)
  const record = 'Package: a\nVersion: 1\nStatus: install ok installed\n'
  const dependencies = Object.fromEntries(Array.from({ length: 130_000 }, (_, i) => [`d${i}`, { version: '1' }]))
  const { packages } = await files({
    'x.jar': zip(
      [pom('g', 'a', '1')[0], `version = 1\ngroupId=g\nartifactId:a\nx=${spaces}y\n${'\n'.repeat(500_000)}`],
      [`${'-1'.repeat(20_000)}!.jar`, zip(manifest('X: y'))],
    ),
    'var/lib/dpkg/status': record,
    'usr/share/doc/a/copyright': `Format: copyright-format\n\nFiles: *\nLicense: MIT${spaces}x`,
    'package-lock.json': JSON.stringify({ dependencies }),
  })
  expect(packages).toHaveLength(130_002)
  expect(packages.find(({ type }) => type === 'maven')?.name).toBe('g:a')
  expect(packages.find(({ type }) => type === 'deb')?.license).toBe(`MIT${spaces}x`)
})

test('a program that states a record of 4 MiB every 48 bytes is searched once', async () => {
  const head = Buffer.concat([MAGIC, Buffer.from([8, 2])])
  // The version of each record states 4 MiB less 1 byte, with the next records in them.
  const record = Buffer.concat([head, head, Buffer.from([0xff, 0xff, 0xff, 1]), Buffer.alloc(12)])
  const count = (12 * 1024 * 1024) / record.length
  async function* chunks() {
    yield ELF.subarray(0, 1)
    yield ELF.subarray(1)
    for (let i = 0; i < count; i += 1024) yield Buffer.concat(Array<Buffer>(1024).fill(record))
    yield goRecord('go1.22.1', '')
  }
  expect(await findGoBuildInfo(chunks())).toEqual({ version: 'go1.22.1', modules: '' })
})

test('archives of Java that are damaged, or larger than they say, are named as unread', async () => {
  const good = zip(pom('g', 'a', '1'))
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good)
    change(bytes)
    return bytes
  }
  const end = good.length - 22
  const central = good.readUInt32LE(end + 16)
  const cases: Record<string, [Buffer, RegExp]> = {
    'bomb.jar': [zip(['META-INF/MANIFEST.MF', 'x'.repeat(5000), { size: 10 }]), /inflated bytes over the limit/],
    'claims.jar': [zip(['in.jar', 'x', { size: 0xfffffff0 }]), /in\.jar has 4294967280 bytes, more than 268435456/],
    'count.jar': [changed(bytes => bytes.writeUInt16LE(9, end + 10)), /broken ZIP directory/],
    'empty.jar': [Buffer.alloc(0), /not a ZIP archive/],
    'garbled.jar': [zip(['META-INF/MANIFEST.MF', 'not deflated', { method: 8 }]).fill(0xff, 50, 56), /not a deflate/],
    'long.jar': [changed(bytes => bytes.writeUInt32LE(0x7fffffff, central + 20)), /is cut off/],
    'method.jar': [changed(bytes => bytes.writeUInt16LE(12, central + 10)), /method 12, which is not read/],
    'name.jar': [changed(bytes => bytes.writeUInt16LE(0xfff, central + 28)), /broken ZIP directory/],
    'place.jar': [changed(bytes => bytes.writeUInt32LE(0x7fffffff, central + 42)), /is not there/],
    'start.jar': [changed(bytes => bytes.writeUInt32LE(0x7fffffff, end + 16)), /is cut off/],
    'stored.jar': [zip(['META-INF/MANIFEST.MF', 'x', { method: 0, size: 2 }]), /has 1 bytes, not 2/],
    'zip64.jar': [changed(bytes => bytes.writeUInt16LE(0xffff, end + 10)), /ZIP64/],
  }
  const { packages, unread } = await files(Object.fromEntries(Object.entries(cases).map(([name, [is]]) => [name, is])))
  expect(packages).toEqual([])
  expect(unread.map(({ path }) => path.split('!')[0])).toEqual(Object.keys(cases))
  for (const [i, [, reason]] of Object.values(cases).entries()) expect(unread[i]!.reason).toMatch(reason)
})

test('a lock file of npm counts where no packages are installed beside it, in each of its versions', async () => {
  const first = {
    lockfileVersion: 1,
    dependencies: {
      a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' } } },
      dev: { version: '1.0.0', dev: true },
      none: {},
    },
  }
  const third = {
    lockfileVersion: 3,
    packages: {
      '': { name: 'app', version: '1.0.0' },
      'node_modules/@s/c': { version: '3.0.0', license: 'MIT' },
      'node_modules/alias': { name: 'real', version: '4.0.0' },
      'node_modules/x/node_modules/@s/c': { version: '3.0.0' },
      'node_modules/dev': { version: '1.0.0', dev: true },
      'node_modules/both': { version: '5.0.0', devOptional: true },
      'node_modules/linked': { link: true, resolved: 'p' },
      p: { version: '1.0.0' },
    },
  }
  const { packages, unread } = await files({
    'v1/package-lock.json': JSON.stringify(first),
    'v3/package-lock.json': JSON.stringify(third),
    'installed/package-lock.json': JSON.stringify(third),
    'installed/node_modules/e/package.json': '{"name":"e","version":"1.0.0"}',
    'installed/node_modules/e/package-lock.json': JSON.stringify(third),
    'y/yarn.lock': 'x',
    'p/pnpm-lock.yaml': 'x',
    'bad/package-lock.json': '[]',
  })
  expect(packages.map(({ name, version, license, path }) => [name, version, license, path])).toEqual([
    ['@s/c', '3.0.0', undefined, 'v3/package-lock.json'],
    ['a', '1.0.0', undefined, 'v1/package-lock.json'],
    ['b', '2.0.0', undefined, 'v1/package-lock.json'],
    ['both', '5.0.0', undefined, 'v3/package-lock.json'],
    ['e', '1.0.0', undefined, 'installed/node_modules/e/package.json'],
    ['real', '4.0.0', undefined, 'v3/package-lock.json'],
  ])
  expect(unread).toEqual([
    { path: 'bad/package-lock.json', reason: 'not readable: not a lock file of npm' },
    { path: 'p/pnpm-lock.yaml', reason: 'not readable: the format of pnpm-lock.yaml is not read' },
    { path: 'y/yarn.lock', reason: 'not readable: the format of yarn.lock is not read' },
  ])
})

test('licences of dpkg are those of machine-readable copyright files, also through links', async () => {
  const copyright = [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    'Files: *\nCopyright: x\nLicense: MIT\n text',
    'Files: debian/*\nLicense: GPL-2+ or Artistic\n',
    'Files: x\nLicense: MIT',
    'License: BSD\n text that is referred to',
  ].join('\n\n')
  const record = (name: string) => `Package: ${name}\nVersion: 1\nStatus: install ok installed\n`
  const list = await packagesOf(
    { path: 'var/lib/dpkg/status', type: 'file', content: ['a', 'b', 'c', 'd'].map(record).join('\n') },
    { path: 'usr/share/doc/a/copyright', type: 'file', content: copyright },
    { path: 'usr/share/doc/b', type: 'symlink', linkname: 'a' },
    { path: 'usr/share/doc/c/copyright', type: 'file', content: 'Copyright: somebody\nLicense: X' },
  )
  expect(list.packages.map(({ name, license }) => [name, license])).toEqual([
    ['a', '(GPL-2+ or Artistic) AND MIT'],
    ['b', '(GPL-2+ or Artistic) AND MIT'],
    ['c', undefined],
    ['d', undefined],
  ])
  const distroless = await files({
    'var/lib/dpkg/status.d/a': 'Package: a\nVersion: 1\n',
    'usr/share/doc/a/copyright': copyright.replaceAll('\n', '\r\n'),
  })
  expect(distroless.packages[0]!.license).toBe('(GPL-2+ or Artistic) AND MIT')
  const big = await packagesOf(
    { path: 'big', type: 'file', content: 'x'.repeat(1024 * 1024 + 1) },
    { path: 'usr/share/doc/a/copyright', type: 'hardlink', linkname: 'big' },
    { path: 'usr/share/doc/b/copyright', type: 'file', content: copyright },
    { path: 'var/lib/dpkg/status', type: 'file', content: `${record('a')}\n${record('b')}` },
  )
  expect(big.packages.map(({ license }) => license)).toEqual([undefined, '(GPL-2+ or Artistic) AND MIT'])
})

/** A header of rpm. */
function rpmHeader(values: Record<number, string | number>): Buffer {
  const [index, data]: [Buffer[], Buffer[]] = [[], []]
  let at = 0
  for (const [tag, value] of Object.entries(values)) {
    const bytes = Buffer.alloc(typeof value === 'number' ? 4 : value.length + 1)
    if (typeof value === 'number') bytes.writeUInt32BE(value)
    else bytes.write(value)
    const entry = Buffer.alloc(16)
    for (const [i, number] of [Number(tag), typeof value === 'number' ? 4 : 6, at, 1].entries())
      entry.writeUInt32BE(number, i * 4)
    index.push(entry)
    data.push(bytes)
    at += bytes.length
  }
  const lead = Buffer.alloc(8)
  lead.writeUInt32BE(index.length, 0)
  lead.writeUInt32BE(at, 4)
  return Buffer.concat([lead, ...index, ...data])
}
const rpm = (name: string, size = 0) =>
  rpmHeader({
    ...{ 1000: name, 1001: '1.2', 1002: '3.el9', 1003: 2, 1004: 'x'.repeat(size), 1014: 'MIT', 1022: 'noarch' },
    1044: `of-${name}-1.2-3.el9.src.rpm`,
  })
const fedora = 'ID=fedora\nVERSION_ID=40\n'

test('packages of rpm are read from an ndb database', async () => {
  const headers = [rpm('bash'), rpmHeader({ 1000: 'zlib', 1001: '1', 1044: 'zlib-2-1.nosrc.rpm' }), rpm('gpg-pubkey')]
  const slots = Buffer.alloc(4096)
  slots.write('RpmP')
  slots.writeUInt32LE(1, 12)
  for (let at = 32; at < 4096; at += 16) slots.write('Slot', at)
  const blobs = headers.map((header, i) => {
    const head = Buffer.alloc(16)
    head.write('BlbS')
    head.writeUInt32LE(i + 1, 4)
    head.writeUInt32LE(header.length, 12)
    return Buffer.concat([head, header, Buffer.alloc(16 - (header.length % 16))])
  })
  let at = 4096
  for (const [i, blob] of blobs.entries()) {
    slots.writeUInt32LE(i + 1, 32 + i * 32 + 4)
    slots.writeUInt32LE(at / 16, 32 + i * 32 + 8)
    at += blob.length
  }
  const database = Buffer.concat([slots, ...blobs])
  const path = 'usr/lib/sysimage/rpm/Packages.db'
  const { packages } = await files({ [path]: database, 'etc/os-release': fedora })
  expect(packages.map(({ source }) => source)).toEqual([
    { name: 'of-bash', version: '2:1.2-3.el9' },
    { name: 'zlib', version: '2-1' },
  ])
  expect(packages.map(({ version, purl, license }) => [version, purl, license])).toEqual([
    ['2:1.2-3.el9', 'pkg:rpm/fedora/bash@1.2-3.el9?arch=noarch&distro=fedora-40&epoch=2', 'MIT'],
    ['1', 'pkg:rpm/fedora/zlib@1?distro=fedora-40', undefined],
  ])
  const broken = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(database)
    change(bytes)
    return bytes
  }
  for (const [change, reason] of [
    [(bytes: Buffer) => bytes.writeUInt32LE(9, 12), 'the ndb database is cut off'],
    [(bytes: Buffer) => bytes.fill(bytes.subarray(32, 48), 48, 4096), 'packages of the ndb database overlap'],
    [
      (bytes: Buffer) => bytes.writeUInt32LE(0, 4096 + 12) && bytes.fill(bytes.subarray(32, 48), 48, 4096),
      'packages of the ndb database overlap',
    ],
    [(bytes: Buffer) => bytes.write('slot', 64), 'broken slot of the ndb database'],
    [(bytes: Buffer) => bytes.writeUInt32LE(0xffffffff, 40), 'broken package 1 of the ndb database'],
  ] as const) {
    expect((await files({ [path]: broken(change) })).unread).toEqual([{ path, reason: `not readable: ${reason}` }])
  }
})

const sqlite = (path: string, pageSize: number, blobs: readonly Buffer[]) =>
  execFileSync('python3', ['-c', PYTHON, path, String(pageSize)], {
    input: blobs.map(blob => blob.toString('hex')).join('\n'),
  })
/** Points so many cells of the first page of a kind to an offset, or to its first cell. */
function pointAll(bytes: Buffer, isPage: (kind: number, cells: number) => boolean, count: number, at?: number): Buffer {
  let head = 4096
  while (!isPage(bytes[head]!, bytes.readUInt16BE(head + 3))) head += 4096
  const pointers = head + (bytes[head] === 5 ? 12 : 8)
  const first = bytes.readUInt16BE(pointers)
  bytes.writeUInt16BE(count, head + 3)
  for (let i = 0; i < count; i++) bytes.writeUInt16BE(at ?? first, pointers + i * 2)
  return bytes
}
/** What comes of reading a database: a number of packages, or the reason why not. */
function reading(bytes: Buffer): string {
  try {
    return `${parseRpmDatabase(bytes).length} packages`
  } catch (error) {
    return (error as Error).message
  }
}
const PYTHON = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute(f"PRAGMA page_size={sys.argv[2]}")
db.execute("CREATE TABLE 'Other' (hnum INTEGER)")
db.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
for line in sys.stdin: db.execute("INSERT INTO Packages (blob) VALUES (?)", (bytes.fromhex(line.strip()),))
db.commit()
`

test.skipIf(!needsProgram('python3')).each([512, 4096, 65536])(
  'packages of rpm are read from a sqlite database with pages of %i bytes, however long',
  async pageSize => {
    using place = temporaryDirectory('sqlite')
    const path = join(place.path, 'db')
    const names = Array.from({ length: 300 }, (_, i) => `p${String(i).padStart(3, '0')}`)
    sqlite(
      path,
      pageSize,
      names.map((name, i) => rpm(name, i * 37)),
    )
    const bytes = readFileSync(path)
    const at = 'var/lib/rpm/rpmdb.sqlite'
    const upper = { [at]: bytes, [`${at}-wal`]: 'x', 'etc/os-release': fedora }
    const { packages, unread } = await files({ [at]: 'damaged' }, upper)
    expect(packages.map(({ name, layer }) => [name, layer])).toEqual(names.map(name => [name, 1]))
    expect(unread).toEqual([{ path: `${at}-wal`, reason: 'the journal of a database is not read' }])
    // Whatever is changed, reading ends: with packages or with a reason.
    for (let i = 0; i < 60; i++) {
      const changed = Buffer.from(bytes)
      for (let j = 0; j < 20; j++) changed[(i * 7919 + j * 104_729) % (i % 2 ? 4096 : changed.length)] = i * 5 + j
      expect(reading(changed)).toMatch(/sqlite database|^\d+ packages$/)
    }
    if (pageSize !== 4096) return
    expect(reading(pointAll(Buffer.from(bytes), kind => kind === 5, 2, 0xffff))).toBe(
      'broken row of the sqlite database',
    )
    // Rows that share their bytes would be more than the file.
    const isShared = (kind: number, cells: number) => kind === 13 && cells === 3
    expect(reading(pointAll(Buffer.from(bytes), isShared, 1500))).toBe('broken row of the sqlite database')
  },
)

test('a small sqlite database states neither any number of rows nor of columns', () => {
  const page = 65536
  const record = (head: number[], ...values: (string | Buffer)[]) => {
    const row = Buffer.concat([Buffer.from([head.length + 1, ...head]), ...values.map(value => Buffer.from(value))])
    return Buffer.concat([Buffer.from([row.length, 1]), row])
  }
  /** A database whose table has a page of cells that are all the same one. */
  const database = (cell: Buffer, count: number) => {
    const bytes = Buffer.alloc(2 * page)
    bytes.write('SQLite format 3\0', 'latin1')
    bytes.writeUInt16BE(1, 16)
    const table = record([23, 29, 29, 1, 13], 'table', 'Packages', 'Packages', Buffer.from([2]))
    for (const [head, one, cells] of [[100, table, 1] as const, [page, cell, count] as const]) {
      const end = (Math.floor(head / page) + 1) * page
      one.copy(bytes, end - one.length)
      bytes[head] = 13
      bytes.writeUInt16BE(cells, head + 3)
      for (let i = 0; i < cells; i++) bytes.writeUInt16BE((end - one.length) % page, head + 8 + i * 2)
    }
    return bytes
  }
  const row = record([14], 'x')
  expect(reading(database(row, 1))).toBe('0 packages')
  expect(reading(database(row, 20_000))).toBe('broken row of the sqlite database')
  // 40,000 columns: the size of the row and of its header are varints of three bytes.
  const wide = Buffer.concat([Buffer.from([0x82, 0xb8, 0x43, 1, 0x82, 0xb8, 0x43]), Buffer.alloc(40_000)])
  expect(reading(database(wide, 1))).toBe('broken row of the sqlite database')
})

test('of a header of rpm the first entry of a kind counts, and texts have a limit', () => {
  const twice = rpmHeader({ 999: 'x', 1000: 'bash', 1001: '1' })
  expect(parseRpmHeader(twice)).toMatchObject({ name: 'bash', version: '1' })
  // The first entry becomes one of the name whose text is not in the header.
  twice.writeUInt32BE(1000, 8)
  twice.writeUInt32BE(0xffff, 8 + 8)
  expect(parseRpmHeader(twice)).toBeUndefined()
  expect(parseRpmHeader(rpmHeader({ 1000: 'bash', 1001: '1'.repeat(70_000) }))).toBeUndefined()
})

test('of databases of rpm in other forms it is said that they were not read', async () => {
  const berkeley = Buffer.alloc(512)
  berkeley.writeUInt32LE(0x061561, 12)
  const read = async (content: Buffer | string) => (await files({ 'var/lib/rpm/Packages': content })).unread[0]!.reason
  expect(await read(berkeley)).toBe('not readable: Berkeley DB is not read')
  expect(await read('x')).toBe('not readable: not a sqlite database')
})
