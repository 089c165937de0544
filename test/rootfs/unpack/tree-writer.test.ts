import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TreeState } from '../../../lib/rootfs/unpack/entries/tree-state.ts'
import { TreeWriter } from '../../../lib/rootfs/unpack/entries/tree-writer.ts'
import type { TarHeader } from '../../../lib/tar/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { writerOptions } from '../../helpers/unpack-with.ts'

let place: ReturnType<typeof temporaryDirectory>
let root: string
let state: TreeState
let writer: TreeWriter
beforeEach(() => {
  place = temporaryDirectory('tree-writer')
  root = join(place.path, 'root')
  mkdirSync(root)
  state = new TreeState(root, writerOptions, undefined)
  writer = new TreeWriter(state)
  writer.beginLayer('sha256:test')
})
afterEach(() => {
  state.tree.close()
  place[Symbol.dispose]()
})

const entry = (path: string, type: TarHeader['type'], more: Partial<TarHeader> = {}): TarHeader => ({
  path,
  type,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0,
  ...more,
})

// The reader of archives refuses most of these already; the writer does not rely on it.
test.each([
  ['an owner that means "leave as it is"', entry('f', 'file', { uid: 0xffff_ffff }), 'ERR_INVALID_TAR'],
  ['a group that means "leave as it is"', entry('f', 'file', { gid: 0xffff_ffff }), 'ERR_INVALID_TAR'],
  ['the root as a file', entry('./', 'file'), 'ERR_UNSAFE_PATH'],
  ['a link without a target', entry('l', 'symlink'), 'ERR_INVALID_LINK'],
  ['a link to the empty name', entry('l', 'symlink', { linkname: '' }), 'ERR_INVALID_LINK'],
  ['a link to a name with NUL', entry('l', 'symlink', { linkname: 'a\0b' }), 'ERR_INVALID_LINK'],
  ['a link longer than the system takes', entry('l', 'symlink', { linkname: 'x/'.repeat(3000) }), 'ERR_UNPACK'],
  ['a hard link without a target', entry('h', 'hardlink'), 'ERR_INVALID_LINK'],
  ['a hard link to something in a file', entry('h', 'hardlink', { linkname: 'there/x' }), 'ERR_INVALID_LINK'],
  ['a path with ".."', entry('a/../../x', 'file'), 'ERR_UNSAFE_PATH'],
  ['a path with NUL', entry('a\0b', 'file'), 'ERR_UNSAFE_PATH'],
])('%s is refused', (_, header, code) => {
  writer.begin(entry('there', 'file'))
  writer.end()
  expect(() => writer.begin(header)).toThrow(expect.objectContaining({ code }))
  expect(readdirSync(root)).toEqual(['there'])
  expect(readdirSync(place.path)).toEqual(['root'])
})

test('content and end of an entry that is no file are ignored', () => {
  writer.begin(entry('d', 'directory'))
  writer.write(Buffer.from('content'))
  writer.end()
  expect(state.counts).toMatchObject({ files: 0, directories: 1, bytes: 0 })
})

test('the last of two links with one path counts, and the duplicate is reported', () => {
  for (const linkname of ['a', 'b']) writer.begin(entry('l', 'symlink', { linkname }))
  expect(state.skipped.filter(({ what }) => what === 'duplicate')).toHaveLength(1)
})
