import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { directory, file, hardLink, symlink } from '../../helpers/attacks/attack.ts'
import { treeOf } from '../../helpers/attacks/tree-of.ts'
import fc from '../../helpers/fast-check.ts'
import { listTree } from '../../helpers/list-tree.ts'
import type { RawEntry } from '../../helpers/raw-tar.ts'
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

describe('a whiteout hides lower layers only, wherever it stands', () => {
  test('of a file', async () => {
    expect(await tree(lower, [whiteout('.wh.f')])).toEqual(['d/e/y=file:low', 'd/x=file:low'])
    expect(await tree(lower, [file('f'), whiteout('.wh.f')])).toContain('f=file:new')
    expect(await tree(lower, [whiteout('.wh.f'), file('f')])).toContain('f=file:new')
  })

  test('of a directory that the layer puts something into', async () => {
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

  test('of what was in a directory that is a file, a link or a device now, as umoci writes it', async () => {
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

  test('many times over', async () => {
    const marks = Array.from({ length: 500 }, () => whiteout('d/.wh..wh..opq'))
    expect(await tree(lower, [file('d/a'), ...marks, file('d/b')])).toEqual([
      'd/a=file:new',
      'd/b=file:new',
      'f=file:low',
    ])
  })
})

test('a whiteout is known by its name, whatever its kind, and is never left in the tree', async () => {
  const marks = [directory('.wh.f'), symlink('d/.wh.x', '/etc'), whiteout('d/e/.wh.not-there'), whiteout('none/.wh.x')]
  expect(await tree(lower, marks)).toEqual(['d/e/y=file:low'])
  expect(await tree(lower, [file('.wh.f', 'a body')])).not.toContain('f=file:low')
  expect(await tree([file('..data')], [whiteout('.wh...data')])).toEqual([])
})

test('an opaque mark in a directory that is not there makes it', async () => {
  expect(await result([whiteout('n/.wh..wh..opq')])).toEqual([['n', 'directory', '755', undefined]])
})

test('names that AUFS keeps for itself are left out', async () => {
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

test('a whiteout that comes too late for what the layer did through it is refused', async () => {
  const links = [directory('real'), symlink('l', 'real'), symlink('d/l', '../real')]
  for (const late of [
    [file('l/x'), whiteout('.wh.l')],
    [file('d/l/x'), whiteout('.wh.d')],
    [file('d/l/x'), whiteout('d/.wh..wh..opq')],
    [hardLink('h', 'f'), whiteout('.wh.f')],
    [hardLink('h', 'f'), whiteout('.wh..wh..opq')],
    // What it went through has been replaced meanwhile, by itself or with all that it was in.
    [file('l/x'), file('l'), whiteout('.wh.l')],
    [file('l/x'), directory('l'), whiteout('.wh.l')],
    [file('d/l/x'), file('d/l'), whiteout('.wh.d')],
    [file('d/l/x'), directory('d/l'), whiteout('d/.wh..wh..opq')],
    [file('d/l/x'), file('d'), whiteout('.wh.d')],
    [file('d/l/x'), file('d'), directory('d'), whiteout('.wh..wh..opq')],
    [hardLink('h', 'f'), file('f'), whiteout('.wh.f')],
  ]) {
    expect(await thrownBy(() => tree([...links, file('f')], late))).toMatchObject({ code: 'ERR_INVALID_WHITEOUT' })
    await tree([...links, file('f')], [late.at(-1)!])
  }
})

test('an opaque mark leaves its directory there, whatever its layer had in the place of one meanwhile', async () => {
  const first = await result(lower, [directory('g'), whiteout('g/e/.wh..wh..opq')])
  expect(first).toContainEqual(['g/e', 'directory', '755', undefined])
  expect(await result(lower, [file('g'), whiteout('g/e/.wh..wh..opq'), directory('g')])).toEqual(first)
  expect(await result(lower, [whiteout('g/e/.wh..wh..opq'), file('g'), directory('g')])).toEqual(first)
})

test('links that lead around and around end a way that is not long', async () => {
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
    { numRuns: 60 },
  )
})
