import { execFileSync } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTar, type TarInput, writeTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { program } from '../helpers/program.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
const at = (name: string) => join(place.path, name)

/** The bytes that a program writes to its output, as entries. */
async function entriesFrom(name: string, args: readonly string[]) {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  const bytes = execFileSync(name, args, { cwd: place.path, env, maxBuffer: 2 ** 28 })
  return readEntries(readTar(cut(bytes, 100_000)))
}

/** A file with holes: data at the begin, in the middle and at the end of nearly 3 MiB. */
function makeSparse(path: string, ends: 'with data' | 'with a hole'): void {
  const handle = openSync(path, 'w')
  writeSync(handle, Buffer.alloc(5000, 'a'), 0, 5000, 0)
  writeSync(handle, Buffer.alloc(70_000, 'b'), 0, 70_000, 1_048_576)
  if (ends === 'with data') writeSync(handle, Buffer.from('end'), 0, 3, 2_900_000)
  else execFileSync('truncate', ['-s', '3000000', path])
}

beforeAll(() => {
  place = temporaryDirectory('tar-formats')
  writeFileSync(at('plain'), 'plain')
  mkdirSync(at('dumped'))
  makeSparse(at('data'), 'with data')
  makeSparse(at('hole'), 'with a hole')
})
afterAll(() => place?.[Symbol.dispose]())

describe.runIf(needsProgram('tar'))('GNU tar', () => {
  test.each(['0.0', '0.1', '1.0'])('its sparse files of version %s are the files that they were', async version => {
    const options = ['--format=pax', `--sparse-version=${version}`, '-S', '-cf', '-']
    const entries = await entriesFrom('tar', [...options, 'data', 'plain', 'hole'])
    expect(entries.map(({ path }) => path)).toEqual(['data', 'plain', 'hole'])
    for (const { path, text, size } of entries) {
      const file = readFileSync(at(path))
      expect(size).toBe(file.byteLength)
      expect(Buffer.from(text, 'latin1').equals(file), path).toBe(true)
    }
    // Without a map the test would show nothing.
    expect(entries[0]!.sparse!.length).toBeGreaterThan(1)
  })

  test('a sparse file over 8 GiB of which nothing is read costs nothing', async () => {
    execFileSync('truncate', ['-s', '9G', at('huge')])
    const bytes = execFileSync('tar', ['--format=pax', '-S', '-cf', '-', 'huge', 'plain'], { cwd: place.path })
    const found: [string, number][] = []
    for await (const { path, size } of readTar(bytes)) found.push([path, size])
    expect(found).toEqual([
      ['huge', 9 * 2 ** 30],
      ['plain', 5],
    ])
  })

  test('its sparse files of the old format are refused by a message that says so', async () => {
    await expect(entriesFrom('tar', ['--format=gnu', '-S', '-cf', '-', 'data'])).rejects.toMatchObject({
      code: 'ERR_INVALID_TAR',
      message: expect.stringContaining('sparse file of the old GNU format'),
    })
  })

  test.each([
    ['gnu', -315_619_200, 3_000_000],
    ['pax', -315_619_200, 3_000_000],
    ['gnu', 17_179_869_184, 4_294_967_294],
    ['pax', 17_179_869_184, 4_294_967_294],
  ])('its numbers in format %s: time %i, owner %i', async (format, mtime, owner) => {
    const options = [`--format=${format}`, `--mtime=@${mtime}`, `--owner=:${owner}`, `--group=:${owner}`]
    expect(await entriesFrom('tar', [...options, '-cf', '-', 'plain'])).toMatchObject([
      { path: 'plain', mtime, uid: owner, gid: owner, text: 'plain' },
    ])
  })

  test('labels, parts of a volume and dumps are refused', async () => {
    await expect(entriesFrom('tar', ['--format=gnu', '-V', 'label', '-cf', '-', 'plain'])).rejects.toThrow('"V"')
    const dump = ['--format=gnu', `--listed-incremental=${at('snapshot')}`, '-cf', '-', 'dumped']
    await expect(entriesFrom('tar', dump)).rejects.toThrow('"D"')
  })

  test('concatenated archives end with the first', async () => {
    const one = execFileSync('tar', ['-cf', '-', 'plain'], { cwd: place.path })
    const entries = await readEntries(readTar(Buffer.concat([one, one])))
    expect(entries).toHaveLength(1)
  })
})

describe.runIf(needsProgram('bsdtar'))('bsdtar', () => {
  test.each(['ustar', 'v7', 'gnutar', 'pax', 'paxr'])('its format %s is read', async format => {
    expect(await entriesFrom('bsdtar', ['--format', format, '-cf', '-', 'plain'])).toMatchObject([
      { path: 'plain', type: 'file', text: 'plain' },
    ])
  })

  test('its sparse files are the files that they were', async () => {
    const entries = await entriesFrom('bsdtar', ['--format', 'pax', '-cf', '-', 'data', 'hole'])
    expect(entries.map(({ path }) => path)).toEqual(['data', 'hole'])
    for (const { path, text } of entries) expect(Buffer.from(text, 'latin1').equals(readFileSync(at(path)))).toBe(true)
  })

  test('extended attributes go through it and come back, as bytes and under any name', async () => {
    const xattrs = new Map([
      ['user.binary', Buffer.from([0, 10, 61, 255, 0])],
      ['user.empty', Buffer.alloc(0)],
      ['user.\u00fc', Buffer.from('umlaut')],
    ])
    const ours: TarInput[] = [{ path: 'f', type: 'file', content: 'f', xattrs }]
    writeFileSync(at('ours.tar'), await readAll(writeTar(ours)))
    const [entry] = await entriesFrom('bsdtar', ['--format', 'pax', '-cf', '-', '@ours.tar'])
    expect(new Map([...entry!.xattrs!].sort())).toEqual(new Map([...xattrs].sort()))
  })
})

describe.runIf(needsProgram('tar'))('what we write of what we have read', () => {
  test('is listed by GNU tar with the real size and time of a sparse file', async () => {
    const theirs = execFileSync('tar', ['--format=pax', '-S', '--mtime=@1000000000', '-cf', '-', 'data'], {
      cwd: place.path,
    })
    writeFileSync(at('again.tar'), await readAll(writeTar(readTar(theirs))))
    const listed = await program('tar', ['--full-time', '-tvf', at('again.tar')])
    expect(listed).toMatch(/ 2900003 2001-09-09 01:46:40 data\n$/)
    const content = execFileSync('tar', ['-xOf', at('again.tar'), 'data'], { maxBuffer: 2 ** 24 })
    expect(content.equals(readFileSync(at('data')))).toBe(true)
  })

  test('extended attributes are listed by GNU tar with their sizes', async () => {
    const xattrs = new Map([['user.binary', Buffer.from([0, 10, 61, 255, 0])]])
    writeFileSync(at('xattr.tar'), await readAll(writeTar([{ path: 'f', type: 'file', xattrs }])))
    expect(await program('tar', ['--xattrs', '-tvvf', at('xattr.tar')])).toMatch(/x: +5 user\.binary/)
  })
})
