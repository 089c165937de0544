import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
const long = `${'long-name-'.repeat(12)}end`
const env = { ...process.env, LC_ALL: 'C.UTF-8' }

beforeAll(() => {
  directory = temporaryDirectory('tar-writers')
  const at = (...parts: string[]) => join(directory.path, ...parts)
  mkdirSync(at('d', long), { recursive: true })
  writeFileSync(at('d', 'a'), 'hello')
  writeFileSync(at('d', 'ü'), 'umlaut')
  writeFileSync(at('d', long, 'deep'), Buffer.alloc(700, 'x'))
  writeFileSync(Buffer.concat([Buffer.from(`${at('d')}/`), Buffer.from([0x63, 0xff])]), 'latin')
  chmodSync(at('d', 'a'), 0o4751)
  symlinkSync(`../${long}/${long}`, at('d', 'l'))
  linkSync(at('d', 'a'), at('d', 'z'))
  for (const file of [at('d', 'a'), at('d', 'ü')]) utimesSync(file, 1e9, 1234567890.5)
})
afterAll(() => directory?.[Symbol.dispose]())

const entriesFrom = async (program: string, args: readonly string[], input?: string) => {
  const bytes = execFileSync(program, args, { cwd: directory.path, env, input, maxBuffer: 2 ** 26 })
  return readEntries(readTar(cut(bytes, 10_000)))
}

function expectTree(entries: Awaited<ReturnType<typeof entriesFrom>>): void {
  const byPath = new Map(entries.map(entry => [entry.path, entry]))
  expect([...byPath.keys()].sort()).toEqual(
    ['d', 'd/a', 'd/c\udcff', `d/${long}`, `d/${long}/deep`, 'd/l', 'd/z', 'd/ü'].sort(),
  )
  expect(byPath.get('d')).toMatchObject({ type: 'directory' })
  expect(byPath.get('d/l')).toMatchObject({ type: 'symlink', linkname: `../${long}/${long}` })
  expect(byPath.get(`d/${long}/deep`)).toMatchObject({ type: 'file', text: 'x'.repeat(700) })
  expect(byPath.get('d/c\udcff')).toMatchObject({ text: 'latin' })
  expect(byPath.get('d/ü')).toMatchObject({ text: 'umlaut' })
  expect(Math.floor(byPath.get('d/ü')!.mtime)).toBe(1234567890)
  const [file, link] = ['d/a', 'd/z'].map(path => byPath.get(path)!).sort((a, b) => b.size - a.size)
  expect(file).toMatchObject({ type: 'file', mode: 0o4751, text: 'hello' })
  expect(link).toMatchObject({ type: 'hardlink', linkname: file!.path })
}

describe.skipIf(!needsProgram('tar'))('GNU tar', () => {
  test.each([
    ['--format=gnu'],
    ['--format=pax'],
    ['--format=oldgnu'],
    ['--format=pax', '--pax-option=globexthdr.name=g,comment=all'],
  ])('what it writes with %s %s is read', async (...options) => {
    expectTree(await entriesFrom('tar', [...options.filter(Boolean), '-cf', '-', 'd']))
  })

  test.each(['--format=ustar', '--format=v7'])('what it writes with %s is read', async option => {
    const entries = await entriesFrom('tar', [option, '-cf', '-', 'd/a', 'd/z'])
    expect(entries).toMatchObject([
      { path: 'd/a', type: 'file', text: 'hello', mode: 0o4751, mtime: 1234567890 },
      { path: 'd/z', type: 'hardlink', linkname: 'd/a' },
    ])
  })

  test('sub-second times of PAX are kept', async () => {
    const [entry] = await entriesFrom('tar', ['--format=pax', '-cf', '-', 'd/ü'])
    expect(entry!.mtime).toBe(1234567890.5)
  })
})

describe.skipIf(!needsProgram('bsdtar'))('bsdtar', () => {
  test.each(['pax', 'gnutar', 'paxr'])('what it writes in format %s is read', async format => {
    expectTree(await entriesFrom('bsdtar', ['--format', format, '-cf', '-', 'd']))
  })
})

describe.skipIf(!needsProgram('python3'))('python', () => {
  test.each(['GNU_FORMAT', 'PAX_FORMAT'])('what it writes as %s is read', async format => {
    const program = `import tarfile,sys
with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.${format}) as t: t.add('d')`
    expectTree(await entriesFrom('python3', ['-c', program]))
  })
})
