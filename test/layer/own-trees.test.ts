import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findXattrPackage } from '../../lib/internal/xattr-access.ts'
import type { Tree, TreeEntry } from '../../lib/layer/diff/tree.ts'
import { diffTrees, directoryTree } from '../../lib/layer/index.ts'
import { needs } from '../helpers/needs.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const header = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: 3 } as const

function treeOf(...contents: [path: string, content: TreeEntry['content']][]): Tree {
  const entries = contents.map(([path, content]) => ({
    ...header,
    path,
    ...(content === undefined ? {} : { content }),
  }))
  return {
    walk: () => entries,
    async *withContent(wanted) {
      yield* wanted
    },
  }
}

test('files of trees of other makers are compared by content, however that is given', async () => {
  const lower = treeOf(
    ['a', 'one'],
    ['b', Buffer.from('one')],
    ['c', () => Buffer.from('one')],
    ['d', async () => Buffer.from('one')],
  )
  const upper = treeOf(['a', Buffer.from('one')], ['b', () => Buffer.from('two')], ['c', 'one'], ['d', 'two'])
  const { modified, ...rest } = await diffTrees(lower, upper)
  expect(modified.map(({ path }) => path)).toEqual(['b', 'd'])
  expect(rest).toEqual({ added: [], metadataOnly: [], deleted: [] })
})

test('a file without known content differs from a file with content', async () => {
  const { modified } = await diffTrees(treeOf(['a', undefined]), treeOf(['a', 'one']))
  expect(modified.map(({ path }) => path)).toEqual(['a'])
})

test.runIf(needs(findXattrPackage() === undefined, 'needs that fs-xattr is not installed'))(
  'extended attributes are refused where nothing can read them',
  async () => {
    using place = temporaryDirectory('own-trees')
    mkdirSync(`${place.path}/d`)
    const walk = async () => {
      for await (const _ of directoryTree(place.path, { xattrs: true }).walk()) void _
    }
    expect(await thrownBy(walk)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  },
)
