import { expect, test } from 'vitest'
import { fileTree } from '../../../lib/inspect/report/file-tree.ts'
import { packTree } from '../../../lib/inspect/report/pack-tree.ts'
import type { ViewEntry } from '../../../lib/rootfs/index.ts'

const file = (path: string, size: number, layer = 0) => ({ path, size, layer, type: 'file' }) as ViewEntry

test('a tree that is too large for its budget keeps its largest files, and counts the others where they are', () => {
  const files = Array.from({ length: 2000 }, (_, i) => file(`a/b-${i % 20}/file-${i}`, i + 1, i % 3))
  const hidden = [{ path: 'a/old', layer: 0, bytes: 5000, why: 'removed' as const }]
  const packed = packTree(fileTree(files, hidden), 10_000)
  expect(JSON.stringify(packed).length).toBeLessThanOrEqual(10_000)
  let [bytes, listed, counted] = [0, 0, 0]
  const visit = ([, names, sizes, , directories, grouped = []]: typeof packed.root) => {
    listed += names === '' ? 0 : names.split('/').length
    bytes += sizes.reduce((sum, size) => sum + size, 0)
    for (const [, count, size] of grouped) {
      counted += count
      bytes += size
    }
    directories.forEach(visit)
  }
  visit(packed.root)
  expect(bytes).toBe(5000 + (2000 * 2001) / 2)
  expect(counted).toBe(packed.grouped)
  expect(listed + counted).toBe(2001)
  expect(listed).toBeGreaterThan(200)
  expect(packed.groupedBelow).toBeLessThanOrEqual(2000 - listed + 1)
})

test('names that need escapes do not make the tree larger than its budget', () => {
  const files = Array.from({ length: 500 }, (_, i) => file(`\u0001\u0002\u0003${'\u0004'.repeat(50)}${i}`, i))
  expect(JSON.stringify(packTree(fileTree(files, []), 5000)).length).toBeLessThanOrEqual(5000)
})

test('a path with thousands of directories makes no deep tree', () => {
  const packed = packTree(fileTree([file(`${'d/'.repeat(4000)}end`, 7)], []), 10_000)
  let depth = 0
  for (let at = packed.root; at[4][0]; at = at[4][0]) depth++
  expect(depth).toBe(101)
  expect(JSON.stringify(packed)).toContain('"end",[7]')
})
