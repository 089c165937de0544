import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { unpackArchives } from '../../../lib/rootfs/unpack/unpack-archives.ts'
import type { UnpackOptions } from '../../../lib/rootfs/unpack/unpack-options.ts'
import { directory, file, hardLink, symlink } from '../../helpers/attacks/attack.ts'
import { treeOf } from '../../helpers/attacks/tree-of.ts'
import fc, { cases } from '../../helpers/fast-check.ts'
import { listTree } from '../../helpers/list-tree.ts'
import { type RawEntry, rawTar } from '../../helpers/raw-tar.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'
import { unpackWith } from '../../helpers/unpack-with.ts'

let place: ReturnType<typeof temporaryDirectory>
let count = 0
beforeEach(() => {
  place = temporaryDirectory('whiteouts')
})
afterEach(() => place[Symbol.dispose]())

async function result(...layers: RawEntry[][]): Promise<unknown> {
  const target = join(place.path, `${count++}`)
  await unpackWith(layers, target)
  return listTree(target).map(({ path, kind, mode, content, target: link }) => [path, kind, mode, content ?? link])
}

async function tree(...layers: RawEntry[][]): Promise<string[]> {
  const target = join(place.path, `${count++}`)
  await unpackWith(layers, target)
  return Object.entries(treeOf(target, {})).map(([path, what]) => `${path}=${what}`)
}

const whiteout = (path: string) => file(path, '')
const lower = [directory('d', { mode: 0o700 }), file('d/x', 'low'), file('d/e/y', 'low'), file('f', 'low')]

describe('a whiteout hides lower layers only, at any position', () => {
  test('of a file', async () => {
    expect(await tree(lower, [whiteout('.wh.f')])).toEqual(['d/e/y=file:low', 'd/x=file:low'])
    expect(await tree(lower, [file('f'), whiteout('.wh.f')])).toContain('f=file:new')
    expect(await tree(lower, [whiteout('.wh.f'), file('f')])).toContain('f=file:new')
  })

  test('of a directory that the layer adds an entry to', async () => {
    const first = await result(lower, [whiteout('.wh.d'), file('d/new')])
    expect(await result(lower, [file('d/new'), whiteout('.wh.d')])).toEqual(first)
    expect(first).toEqual([
      ['d', 'directory', '755', undefined],
      ['d/new', 'file', '644', expect.any(String)],
      ['f', 'file', '644', expect.any(String)],
    ])
  })

  test('of a directory that the layer has an entry for', async () => {
    const entries = [directory('d', { mode: 0o711 }), file('d/e/z')]
    const first = await result(lower, [whiteout('.wh.d'), ...entries])
    expect(await result(lower, [...entries, whiteout('.wh.d')])).toEqual(first)
    expect(first).toContainEqual(['d', 'directory', '711', undefined])
    expect(first).not.toContainEqual(expect.arrayContaining(['d/x']))
  })

  test('of the content of a directory that is now a file, a link or a device, as umoci writes it', async () => {
    const below = [...lower, directory('o'), file('o/x', 'low')]
    for (const now of [file('d'), symlink('d', 'o'), hardLink('d', 'f'), { path: 'd', type: '6' }]) {
      const first = await result(below, [now])
      for (const mark of ['d/.wh.x', 'd/e/.wh.y', 'd/.wh..wh..opq']) {
        expect(await result(below, [now, whiteout(mark)])).toEqual(first)
        expect(await result(below, [whiteout(mark), now])).toEqual(first)
      }
    }
  })

  test('through a link of lower layers, also if the layer has the same link', async () => {
    const below = [...lower, symlink('l', 'd')]
    const first = await tree(below, [whiteout('l/.wh.x')])
    expect(first).toEqual(['d/e/y=file:low', 'f=file:low', 'l=link:d'])
    expect(await tree(below, [symlink('l', 'd'), whiteout('l/.wh.x')])).toEqual(first)
    expect(await tree(below, [whiteout('l/.wh.x'), symlink('l', 'd')])).toEqual(first)
  })

  test('of everything in a directory', async () => {
    const entries = [file('d/new'), file('d/e/z'), hardLink('d/hard', 'd/new')]
    const first = await result(lower, [whiteout('d/.wh..wh..opq'), ...entries])
    for (let at = 0; at <= entries.length; at++) {
      expect(await result(lower, entries.toSpliced(at, 0, whiteout('d/.wh..wh..opq')))).toEqual(first)
    }
    expect(first).toContainEqual(['d', 'directory', '700', undefined])
  })

  test('of everything in the root', async () => {
    expect(await tree(lower, [file('a'), whiteout('.wh..wh..opq'), file('b')])).toEqual(['a=file:new', 'b=file:new'])
  })

  test('repeated many times', async () => {
    const marks = Array.from({ length: 500 }, () => whiteout('d/.wh..wh..opq'))
    expect(await tree(lower, [file('d/a'), ...marks, file('d/b')])).toEqual([
      'd/a=file:new',
      'd/b=file:new',
      'f=file:low',
    ])
  })
})

test('a whiteout is recognised by its name, of any type, and never written to the tree', async () => {
  const marks = [directory('.wh.f'), symlink('d/.wh.x', '/etc'), whiteout('d/e/.wh.not-there'), whiteout('none/.wh.x')]
  expect(await tree(lower, marks)).toEqual(['d/e/y=file:low'])
  expect(await tree(lower, [file('.wh.f', 'a body')])).not.toContain('f=file:low')
  expect(await tree([file('..data')], [whiteout('.wh...data')])).toEqual([])
})

test('an opaque whiteout creates its missing directory', async () => {
  expect(await result([whiteout('n/.wh..wh..opq')])).toEqual([['n', 'directory', '755', undefined]])
})

test('names reserved by AUFS are ignored', async () => {
  const marks = [file('.wh..wh.plnk/1.2'), directory('.wh..wh.orph'), file('.wh..wh.aufs'), file('d/.wh..wh..tmp')]
  expect(await tree(lower, marks)).toEqual(await tree(lower))
})

test.each(['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh...', '.wh.d/x', 'd/.wh..wh..opq/x'])(
  '%s is refused',
  async path => {
    const error = await thrownBy(() => tree(lower, [file(path)]))
    expect(error).toMatchObject({ code: 'ERR_INVALID_WHITEOUT' })
  },
)

test('a whiteout after entries below the hidden path gives the same tree as before them', async () => {
  const links = [directory('real'), symlink('l', 'real'), symlink('d/l', '../real')]
  const base = [...links, file('f'), file('real/y'), symlink('loop', 'loop'), symlink('up', 'd/../real')]
  for (const late of [
    [file('l/x'), whiteout('.wh.l')],
    [file('d/l/x'), whiteout('.wh.d')],
    [file('d/l/x'), whiteout('d/.wh..wh..opq')],
    // The layer has replaced the link that the whiteout's path goes through, or a directory above it.
    [file('l/x'), file('l'), whiteout('.wh.l')],
    [file('l/x'), directory('l'), whiteout('.wh.l')],
    [file('d/l/x'), file('d/l'), whiteout('.wh.d')],
    [file('d/l/x'), directory('d/l'), whiteout('d/.wh..wh..opq')],
    [file('d/l/x'), file('d'), whiteout('.wh.d')],
    [file('d/l/x'), file('d'), directory('d'), whiteout('.wh..wh..opq')],
    // Without it the entry cannot be.
    [file('loop/x'), whiteout('.wh.loop')],
    // The whiteout is below a link, which the layer keeps, replaces, or makes a directory afterwards.
    [directory('e'), whiteout('l/.wh.y')],
    [symlink('l', 'real'), whiteout('l/.wh.y')],
    [symlink('l', 'd'), whiteout('l/.wh.y')],
    [directory('l'), whiteout('l/.wh.y')],
    [file('l'), whiteout('l/.wh.y')],
    // The way has been out of what it hides.
    [file('up/x'), whiteout('.wh.d')],
    [file('f/x'), whiteout('.wh.f')],
  ]) {
    const [mark, entries] = [late.at(-1)!, late.slice(0, -1)]
    const first = await result(base, [mark, ...entries])
    expect(await result(base, late), JSON.stringify(late)).toEqual(first)
    expect(await result(base, [...entries.slice(0, 1), mark, ...entries.slice(1)])).toEqual(first)
  }
})

test('a hard link to a path that its own layer hides is rejected, at any position of the whiteout', async () => {
  for (const layer of [
    [hardLink('h', 'f'), whiteout('.wh.f')],
    [whiteout('.wh.f'), hardLink('h', 'f')],
    [hardLink('h', 'f'), whiteout('.wh..wh..opq')],
    [hardLink('h', 'f'), file('f'), whiteout('.wh.f')],
  ]) {
    expect(await thrownBy(() => tree([file('f')], layer))).toMatchObject({ code: 'ERR_INVALID_LINK' })
  }
})

test('a name of 252 to 255 bytes is hidden by its whiteout, although that exceeds the limit of names', async () => {
  for (const name of ['n'.repeat(252), 'n'.repeat(255), `${'ü'.repeat(127)}n`]) {
    expect(await tree([file(`d/${name}`), file('d/x')], [whiteout(`d/.wh.${name}`)])).toEqual(['d/x=file:new'])
    const late = [file(`l/x`), whiteout(`.wh.${name}`), whiteout('.wh.l')]
    expect(await tree([directory('d'), symlink('l', 'd'), file(name)], late)).toEqual(['l/x=file:new'])
  }
  const error = await thrownBy(() => tree([file('x')], [whiteout(`.wh.${'n'.repeat(256)}`)]))
  expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 255, actual: 256 })
  expect(await thrownBy(() => tree([file('n'.repeat(256))]))).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
})

test('an entry below a file of a lower layer replaces it; one below a file of its own layer is rejected', async () => {
  const base = [file('f', 'low'), { path: 'p', type: '6' }, symlink('l', 'f'), file('h0', 'kept'), hardLink('h', 'h0')]
  expect(await tree(base, [file('f/g/x'), file('p/x'), file('h/x')])).toEqual([
    'f/g/x=file:new',
    'h/x=file:new',
    'h0=file:kept',
    'l=link:f',
    'p/x=file:new',
  ])
  expect(await tree(base, [file('l/x')])).toContain('f/x=file:new')
  const marked = await result(base, [whiteout('f/.wh.x'), whiteout('p/.wh..wh..opq')])
  expect(marked).toContainEqual(['f', 'file', '644', expect.any(String)])
  expect(marked).toContainEqual(['p', 'directory', '755', undefined])
  for (const layer of [
    [file('f'), file('f/x')],
    [file('f'), hardLink('h', 'f'), file('h/x')],
    [file('f'), file('l/x')],
    [{ path: 'p', type: '6' }, file('p/x')],
  ]) {
    expect(await thrownBy(() => tree(base, layer))).toMatchObject({ code: 'ERR_NOT_A_DIRECTORY' })
  }
})

describe('pseudo-links of AUFS', () => {
  const pseudo = '.wh..wh.plnk/1.2'
  const layer = [file('.wh..wh.aufs', ''), directory('.wh..wh.plnk'), file(pseudo, 'X')]
  const linked = [...layer, hardLink('a', pseudo), directory('x'), hardLink('x/b', pseudo)]

  test('are visible only under the names of hard links to them', async () => {
    expect(await tree([...linked, whiteout('.wh..wh..opq')])).toEqual(['a=file:X', 'x/b=file:X'])
    expect(await tree(lower, layer)).toEqual(await tree(lower))
    // The last of two counts.
    expect(await tree([...linked, file(pseudo, 'Y'), hardLink('c', pseudo)])).toEqual([
      'a=file:X',
      'c=file:Y',
      'x/b=file:X',
    ])
    const target = join(place.path, `${count++}`)
    const source = { name: 'sha256:test', open: () => [rawTar(linked)] }
    const report = await unpackArchives([source], target, { writer: 'inline' })
    expect(report).toMatchObject({ files: 1, links: 1, directories: 1, bytes: 1 })
    expect(statSync(join(target, 'a')).ino).toBe(statSync(join(target, 'x/b')).ino)
  })

  test('are valid in one layer only', async () => {
    const error = await thrownBy(() => tree(linked, [hardLink('c', pseudo)]))
    expect(error).toMatchObject({ code: 'ERR_INVALID_LINK' })
  })

  test('leave nothing in a target that is not empty, also if the layer fails', async () => {
    const target = join(place.path, `${count++}`)
    await unpackWith([[file('there')]], target)
    await unpackWith([linked], target, { overwrite: true })
    expect(readdirSync(target).sort()).toEqual(['a', 'there', 'x'])
    await thrownBy(() =>
      unpackWith([[...layer, hardLink('c', pseudo), hardLink('d', 'none')]], target, { overwrite: true }),
    )
    expect(readdirSync(target).sort()).toEqual(['a', 'c', 'there', 'x'])
  })
})

test('a layer is opened once, and twice only if its whiteouts cannot be resolved in one pass', async () => {
  const opened: string[] = []
  const unpack = (layers: RawEntry[][], options: UnpackOptions = {}) => {
    opened.length = 0
    const sources = layers.map((layer, i) => {
      const open = () => {
        opened.push(String(i))
        return [rawTar(layer)]
      }
      return { name: `sha256:${i}`, open }
    })
    return unpackArchives(sources, join(place.path, `${count++}`), { writer: 'inline', ...options })
  }
  await unpack([lower, [file('d/x'), whiteout('d/.wh.e'), whiteout('.wh.f')]])
  expect(opened).toEqual(['0', '1'])
  const report = await unpack([[directory('d'), symlink('s', 'd')], [file('s/f'), whiteout('.wh.s')], [file('g')]])
  expect(opened).toEqual(['0', '1', '0', '0', '1', '1', '2', '2'])
  expect(report.files).toBe(2)
  // Only root can set owners.
  expect(report.skipped.filter(({ what }) => what !== 'owner')).toEqual([])
  await unpack([lower], { overwrite: true })
  expect(opened).toEqual(['0', '0'])
})

test('an opaque whiteout keeps its directory, even if the layer replaced it meanwhile', async () => {
  const first = await result(lower, [directory('g'), whiteout('g/e/.wh..wh..opq')])
  expect(first).toContainEqual(['g/e', 'directory', '755', undefined])
  expect(await result(lower, [file('g'), whiteout('g/e/.wh..wh..opq'), directory('g')])).toEqual(first)
  expect(await result(lower, [whiteout('g/e/.wh..wh..opq'), file('g'), directory('g')])).toEqual(first)
})

test('links that expand to too many components are rejected', async () => {
  const far = Array.from({ length: 200 }, (_, i) => symlink(`l${i}`, `${'d/../'.repeat(300)}l${i + 1}`))
  const layer = [...far, directory('l200'), file('l0/x')]
  expect(await thrownBy(() => tree(lower, layer))).toMatchObject({ code: 'ERR_TOO_MANY_LINKS' })
})

test('any order of a layer gives the same tree', async () => {
  const way = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
  const entry = fc.oneof(
    fc.tuple(way, fc.constantFrom('x', 'y')).map(([parent, name]) => file(`${parent}/${name}`)),
    way.map(path => directory(path, { mode: 0o711 })),
  )
  const mark = fc.oneof(
    way.map(path => whiteout(`${path}/.wh..wh..opq`)),
    fc.tuple(way, fc.constantFrom('x', 'y', 'a', 'b')).map(([parent, name]) => whiteout(`${parent}/.wh.${name}`)),
    fc.constantFrom('a', 'b').map(name => whiteout(`.wh.${name}`)),
  )
  const unique = { selector: (item: RawEntry) => item.path, maxLength: 8 }
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, unique),
      fc.uniqueArray(entry, unique),
      fc.uniqueArray(mark, unique),
      fc.array(fc.nat(), { minLength: 16, maxLength: 16 }),
      async (base, entries, marks, places) => {
        const mixed = [...entries, ...marks].map((item, i) => ({ item, place: places[i] as number }))
        mixed.sort((one, other) => one.place - other.place)
        expect(
          await result(
            base,
            mixed.map(({ item }) => item),
          ),
        ).toEqual(await result(base, [...marks, ...entries]))
      },
    ),
    { numRuns: cases(60) },
  )
})
