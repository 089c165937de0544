import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { removeTree } from '../../../lib/rootfs/unpack/tree/remove-tree.ts'
import { failing, race } from '../../helpers/racing-fs.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

vi.mock('node:fs', async importOriginal => {
  const { racingFs } = await import('../../helpers/racing-fs.ts')
  return racingFs(await importOriginal<typeof import('node:fs')>())
})

let place: ReturnType<typeof temporaryDirectory>
let tree: string
let outside: string
beforeEach(() => {
  place = temporaryDirectory('remove')
  tree = join(place.path, 'tree')
  outside = join(place.path, 'outside')
  mkdirSync(join(tree, 'a/b'), { recursive: true })
  mkdirSync(join(outside, 'sub'), { recursive: true })
  for (const path of ['tree/f', 'tree/a/g', 'tree/a/b/h', 'outside/secret']) writeFileSync(join(place.path, path), '')
})
afterEach(() => {
  race.reset()
  vi.restoreAllMocks()
  place[Symbol.dispose]()
})

/** Puts a link to the directory outside in the place of something. */
const swap = (path: string) => () => {
  renameSync(path, join(place.path, 'away'))
  symlinkSync(outside, path)
}
const isUntouched = () => readdirSync(outside).join() === 'secret,sub'

describe('while another process', () => {
  test('swaps the tree for a link, the link is removed', () => {
    race.on('openSync', '/tree', swap(tree))
    removeTree(tree, 'proc')
    expect([existsSync(tree), isUntouched()]).toEqual([false, true])
  })

  test('swaps a directory in it for a link, the link is removed', () => {
    race.on('openSync', '/a', swap(join(tree, 'a')))
    removeTree(tree, 'proc')
    expect([existsSync(tree), isUntouched()]).toEqual([false, true])
  })

  test('swaps a directory for a link before it is moved, the link is moved and removed', () => {
    vi.spyOn(process, 'geteuid').mockReturnValue(65534)
    race.on('openSync', '/b', swap(join(tree, 'a/b')))
    removeTree(tree, 'proc')
    expect([existsSync(tree), isUntouched()]).toEqual([false, true])
  })

  test('removes a file first, the removal continues', () => {
    race.on('unlinkSync', '/g', () => rmSync(join(tree, 'a/g')))
    removeTree(tree, 'proc')
    expect(existsSync(tree)).toBe(false)
  })

  test('replaces a file by a directory, the directory is removed', () => {
    race.on('unlinkSync', '/f', () => {
      rmSync(join(tree, 'f'))
      mkdirSync(join(tree, 'f/deep'), { recursive: true })
    })
    removeTree(tree, 'proc')
    expect(existsSync(tree)).toBe(false)
  })

  test('creates a file in an emptied directory, the call fails', () => {
    race.on('rmdirSync', '/a', () => writeFileSync(join(tree, 'a/new'), ''))
    expect(() => removeTree(tree, 'proc')).toThrow('ENOTEMPTY')
  })
})

test.each([
  ['unlinkSync', '/f', 'EIO'],
  ['lstatSync', '/a', 'EIO'],
  ['openSync', '/a', 'EMFILE'],
])('what the system refuses to %s is told', (name, path, code) => {
  race.on(name, path, failing(code))
  expect(() => removeTree(tree, 'proc')).toThrow(code)
})

test('an unreadable directory is made readable through its handle', () => {
  vi.spyOn(process, 'geteuid').mockReturnValue(65534)
  race.on('openSync', '/a', failing('EACCES'))
  removeTree(tree, 'proc')
  expect(existsSync(tree)).toBe(false)
})
