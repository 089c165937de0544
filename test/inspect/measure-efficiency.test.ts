import { describe, expect, test } from 'vitest'
import { measureEfficiency } from '../../lib/inspect/efficiency/measure-efficiency.ts'
import type { IndexedEntry } from '../../lib/layer/index.ts'

/** A layer of files by size, directories (`/` at the end), and whiteouts. */
function layer(...paths: readonly (string | readonly [string, number])[]) {
  const entries = paths.map((one): IndexedEntry => {
    const [path, size] = typeof one === 'string' ? [one, 0] : one
    const type = path.endsWith('/') ? 'directory' : 'file'
    return { path: path.replace(/\/$/, ''), type, size, mode: 0o644, uid: 0, gid: 0, mtime: 0, offset: 0 }
  })
  return { entries }
}

describe('the efficiency of dive, computed by hand', () => {
  test('is 1 without files, and for files that no other layer has', () => {
    expect(measureEfficiency([])).toMatchObject({ score: 1, wastedBytes: 0, userWastedPercent: 0, paths: [] })
    expect(measureEfficiency([layer('a/')]).score).toBe(1)
    expect(measureEfficiency([layer(['a', 10]), layer(['b', 20])])).toMatchObject({ score: 1, sizeBytes: 30 })
  })

  test('of a file in two layers is its smaller size over the sum; the waste counts both copies', () => {
    // a: least 40, sum 100; b: 60.
    const found = measureEfficiency([layer(['a', 60], ['b', 60]), layer(['a', 40])])
    expect(found).toEqual({
      score: (40 + 60) / (100 + 60),
      wastedBytes: 100,
      sizeBytes: 160,
      userSizeBytes: 40,
      userWastedPercent: 100 / 40,
      paths: [{ path: '/a', count: 2, bytes: 100 }],
    })
  })

  test('of a removed file counts 0 for the whiteout', () => {
    // a: sizes 50 and 0.
    expect(measureEfficiency([layer(['a', 50], ['b', 50]), layer('.wh.a')])).toMatchObject({
      score: 50 / 100,
      wastedBytes: 50,
      paths: [{ path: '/a', count: 2, bytes: 50 }],
    })
  })

  test('of a removed directory counts what it held, at the path of the directory', () => {
    // d/x: 30, d/e/y: 20, b: 10, d (whiteout): 50 once, so d is seen once and is not wasted.
    const found = measureEfficiency([layer('d/', ['d/x', 30], 'd/e/', ['d/e/y', 20], ['b', 10]), layer('.wh.d')])
    expect(found.score).toBe((30 + 20 + 10 + 50) / (30 + 20 + 10 + 50))
    expect(found.paths).toEqual([])
    // Removed twice, it is: 50 and 5.
    const twice = measureEfficiency([
      layer('d/', ['d/x', 30], ['d/y', 20]),
      layer('.wh.d'),
      layer('d/', ['d/z', 5]),
      layer('.wh.d'),
    ])
    expect(twice.paths).toEqual([{ path: '/d', count: 2, bytes: 55 }])
    expect(twice.score).toBe((30 + 20 + 5 + 5) / (30 + 20 + 5 + 55))
  })

  test('of a directory without an entry of its own counts 0 when it is removed', () => {
    const found = measureEfficiency([layer(['d/x', 30]), layer('.wh.d')])
    expect(found.score).toBe(1)
  })

  test('ignores opaque whiteouts, and counts an empty directory as a path of size 0', () => {
    const found = measureEfficiency([layer('d/', ['d/x', 30]), layer('d/', 'd/.wh..wh..opq')])
    // d is a leaf of the upper layer only.
    expect(found).toMatchObject({ score: 1, wastedBytes: 0, paths: [] })
    expect(measureEfficiency([layer('e/'), layer('e/')]).paths).toEqual([{ path: '/e', count: 2, bytes: 0 }])
  })

  test('takes the last of two entries of one layer for the score, and both for the size', () => {
    expect(measureEfficiency([layer(['a', 7], ['a', 3])])).toMatchObject({ score: 1, sizeBytes: 10, paths: [] })
  })

  test('sorts repeated paths by their bytes, largest first', () => {
    const paths = [
      ['a', 1],
      ['b', 9],
      ['c', 1],
    ] as const
    expect(measureEfficiency([layer(...paths), layer(...paths)]).paths.map(({ path }) => path)).toEqual([
      '/b',
      '/a',
      '/c',
    ])
  })

  test('of wasted bytes without bytes above the base is an infinite share', () => {
    const found = measureEfficiency([layer('d/', ['d/x', 3], ['a', 4]), layer('.wh.a')])
    expect(found.userWastedPercent).toBe(Number.POSITIVE_INFINITY)
  })

  test('of three layers, as a whole', () => {
    // usr/a: 100, 100, removed. usr/b: 10, 30. usr/c: 5. etc/x: 1, 1, 1.
    const found = measureEfficiency([
      layer('usr/', ['usr/a', 100], ['usr/b', 10], 'etc/', ['etc/x', 1]),
      layer('usr/', ['usr/a', 100], ['usr/b', 30], ['etc/x', 1]),
      layer('usr/', 'usr/.wh.a', ['usr/c', 5], ['etc/x', 1]),
    ])
    expect(found.score).toBe((0 + 10 + 5 + 1) / (200 + 40 + 5 + 3))
    expect(found).toMatchObject({ wastedBytes: 243, sizeBytes: 111 + 131 + 6, userSizeBytes: 137 })
    expect(found.paths).toEqual([
      { path: '/usr/a', count: 3, bytes: 200 },
      { path: '/usr/b', count: 2, bytes: 40 },
      { path: '/etc/x', count: 3, bytes: 3 },
    ])
  })
})
