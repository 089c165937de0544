import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createOwner } from '../../lib/internal/locks/owner.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { copyingSnapshots } from '../../lib/sandbox/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('a stack is a directory, and its changes are a layer that gives the same files', async () => {
  using place = temporaryDirectory('snapshots')
  await using store = createMemoryStore()
  const { layers } = await sampleImage(store, [
    { 'etc/os': 'one', 'lib/gone': 'x', 'lib/same': 'y' },
    { 'etc/os': 'two' },
  ])
  const stack = await copyingSnapshots({ directory: join(place.path, 'new') }).openStack(store, layers)
  expect(readFileSync(join(stack.path, 'etc/os'), 'utf8')).toBe('two')
  writeFileSync(join(stack.path, 'etc/os'), 'six')
  rmSync(join(stack.path, 'lib/gone'))
  mkdirSync(join(stack.path, 'made'))
  writeFileSync(join(stack.path, 'made/file'), 'z')
  chmodSync(join(stack.path, 'made/file'), 0o750)
  symlinkSync('/etc/os', join(stack.path, 'made/link'))
  const changed = await writeLayer(store, stack.changes())
  const view = await openUnionView(store, [...layers, changed])
  expect(
    [...view.walk()].map(({ path, type, mode, uid }) => `${path} ${type} ${(mode & 0o7777).toString(8)} ${uid}`),
  ).toEqual([
    'etc directory 755 0',
    'etc/os file 644 0',
    'lib directory 755 0',
    'lib/same file 644 0',
    'made directory 755 0',
    'made/file file 750 0',
    'made/link symlink 777 0',
  ])
  expect(view.provenance('lib/same')!.index).toBe(0)
  await stack.close()
  await stack.close()
  expect(readdirSync(join(place.path, 'new'))).toEqual([])
})

test('a stack that cannot be unpacked leaves nothing', async () => {
  using place = temporaryDirectory('snapshots')
  await using store = createMemoryStore()
  const { layers } = await sampleImage(store, [{ a: 'x' }])
  await store.delete(layers[0]!.descriptor.digest)
  const open = () => copyingSnapshots({ directory: place.path }).openStack(store, layers)
  expect(await thrownBy(open)).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  expect(readdirSync(place.path)).toEqual([])
})

test('copies of a killed process, and the files of its command, are removed by the next process', async () => {
  using place = temporaryDirectory('snapshots')
  await using store = createMemoryStore()
  const { layers } = await sampleImage(store, [{ f: '1' }])
  const open = () => copyingSnapshots({ directory: place.path }).openStack(store, layers)
  const [live, dead] = [await open(), await open()]
  writeFileSync(join(dead.scratch, 'secret'), 'x')
  // No process has this number.
  const gone = { ...(await createOwner()), pid: 4194305, start: '1' }
  writeFileSync(join(dead.path, '../owner'), JSON.stringify(gone))
  mkdirSync(join(place.path, 'layerstore-stack-without-owner'))
  // In another container the number may be that of a process that runs.
  mkdirSync(join(place.path, 'layerstore-stack-elsewhere'))
  writeFileSync(join(place.path, 'layerstore-stack-elsewhere/owner'), JSON.stringify({ ...gone, namespace: 'pid:[1]' }))
  await (await open()).close()
  const left = readdirSync(place.path).map(name => join(place.path, name))
  expect(left.sort()).toEqual(
    [
      join(live.path, '..'),
      ...['without-owner', 'elsewhere'].map(name => join(place.path, `layerstore-stack-${name}`)),
    ].sort(),
  )
  await live.close()
})
