import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeTree } from '../../../lib/rootfs/unpack/tree/remove-tree.ts'
import { mount } from '../../helpers/mount.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { nodeForAnyone } from '../../helpers/node-for-anyone.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { transpileLibrary } from '../../helpers/transpile-library.ts'

test.each(['proc', 'paths'] as const)(
  'a tree is removed with everything in it, and links are not followed (%s)',
  handles => {
    using place = temporaryDirectory('remove')
    const tree = join(place.path, 'tree')
    mkdirSync(join(place.path, 'outside'))
    writeFileSync(join(place.path, 'outside/file'), '')
    mkdirSync(join(tree, 'a/b/c'), { recursive: true })
    for (const file of ['x', 'a/y', 'a/b/c/z']) writeFileSync(join(tree, file), '')
    symlinkSync(join(place.path, 'outside'), join(tree, 'a/b/link'))
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff])]), '')
    removeTree(tree, handles)
    expect(readdirSync(place.path)).toEqual(['outside'])
    expect(readdirSync(join(place.path, 'outside'))).toEqual(['file'])
  },
)

test('a link and a file are removed, and an absent path is ignored', () => {
  using place = temporaryDirectory('remove')
  mkdirSync(join(place.path, 'directory'))
  symlinkSync('directory', join(place.path, 'link'))
  writeFileSync(join(place.path, 'file'), '')
  for (const name of ['link', 'file', 'nothing']) removeTree(join(place.path, name), 'proc')
  expect(readdirSync(place.path)).toEqual(['directory'])
})

test('a tree deeper than the maximum path length is removed', () => {
  using place = temporaryDirectory('remove')
  const script = `
    import { mkdirSync, writeFileSync } from 'node:fs'
    for (let i = 0; i < 100; i++) {
      mkdirSync('d'.repeat(100))
      process.chdir('d'.repeat(100))
    }
    writeFileSync('file', '')`
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: place.path })
  removeTree(join(place.path, 'd'.repeat(100)), 'proc')
  expect(readdirSync(place.path)).toEqual([])
})

test.runIf(needsRoot())('directories of a lower layer of an overlay, which cannot be moved, are removed', () => {
  using place = temporaryDirectory('remove')
  const at = (name: string) => join(place.path, name)
  for (const name of ['lower/tree/a/b/c/d', 'lower/tree/e/f', 'upper', 'work']) mkdirSync(at(name), { recursive: true })
  for (const file of ['a/b/c/d/x', 'a/b/y', 'e/f/z']) writeFileSync(at(`lower/tree/${file}`), '')
  const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')},redirect_dir=off`
  using overlay = mount(at('mounted'), '-t', 'overlay', 'overlay', '-o', options)
  mkdirSync(join(overlay.path, 'tree/a/new/er'), { recursive: true })
  removeTree(join(overlay.path, 'tree'), 'proc')
  expect(readdirSync(overlay.path)).toEqual([])
})

test('moved directories get unused names', () => {
  using place = temporaryDirectory('remove')
  const tree = join(place.path, 'tree')
  mkdirSync(join(tree, 'a/b/c'), { recursive: true })
  writeFileSync(join(tree, `.layerstore-${process.pid}-0`), '')
  mkdirSync(join(tree, `.layerstore-${process.pid}-1/x/y`), { recursive: true })
  removeTree(tree, 'proc')
  expect(existsSync(tree)).toBe(false)
})

test('directories that their owner may not read, enter or write are removed without root too', () => {
  using place = temporaryDirectory('remove')
  using node = nodeForAnyone()
  const library = transpileLibrary()
  chmodSync(place.path, 0o777)
  const script = `
    import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
    import { removeTree } from '${library}/rootfs/unpack/tree/remove-tree.js'
    mkdirSync('tree/a/b', { recursive: true })
    writeFileSync('tree/a/b/c', '')
    mkdirSync('tree/closed/d', { recursive: true })
    for (const [path, mode] of [['tree/closed/d', 0], ['tree/closed', 0], ['tree/a/b', 0o100], ['tree/a', 0o555]]) chmodSync(path, mode)
    removeTree('tree', 'proc')`
  const user = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  execFileSync(node.path, ['--input-type=module', '-e', script], { cwd: place.path, ...user })
  expect(readdirSync(place.path)).toEqual([])
})
