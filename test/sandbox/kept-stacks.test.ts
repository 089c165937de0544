import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fromFiles, type WrittenLayer, writeLayer } from '../../lib/layer/index.ts'
import { copyingSnapshots, overlaySnapshots, type SnapshotDriver, type StackPlace } from '../../lib/sandbox/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

type Case = [name: string, open: (directory: string) => SnapshotDriver]
const copies: Case = ['copies', directory => copyingSnapshots({ directory })]
const overlays: Case = ['overlayfs', directory => overlaySnapshots({ directory })]
const able = needsRoot()
const drivers = able ? [overlays, copies] : [copies]

let store: Store
let directory: ReturnType<typeof temporaryDirectory>
let layer: WrittenLayer
beforeEach(async () => {
  store = createMemoryStore()
  directory = temporaryDirectory('kept-stacks')
  layer = await writeLayer(store, fromFiles({ 'etc/os': 'one', 'etc/gone': 'x', 'old/a': 'a' }))
})
afterEach(async () => {
  await store.close()
  // Nothing may be mounted any more: this would fail.
  directory[Symbol.dispose]()
})

async function changedPaths(driver: SnapshotDriver, place: StackPlace) {
  await using stack = await driver.openStack(store, [layer], { place })
  const paths: string[] = []
  for await (const { path, type } of stack.changes()) if (type !== 'directory') paths.push(path)
  return { paths: paths.sort(), path: stack.path }
}

describe.each(drivers)('a stack with a place of its own (%s)', (name, open) => {
  test('goes on from what was written, in another process and after the machine started anew', async () => {
    const snapshots = join(directory.path, 'snapshots')
    const place = { directory: join(directory.path, 'place'), durable: true }
    const first = await open(snapshots).openStack(store, [layer], { place })
    appendFileSync(join(first.path, 'etc/os'), '!')
    rmSync(join(first.path, 'etc/gone'))
    rmSync(join(first.path, 'old'), { recursive: true })
    mkdirSync(join(first.path, 'old'))
    writeFileSync(join(first.scratch, 'secret'), 's')
    await first.close()
    expect(existsSync(first.scratch)).toBe(false)
    // Of an earlier boot nothing that was unpacked is trusted.
    if (existsSync(snapshots)) {
      const [boot = ''] = readdirSync(snapshots)
      renameSync(join(snapshots, boot), join(snapshots, '00000000-0000-0000-0000-000000000000'))
    }
    const second = await open(snapshots).openStack(store, [layer], { place })
    expect(readFileSync(join(second.path, 'etc/os'), 'utf8')).toBe('one!')
    expect(readdirSync(join(second.path, 'etc'))).toEqual(['os'])
    expect(readdirSync(join(second.path, 'old'))).toEqual([])
    expect(readdirSync(second.scratch)).toEqual([])
    writeFileSync(join(second.path, 'new'), 'n')
    await second.close()
    const { paths, path } = await changedPaths(open(snapshots), place)
    expect(paths).toEqual(['etc/.wh.gone', 'etc/os', 'new', 'old/.wh.a'])
    expect(existsSync(path) && readdirSync(path).length > 0).toBe(name === 'copies')
    await open(snapshots).removePlace?.(place.directory)
    expect(existsSync(place.directory)).toBe(false)
  })

  test('of a killed process has what was written, and can be looked at while it is open', async () => {
    const snapshots = join(directory.path, 'snapshots')
    const place = { directory: join(directory.path, 'place'), durable: false }
    const left = await open(snapshots).openStack(store, [layer], { place })
    writeFileSync(join(left.path, 'new'), 'n')
    const looked = await open(snapshots).openStack(store, [layer], { place: { ...place, attach: true } })
    const seen: string[] = []
    for await (const { path } of looked.changes()) seen.push(path)
    await looked.close()
    expect(seen).toContain('new')
    expect(readFileSync(join(left.path, 'new'), 'utf8')).toBe('n')
    const next = await open(snapshots).openStack(store, [layer], { place })
    expect(readFileSync(join(next.path, 'new'), 'utf8')).toBe('n')
    await open(snapshots).removePlace?.(place.directory)
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(directory.path)
    expect(existsSync(place.directory)).toBe(false)
  })
})

test.skipIf(!able)('an open stack can be looked at by a process that does not see its mount', async () => {
  const snapshots = overlaySnapshots({ directory: join(directory.path, 'snapshots') })
  const place = { directory: join(directory.path, 'place'), durable: false }
  const open = await snapshots.openStack(store, [layer], { place })
  writeFileSync(join(open.path, 'new'), 'n')
  rmSync(join(open.path, 'etc/gone'))
  // As in another mount namespace. The directory below the mount is held, so it stays mounted for the kernel.
  using _held = holdOpen(open.path)
  execFileSync('umount', ['--lazy', open.path])
  const { paths, path } = await changedPaths(snapshots, { ...place, attach: true })
  expect(paths).toEqual(['etc/.wh.gone', 'new'])
  expect(existsSync(path)).toBe(false)
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(directory.path)
  await snapshots.removePlace?.(place.directory)
})

function holdOpen(path: string): Disposable {
  const descriptor = openSync(path, 'r')
  return { [Symbol.dispose]: () => closeSync(descriptor) }
}
