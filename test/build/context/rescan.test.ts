import { linkSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openContext, planFileCopy } from '../../../lib/build/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

type Memory = ReturnType<typeof createMemoryStore>

/** Resolves when files that exist now count as unchanged for good. */
const settle = () => setTimeout(150)

/** Inputs of a copy of the directory `tree`, and its nodes. */
async function copied(directory: string, store: Memory | undefined) {
  await using context = await openContext(directory, { store })
  const plan = await planFileCopy({ sources: [{ tree: context.tree, path: 'tree' }], destination: '/' })
  const inputs = await plan.inputs()
  const nodes = ['tree', 'tree/d', 'tree/d/ä'].flatMap(path => context.tree.list(path))
  return { inputs, nodes: nodes.map(({ path, type, mode, size, inode }) => ({ path, type, mode, size, inode })) }
}

test('a build with kept identities sees the files that one without them sees, and every change', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('rescan')
  const at = (path: string) => join(directory.path, 'tree', path)
  mkdirSync(at('d/ä'), { recursive: true })
  for (const path of ['d/ä/x', 'd/b', 'same', 'moved', 'kept', 'y', 'z']) writeFileSync(at(path), path)
  linkSync(at('z'), at('d/hard'))
  symlinkSync('../z', at('d/soft'))
  // Times that a number cannot show exactly, or rounds to another second.
  utimesSync(at('y'), 1_700_000_000.9999995, 1_700_000_000.9999995)
  utimesSync(at('kept'), -5, -5)
  await settle()
  const build = async () => {
    const seen = await copied(directory.path, store)
    expect(seen).toEqual(await copied(directory.path, undefined))
    return seen.inputs
  }
  const first = await build()
  expect(await build()).toEqual(first)
  const { atime, mtime } = statSync(at('same'))
  writeFileSync(at('same'), 'SAME')
  utimesSync(at('same'), atime, mtime)
  writeFileSync(at('d/ä/x'), 'other')
  renameSync(at('moved'), at('new'))
  rmSync(at('d/b'))
  mkdirSync(at('d/b'))
  const before = new Map(first.map(input => [input.name, input]))
  const changed = (await build()).filter(({ name, digest }) => before.get(name)?.digest !== digest)
  expect(changed.map(({ source }) => source).sort()).toEqual(['tree/d/b', 'tree/d/ä/x', 'tree/new', 'tree/same'])
})

test('a file that was replaced after the scan is refused when it is read', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('rescan')
  const file = join(directory.path, 'f')
  writeFileSync(file, 'content')
  await settle()
  await copiedDigest(directory.path, store)
  await using context = await openContext(directory.path, { store })
  const node = context.tree.stat('f')!
  await context.tree.digests([node])
  writeFileSync(file, 'CONTENT')
  expect(() => context.tree.lazy?.(node).content()).toThrow(expect.objectContaining({ code: 'ERR_SOURCE_CHANGED' }))
})

async function copiedDigest(directory: string, store: Memory): Promise<void> {
  await using context = await openContext(directory, { store })
  await context.tree.digests([context.tree.stat('f')!])
}
