import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { directory, file, hardLink, symlink } from '../../helpers/attacks/attack.ts'
import { treeOf } from '../../helpers/attacks/tree-of.ts'
import { listTree } from '../../helpers/list-tree.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'
import { unpackWith } from '../../helpers/unpack-with.ts'

const isRoot = needsRoot()

let place: ReturnType<typeof temporaryDirectory>
let target: string
beforeEach(() => {
  place = temporaryDirectory('writer')
  target = join(place.path, 'root')
})
afterEach(() => place[Symbol.dispose]())

describe('extended attributes', () => {
  const xattrs = { 'SCHILY.xattr.user.a': Buffer.from([1, 0, 255]), 'SCHILY.xattr.user.overlay.opaque': 'y' }
  const calls: [string, string, string][] = []
  const record = (path: string, name: string, value: Buffer) => {
    calls.push([path, name, value.toString('hex')])
  }
  beforeEach(() => {
    calls.length = 0
  })

  test('are set as bytes through handles, except those that overlayfs or the host interprets', async () => {
    const layer = [
      file('f', 'x', { pax: xattrs }),
      directory('d', {
        pax: { ...xattrs, 'SCHILY.xattr.trusted.overlay.redirect': '/', 'SCHILY.xattr.security.selinux': 's' },
      }),
      symlink('l', 'f', { pax: { 'SCHILY.xattr.user.a': 'x' } }),
      { path: 'p', type: '6', pax: { 'SCHILY.xattr.user.a': 'x' } },
    ]
    const skipped = await unpackWith([layer], target, {}, record)
    expect(calls.map(([, name, value]) => `${name}=${value}`)).toEqual(['user.a=0100ff', 'user.a=78', 'user.a=0100ff'])
    expect(calls.map(([path]) => path)).toEqual(Array(3).fill(expect.stringMatching(/^\/proc\/self\/fd\/\d+$/)))
    expect(skipped.map(({ path, reason }) => `${path} ${reason.split(':')[0]}`)).toEqual([
      'f user.overlay.opaque',
      'l user.a',
      'd user.overlay.opaque',
      'd trusted.overlay.redirect',
      'd security.selinux',
    ])
  })

  test('that the system refuses are reported; any other failure fails the call', async () => {
    const failing = (code: string) => () => {
      throw Object.assign(new Error(code), { code, syscall: 'setxattr' })
    }
    const layer = [file('f', 'x', { pax: { 'SCHILY.xattr.user.a': 'x' } })]
    const skipped = await unpackWith([layer], target, {}, failing('ENOTSUP'))
    expect(skipped).toEqual([{ path: 'f', what: 'xattr', reason: 'user.a: ENOTSUP' }])
    const other = join(place.path, 'other')
    expect(await thrownBy(() => unpackWith([layer], other, {}, failing('EIO')))).toMatchObject({
      code: 'ERR_UNPACK',
      path: 'f',
    })
    expect(readdirSync(place.path)).toEqual(['root'])
  })
})

describe.runIf(isRoot)('whiteouts for overlayfs', () => {
  const marks: string[] = []
  const record = (path: string, name: string) => {
    marks.push(`${name} ${statSync(path).ino}`)
  }
  beforeEach(() => {
    marks.length = 0
  })
  const overlay = { whiteouts: 'overlayfs' } as const
  const devices = () =>
    listTree(target).flatMap(({ kind, path, device }) => (kind === 'character-device' ? [`${path} ${device}`] : []))

  test('are written as devices 0:0, in directories created if missing, until an entry replaces them', async () => {
    await unpackWith(
      [[file('.wh.a', ''), file('n/.wh.b', ''), file('.wh.c', '')], [file('c')]],
      target,
      overlay,
      record,
    )
    expect(devices()).toEqual(['a 0', 'n/b 0'])
    expect(treeOf(target, {})).toMatchObject({ c: 'file:new' })
    expect(marks).toEqual([])
  })

  test('give the same tree if they come after entries below the hidden path', async () => {
    const lower = [directory('d'), directory('e'), symlink('s', 'd'), file('f'), file('e/x')]
    const upper = [
      file('s/new'),
      file('.wh.s', ''),
      file('e/.wh..wh..opq', ''),
      file('n/.wh..wh..opq', ''),
      file('f/.wh.x', ''),
    ]
    await unpackWith([lower, [...upper]], target, overlay, record)
    const [late, lateMarks] = [listTree(target).map(({ path, kind }) => `${path} ${kind}`), marks.length]
    expect(late).toEqual(['d directory', 'e directory', 'f file', 'n directory', 's directory', 's/new file'])
    // s, e and n hide everything below.
    expect(lateMarks).toBe(3)
    rmSync(target, { recursive: true })
    marks.length = 0
    await unpackWith([lower, [...upper.slice(1), upper[0]!]], target, overlay, record)
    expect(listTree(target).map(({ path, kind }) => `${path} ${kind}`)).toEqual(late)
    expect(marks).toHaveLength(lateMarks)
  })

  test('still remove what they hide, and are not written beside entries of the layer', async () => {
    await unpackWith(
      [
        [file('a'), file('b')],
        [file('.wh.a', ''), file('b'), file('.wh.b', '')],
      ],
      target,
      overlay,
      record,
    )
    expect(devices()).toEqual(['a 0'])
    expect(treeOf(target, {})).toMatchObject({ b: 'file:new' })
  })

  test('of a directory with new entries make it opaque, before and after the entries', async () => {
    await unpackWith(
      [
        [file('.wh.d', ''), file('d/x')],
        [file('e/x'), file('.wh.e', '')],
      ],
      target,
      overlay,
      record,
    )
    expect(devices()).toEqual([])
    const inodes = ['d', 'e'].map(name => `trusted.overlay.opaque ${statSync(join(target, name)).ino}`)
    expect(marks.sort()).toEqual(inodes.sort())
  })

  test('of everything in a directory make it opaque; without root by the attribute for users', async () => {
    await unpackWith([[file('d/.wh..wh..opq', '')]], target, { ...overlay, rootless: true }, record)
    expect(marks).toEqual([`user.overlay.opaque ${statSync(join(target, 'd')).ino}`])
  })

  test('make an existing directory opaque and change nothing else', async () => {
    mkdirSync(join(target, 'd'), { recursive: true, mode: 0o710 })
    writeFileSync(join(target, 'd/old'), '')
    utimesSync(join(target, 'd'), 5, 5)
    const layer = [file('d/.wh..wh..opq', '')]
    await unpackWith([layer], target, { ...overlay, overwrite: true }, record)
    expect(marks).toEqual([`trusted.overlay.opaque ${statSync(join(target, 'd')).ino}`])
    expect(listTree(target).map(({ path, mode }) => [path, mode])).toEqual([['d', '710']])
  })

  test('need the package fs-xattr', async () => {
    const error = await thrownBy(() => unpackWith([[file('d/.wh..wh..opq', '')]], target, overlay))
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED_ENTRY', path: 'd' })
  })
})

describe('where directories cannot be held by handle', () => {
  const paths = { handles: 'paths' } as const

  test('the same tree is written', async () => {
    const layers = [
      [
        directory('d', { mode: 0o750, mtime: 3 }),
        file('d/x', 'one', { mtime: 4 }),
        symlink('l', '/d'),
        hardLink('h', 'd/x'),
      ],
      [file('l/y'), file('d/.wh.x', ''), file('h', 'two'), { path: 'p', type: '6', mode: 0o600 }],
    ]
    const skipped = await unpackWith(layers, target, paths)
    const other = join(place.path, 'other')
    await unpackWith(layers, other)
    expect(listTree(target)).toEqual(listTree(other))
    expect(skipped).toEqual([{ path: 'p', what: 'mode', reason: expect.any(String) }])
  })

  test('links of the archive cannot leave the root either', async () => {
    mkdirSync(join(place.path, 'outside'))
    writeFileSync(join(place.path, 'outside/secret'), 'canary')
    const outside = join(place.path, 'outside')
    await unpackWith([[symlink('l', outside), file('l/secret'), symlink('d', outside), directory('d')]], target, paths)
    expect(listTree(outside).map(({ path }) => path)).toEqual(['secret'])
    expect(statSync(join(outside, 'secret')).size).toBe(6)
  })

  test('a failure leaves nothing', async () => {
    const layer = [file('a/b/c'), hardLink('h', 'missing')]
    expect(await thrownBy(() => unpackWith([layer], target, paths))).toMatchObject({ code: 'ERR_INVALID_LINK' })
    expect(readdirSync(place.path)).toEqual([])
  })

  test('attributes are reported', async () => {
    const layer = [file('f', 'x', { pax: { 'SCHILY.xattr.user.a': 'x' } })]
    const skipped = await unpackWith([layer], target, paths, () => expect.unreachable())
    expect(skipped).toMatchObject([{ what: 'xattr', reason: 'user.a: not on this system' }])
  })
})

describe('on a case-insensitive target', () => {
  const folds = { foldsNames: true }

  test.each([
    ['two files', [file('name'), file('NAME')]],
    ['two directories', [directory('dir'), file('DIR/x')]],
    ['a file and a directory', [file('a'), directory('A')]],
    ['composed and decomposed letters', [file('caf\u00e9'), file('cafe\u0301')]],
    ['a sharp s', [symlink('\u00df', 'x'), file('SS')]],
  ])('%s are refused', async (_, layer) => {
    const error = await thrownBy(() => unpackWith([layer], target, folds))
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED_ENTRY', message: expect.stringContaining('the same name as') })
    expect(readdirSync(place.path)).toEqual([])
  })

  test('a duplicate name, and another spelling after a removal, are accepted', async () => {
    await unpackWith(
      [
        [file('name'), file('name', 'two'), directory('d')],
        [file('.wh.name', ''), file('NAME', 'three'), file('d')],
      ],
      target,
      folds,
    )
    expect(treeOf(target, {})).toEqual({ NAME: 'file:three', d: 'file:new' })
  })
})

test('names that Windows would read differently are rejected', async () => {
  for (const path of ['a\\b', 'C:x', 'con', 'Aux.txt', 'a/nul', 'trailing.', 'trailing ', 'what?', 'a\u0001']) {
    const error = await thrownBy(() => unpackWith([[file(path)]], target, { windowsNames: true }))
    expect([path, error.code]).toEqual([path, 'ERR_UNSAFE_PATH'])
  }
  await unpackWith([[file('console/com10/.x')]], target, { windowsNames: true })
})

test('without root a FIFO is created, also in place of an earlier one', async () => {
  const fifo = { path: 'd/p', type: '6', mode: 0o620 }
  const skipped = await unpackWith([[directory('d'), fifo, fifo]], target, { rootless: true, keepSetId: false })
  expect(skipped.filter(({ what }) => what !== 'owner')).toMatchObject([{ path: 'd/p', what: 'duplicate' }])
  expect(treeOf(target, { 'd/p': 'fifo@620' })).toEqual({ 'd/p': 'fifo@620' })
})

test('metadata that cannot be applied to the root is reported for "."', async () => {
  const root = directory('.', { mtime: 0o77777777777, pax: { mtime: '-5' } })
  expect(await unpackWith([[root]], target)).toMatchObject([{ path: '.', what: 'mtime' }])
  expect(statSync(target).mtimeMs).toBe(0)
})

test('parts of a second are kept to the microsecond', async () => {
  await unpackWith([[file('f', 'x', { mtime: 1_600_000_000.123456 }), symlink('l', 'f', { mtime: 5.25 })]], target)
  expect(statSync(join(target, 'f'), { bigint: true }).mtimeNs / 1000n).toBe(1_600_000_000_123_456n)
})

test('more directories than open handles are written in alternation', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `d${i}/${'e/'.repeat(i % 40 === 0 ? 80 : 1)}`)
  const layer = [
    ...names.map(name => file(`${name}one`)),
    ...names.map(name => hardLink(`${name}two`, `${names[0]}one`)),
  ]
  await unpackWith([layer, names.map(name => file(`${name}.wh.one`, ''))], target)
  const files = listTree(target).filter(({ kind }) => kind === 'file')
  expect(files.map(({ path }) => path).sort()).toEqual(names.map(name => `${name}two`).sort())
  expect(new Set(files.slice(1).map(({ sameAs }) => sameAs)).size).toBe(1)
})

test('a directory of the target keeps its time if no entry sets it', async () => {
  mkdirSync(join(target, 'a/b'), { recursive: true })
  utimesSync(join(target, 'a'), 5, 5)
  await unpackWith([[file('a/b/c')]], target, { overwrite: true })
  expect(statSync(join(target, 'a')).mtimeMs).toBe(5000)
})
