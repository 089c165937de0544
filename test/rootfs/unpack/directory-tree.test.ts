import { chmodSync, chownSync, mkdirSync, renameSync, rmdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { creationDefaultsIn } from '../../../lib/rootfs/unpack/tree/creation-defaults.ts'
import { detectProcFd } from '../../../lib/rootfs/unpack/tree/detect-proc-fd.ts'
import { DirectoryTree } from '../../../lib/rootfs/unpack/tree/directory-tree.ts'
import { directory, file } from '../../helpers/attacks/attack.ts'
import { listTree } from '../../helpers/list-tree.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { unpackWith } from '../../helpers/unpack-with.ts'

let place: ReturnType<typeof temporaryDirectory>
let root: string
beforeEach(() => {
  place = temporaryDirectory('directory-tree')
  root = join(place.path, 'root')
  for (const path of ['root/d/e', 'outside/e']) mkdirSync(join(place.path, path), { recursive: true })
})
afterEach(() => place[Symbol.dispose]())

const replaced = expect.objectContaining({ code: 'ERR_UNSAFE_PATH', path: 'd' })

describe.each(['proc', 'paths'] as const)('directories held by %s', handles => {
  const treeWith = (act: (tree: DirectoryTree) => void) => {
    const tree = new DirectoryTree(root, handles)
    try {
      act(tree)
    } finally {
      tree.close()
    }
  }
  const swaps: [string, () => void][] = [
    ['a link', () => symlinkSync(join(place.path, 'outside'), join(root, 'd'))],
    ['nothing', () => undefined],
  ]

  test.each(swaps)('one that another process replaced by %s before it was opened is rejected', (_, put) => {
    treeWith(tree => {
      const node = tree.adopt(tree.root, 'd')
      renameSync(join(root, 'd'), join(place.path, 'away'))
      put()
      expect(() => tree.locate(node)).toThrow(replaced)
    })
  })

  test('a removed directory is not found through the tree', () => {
    treeWith(tree => {
      const found = tree.look(tree.root, 'd')
      expect(found.kind).toBe('directory')
      if (found.kind === 'directory') tree.drop(found.node)
      rmdirSync(join(root, 'd/e'))
      rmdirSync(join(root, 'd'))
      expect(tree.look(tree.root, 'd').kind).toBe('absent')
    })
  })
})

test('a directory that was swapped while it was closed is rejected', () => {
  const tree = new DirectoryTree(root, 'proc')
  const node = tree.adopt(tree.root, 'd')
  tree.locate(node)
  tree.close()
  renameSync(join(root, 'd'), join(place.path, 'away'))
  mkdirSync(join(root, 'd'))
  expect(() => tree.locate(node)).toThrow(replaced)
  tree.close()
})

test('any other system error about a directory passes through', () => {
  const tree = new DirectoryTree(root, 'proc')
  const node = tree.adopt(tree.root, 'x'.repeat(300))
  expect(() => tree.locate(node)).toThrow(expect.objectContaining({ code: 'ENAMETOOLONG' }))
  tree.close()
})

test('directories are held by handle on Linux only', () => {
  const { platform } = process
  expect(detectProcFd()).toBe(platform === 'linux' ? 'proc' : 'paths')
  try {
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    expect(detectProcFd()).toBe('paths')
  } finally {
    Object.defineProperty(process, 'platform', { value: platform })
  }
})

test('in a set-group-id directory modes and owners are set all the same', async () => {
  const shared = join(place.path, 'shared')
  mkdirSync(shared)
  if (process.geteuid?.() === 0) chownSync(shared, 0, 1234)
  chmodSync(shared, 0o2777)
  expect(creationDefaultsIn(shared)).toBeUndefined()
  const target = join(shared, 'root')
  await unpackWith([[directory('d', { mode: 0o750 }), file('d/f', 'x', { mode: 0o640 })]], target)
  const owner = `${process.geteuid?.()}:${process.getegid?.()}`
  if (process.geteuid?.() === 0) expect(listTree(target).map(entry => entry.owner)).toEqual([owner, owner])
  expect(listTree(target).map(({ path, mode }) => [path, mode])).toEqual([
    ['d', '750'],
    ['d/f', '640'],
  ])
  expect(statSync(join(target, 'd/f')).size).toBe(1)
})
