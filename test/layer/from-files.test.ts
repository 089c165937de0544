import { describe, expect, test } from 'vitest'
import { fromFiles, rewriteEntries } from '../../lib/layer/index.ts'
import { readTar, type TarInput, writeTar } from '../../lib/tar/index.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const back = (entries: Parameters<typeof writeTar>[0]) => readEntries(readTar(writeTar(entries)))

describe('files in memory', () => {
  test('come in the order of an archive, with the directories on the way', async () => {
    const files = { 'b/c/d': 'deep', 'a.x': 'dot', 'a/z': Buffer.from('z'), a0: () => 'made' as never }
    expect(await back(fromFiles(files, { at: '/opt', mtime: 7, uid: 1, gid: 2 }))).toMatchObject([
      { path: 'opt', type: 'directory', mode: 0o755, mtime: 7, uid: 1, gid: 2 },
      { path: 'opt/a', type: 'directory' },
      { path: 'opt/a/z', text: 'z', mode: 0o644, mtime: 7, uid: 1 },
      { path: 'opt/a.x', text: 'dot' },
      { path: 'opt/a0', text: 'made' },
      { path: 'opt/b', type: 'directory' },
      { path: 'opt/b/c', type: 'directory' },
      { path: 'opt/b/c/d', text: 'deep' },
    ])
  })

  test('keep what they say of themselves, unless a policy says otherwise', async () => {
    const files: TarInput[] = [
      { path: 'run', type: 'file', content: 'x', mode: 0o4711, uid: 5, mtime: 99 },
      { path: 'also', type: 'hardlink', linkname: 'run' },
      { path: 'd', type: 'directory', mode: 0o1777 },
    ]
    const kept = await back(fromFiles(files.slice(0, 1), { parents: false }))
    expect(kept).toMatchObject([{ mode: 0o4711, uid: 5, mtime: 99 }])
    expect(fromFiles(files, { at: 'x', mode: 'normal', uid: id => id + 1, mtime: { notAfter: 50 } })).toMatchObject([
      { path: 'x', mode: 0o755, uid: 1 },
      { path: 'x/d', mode: 0o755, uid: 1, mtime: 0 },
      { path: 'x/run', mode: 0o755, uid: 6, mtime: 50 },
      { path: 'x/also', linkname: 'x/run', uid: 1 },
    ])
  })

  test('a path that comes twice, or cannot be, is refused', async () => {
    const refused = (...paths: string[]) =>
      thrownBy(async () => fromFiles(paths.map(path => ({ path, type: 'file' }) as const)))
    for (const paths of [['a', './a'], ['../a'], ['']]) {
      expect(await refused(...paths)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
  })

  test('any order of any files gives the same bytes', async () => {
    const name = fc.constantFrom('a', 'b', 'a.b', 'ü', '\u{10000}', '\uffee', 'A', '-', '\udcff')
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map(names => names.join('/'))
    const files = fc
      .uniqueArray(path, { maxLength: 12 })
      .filter(all => !all.some(a => all.some(b => b.startsWith(`${a}/`))))
    await fc.assert(
      fc.asyncProperty(files, fc.infiniteStream(fc.nat(1000)), async (paths, keys) => {
        const shuffled = paths.map(p => [keys.next().value as number, p] as const).sort(([a], [b]) => a - b)
        const entries = (all: readonly string[]) =>
          fromFiles(all.map(p => ({ path: p, type: 'file', content: p }) as const))
        const bytes = await readAll(writeTar(entries(paths)))
        expect((await readAll(writeTar(entries(shuffled.map(([, p]) => p))))).equals(bytes)).toBe(true)
        const order = (await readEntries(readTar(bytes))).map(entry => entry.path)
        for (const [i, p] of order.entries()) {
          if (p.includes('/')) expect(order.slice(0, i)).toContain(p.slice(0, p.lastIndexOf('/')))
        }
      }),
      { numRuns: cases(60) },
    )
  })
})

describe('entries of another archive', () => {
  const source = (): TarInput[] => [
    { path: 'usr', type: 'directory', mode: 0o700, uid: 3 },
    { path: 'usr/a', type: 'file', content: 'a', mtime: 100, uid: 1000 },
    { path: 'usr/b', type: 'hardlink', linkname: 'usr/a' },
    { path: 'usr/l', type: 'symlink', linkname: 'a' },
    { path: 'var', type: 'directory' },
  ]
  const archive = () => readTar(writeTar(source()))

  test('stay as they are without options', async () => {
    const bytes = await readAll(writeTar(source()))
    expect((await readAll(writeTar(rewriteEntries(readTar(bytes))))).equals(bytes)).toBe(true)
  })

  test('are filtered and renamed, hard links with their files', async () => {
    const options = {
      filter: ({ path }: TarInput) => path !== 'var',
      rename: (path: string) => path.replace(/^usr/, 'opt'),
      uid: (id: number) => (id === 1000 ? 0 : id),
      mtime: { notAfter: 50 },
    }
    expect(await back(rewriteEntries(archive(), options))).toMatchObject([
      { path: 'opt', mode: 0o700, uid: 3 },
      { path: 'opt/a', text: 'a', mtime: 50, uid: 0 },
      { path: 'opt/b', type: 'hardlink', linkname: 'opt/a' },
      { path: 'opt/l', type: 'symlink', linkname: 'a' },
    ])
  })

  test('a hard link whose file was left out is refused', async () => {
    const filtered = rewriteEntries(archive(), { filter: ({ path }) => path !== 'usr/a' })
    expect(await thrownBy(() => readAll(writeTar(filtered)))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

test('a hard link whose name sorts before its file comes after it, so that the layer is valid', () => {
  const entries = fromFiles([
    { path: 'a/link', type: 'hardlink', linkname: 'b/file' },
    { path: 'b/file', type: 'file', content: 'x' },
    { path: 'b/link', type: 'hardlink', linkname: 'b/file' },
    { path: 'c', type: 'file', content: 'y' },
  ])
  expect(entries.map(({ path }) => path)).toEqual(['a', 'b', 'b/file', 'b/link', 'c', 'a/link'])
})
