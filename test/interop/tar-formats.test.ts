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

/** Entries of the archive that a program writes to its standard output. */
async function entriesFrom(name: string, args: readonly string[]) {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  const bytes = execFileSync(name, args, { cwd: place.path, env, maxBuffer: 2 ** 28 })
  return readEntries(readTar(cut(bytes, 100_000)))
}

/** Makes a sparse file of nearly 3 MiB: data at the start, in the middle and at the end. */
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
  test.each(['0.0', '0.1', '1.0'])(
    'writes sparse files of version %s that we read with their content',
    async version => {
      const options = ['--format=pax', `--sparse-version=${version}`, '-S', '-cf', '-']
      const entries = await entriesFrom('tar', [...options, 'data', 'plain', 'hole'])
      expect(entries.map(({ path }) => path)).toEqual(['data', 'plain', 'hole'])
      for (const { path, text, size } of entries) {
        const file = readFileSync(at(path))
        expect(size).toBe(file.byteLength)
        expect(Buffer.from(text, 'latin1').equals(file), path).toBe(true)
      }
      // Without a sparse map the test would prove nothing.
      expect(entries[0]!.sparse!.length).toBeGreaterThan(1)
    },
  )

  test('writes a sparse file over 8 GiB that we skip without reading its holes', async () => {
    execFileSync('truncate', ['-s', '9G', at('huge')])
    const bytes = execFileSync('tar', ['--format=pax', '-S', '-cf', '-', 'huge', 'plain'], { cwd: place.path })
    const found: [string, number][] = []
    for await (const { path, size } of readTar(bytes)) found.push([path, size])
    expect(found).toEqual([
      ['huge', 9 * 2 ** 30],
      ['plain', 5],
    ])
  })

  test('writes sparse files of the old format, which we refuse with a message that names it', async () => {
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
  ])('writes numbers in format %s that we read: time %i, owner %i', async (format, mtime, owner) => {
    const options = [`--format=${format}`, `--mtime=@${mtime}`, `--owner=:${owner}`, `--group=:${owner}`]
    expect(await entriesFrom('tar', [...options, '-cf', '-', 'plain'])).toMatchObject([
      { path: 'plain', mtime, uid: owner, gid: owner, text: 'plain' },
    ])
  })

  test('writes labels, multi-volume parts and dumps, which we refuse', async () => {
    await expect(entriesFrom('tar', ['--format=gnu', '-V', 'label', '-cf', '-', 'plain'])).rejects.toThrow('"V"')
    const dump = ['--format=gnu', `--listed-incremental=${at('snapshot')}`, '-cf', '-', 'dumped']
    await expect(entriesFrom('tar', dump)).rejects.toThrow('"D"')
  })

  test('writes concatenated archives, of which we read the first', async () => {
    const one = execFileSync('tar', ['-cf', '-', 'plain'], { cwd: place.path })
    const entries = await readEntries(readTar(Buffer.concat([one, one])))
    expect(entries).toHaveLength(1)
  })
})

describe.runIf(needsProgram('bsdtar'))('bsdtar', () => {
  test.each(['ustar', 'v7', 'gnutar', 'pax', 'paxr'])('writes format %s, which we read', async format => {
    expect(await entriesFrom('bsdtar', ['--format', format, '-cf', '-', 'plain'])).toMatchObject([
      { path: 'plain', type: 'file', text: 'plain' },
    ])
  })

  test('writes sparse files that we read with their content', async () => {
    const entries = await entriesFrom('bsdtar', ['--format', 'pax', '-cf', '-', 'data', 'hole'])
    expect(entries.map(({ path }) => path)).toEqual(['data', 'hole'])
    for (const { path, text } of entries) expect(Buffer.from(text, 'latin1').equals(readFileSync(at(path)))).toBe(true)
  })

  test('keeps our extended attributes, as bytes and under any name', async () => {
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

describe.runIf(needsProgram('tar'))('entries that we read and write again', () => {
  test('GNU tar lists a sparse file with its real size and time', async () => {
    const theirs = execFileSync('tar', ['--format=pax', '-S', '--mtime=@1000000000', '-cf', '-', 'data'], {
      cwd: place.path,
    })
    writeFileSync(at('again.tar'), await readAll(writeTar(readTar(theirs))))
    const listed = await program('tar', ['--full-time', '-tvf', at('again.tar')])
    expect(listed).toMatch(/ 2900003 2001-09-09 01:46:40 data\n$/)
    const content = execFileSync('tar', ['-xOf', at('again.tar'), 'data'], { maxBuffer: 2 ** 24 })
    expect(content.equals(readFileSync(at('data')))).toBe(true)
  })

  test('GNU tar lists extended attributes with their sizes', async () => {
    const xattrs = new Map([['user.binary', Buffer.from([0, 10, 61, 255, 0])]])
    writeFileSync(at('xattr.tar'), await readAll(writeTar([{ path: 'f', type: 'file', xattrs }])))
    expect(await program('tar', ['--xattrs', '-tvvf', at('xattr.tar')])).toMatch(/x: +5 user\.binary/)
  })
})
