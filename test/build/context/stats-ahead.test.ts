import {
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { SourceNode } from '../../../lib/build/context/source-tree.ts'
import { StatsAhead } from '../../../lib/build/context/stats-ahead.ts'
import { packListing, StoredListings } from '../../../lib/build/context/stored-listings.ts'
import { openContext, planFileCopy } from '../../../lib/build/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { needs } from '../../helpers/needs.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

type Memory = ReturnType<typeof createMemoryStore>

/** Resolves when files that exist now count as unchanged for good. */
const settle = () => setTimeout(150)

/** Names that make records so long that a thread pays. */
const names = Array.from({ length: 1400 }, (_, i) => `${'n'.repeat(200)}-${String(i).padStart(5, '0')}`)

/** What a copy reads of the directory `tree`, and what its layer has. */
async function copied(directory: string, store: Memory | undefined) {
  await using context = await openContext(directory, { store })
  const plan = await planFileCopy({ sources: [{ tree: context.tree, path: 'tree' }], destination: '/' })
  const inputs = await plan.inputs()
  const nodes = context.tree.list('tree').map(({ path, type, mode, size, mtime }: SourceNode) => ({
    ...{ path, type, mode, size, mtime: Math.floor(mtime) },
  }))
  return { inputs, nodes }
}

test.runIf(needs(process.platform === 'linux', 'names are kept on Linux only'))(
  'a scan with a thread sees the files that a scan without one sees, and every change since the last build',
  async () => {
    await using store = createMemoryStore()
    // The temporary directory of a container may be on an overlay, where no names are kept.
    using directory = temporaryDirectory('stats-ahead', '/dev/shm')
    const at = (path: string) => join(directory.path, 'tree', path)
    mkdirSync(at('d/ä'), { recursive: true })
    for (const name of names) writeFileSync(at(name), name)
    for (const path of ['d/ä/x', 'd/b', 'z']) writeFileSync(at(path), path)
    linkSync(at('z'), at('d/hard'))
    symlinkSync('../z', at('d/soft'))
    await settle()
    const build = async () => {
      const seen = await copied(directory.path, store)
      expect(seen).toEqual(await copied(directory.path, undefined))
      return seen.inputs
    }
    const first = await build()
    expect(await build()).toEqual(first)
    const edited = at(names.at(-1)!)
    const { atime, mtime } = statSync(edited)
    writeFileSync(edited, names[0]!)
    utimesSync(edited, atime, mtime)
    writeFileSync(at('d/ä/x'), 'other')
    renameSync(at(names[3]!), at('new'))
    rmSync(at('d/b'))
    mkdirSync(at('d/b'))
    const before = new Map(first.map(input => [input.name, input]))
    const changed = (await build()).filter(({ name, digest }) => before.get(name)?.digest !== digest)
    expect(changed.map(({ source }) => source)).toEqual(
      ['tree/d/b', 'tree/d/ä/x', 'tree/new', `tree/${names.at(-1)}`].sort(),
    )
  },
)

test.runIf(needs(availableParallelism() > 1, 'one processor starts no thread'))(
  'the thread waits for the scan, looks from the last record on, and says what `lstat` says',
  async () => {
    using directory = temporaryDirectory('stats-ahead')
    mkdirSync(join(directory.path, 'd'))
    for (const name of names) writeFileSync(join(directory.path, 'd', name), '')
    const listed = [...names, 'missing'].map(name => ({ name, type: 'file' }) as const)
    const records = [
      packListing('.', 'id', [{ name: 'd', type: 'directory' }]),
      packListing('d', 'id', listed),
      packListing('e', 'id', []),
    ]
    const ahead = await StatsAhead.start(directory.path, new StoredListings(StoredListings.encode(records)).all)
    expect(ahead?.hasRecord(1)).toBe(false)
    ahead?.begin()
    // The thread ends at the record that it is asked for, so it is asked when it has seen the last name.
    await expect.poll(() => ahead?.statsOf(1 + names.length)).toBeUndefined()
    await expect.poll(() => ahead?.hasRecord(1)).toBe(true)
    expect(ahead?.hasRecord(0)).toBe(false)
    const { mode, ino, size, mtimeMs, ctimeMs } = lstatSync(join(directory.path, 'd', names[7]!))
    expect(ahead?.statsOf(8)).toMatchObject({ mode, ino, size, mtimeMs, ctimeMs })
    expect(ahead?.statsOf(1 + names.length)).toBeUndefined()
    ahead?.end()
    expect(ahead?.hasRecord(1)).toBe(false)
    await ahead?.close()
  },
)

test('few or damaged records start no thread that fails', async () => {
  expect(await StatsAhead.start('/', Buffer.from('d\0id\0fx\0\0'))).toBeUndefined()
  const ahead = await StatsAhead.start('/', Buffer.alloc(300 * 1024, 'x'))
  ahead?.begin()
  expect(ahead?.hasRecord(0)).toBeFalsy()
  await ahead?.close()
})
