import { lchownSync, lutimesSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { chmod, link } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage, readImage } from '../../lib/image/index.ts'
import { diffTrees, directoryTree, writeDiffLayer, writeLayer } from '../../lib/layer/index.ts'
import { openUnionView, squashLayers, unpackImage, type ViewLayer } from '../../lib/rootfs/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { type Containers, containers } from '../helpers/containers.ts'
import { listTree, type TreeEntry } from '../helpers/list-tree.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { variedEntries } from '../helpers/varied-entries.ts'

const isRoot = needsRoot()
const inline = { writer: 'inline' } as const
const nothing = { added: [], modified: [], metadataOnly: [], deleted: [] }

let place: ReturnType<typeof temporaryDirectory>
let tools: Containers
let base: string
let store: Store
let lowest: ViewLayer
beforeAll(async () => {
  place = temporaryDirectory('diff-tools')
  tools = containers('buildah')
  base = tools.linkTo(place.path)
  store = await openStore(join(base, 'store'))
  lowest = await writeLayer(store, [
    ...variedEntries(),
    ...['gone', 'gone/deep', 'becomes-file', 'emptied', 'kept'].map(path => directory(path)),
    ...['gone/deep/f', 'becomes-file/f', 'emptied/f', 'kept/edited', 'kept/mode', 'kept/gone', 'file-to-dir'].map(file),
    { path: 'kept/to', type: 'symlink', linkname: 'edited' },
  ])
  await store.references.set('app:lowest', (await composeImage(store, { layers: [lowest] })).descriptor)
})
afterAll(async () => {
  await store?.close()
  tools?.[Symbol.dispose]()
  place?.[Symbol.dispose]()
})

const directory = (path: string) => ({ path, type: 'directory' as const, mode: 0o755, mtime: 1_600_000_100 })
const file = (path: string) => ({ path, type: 'file' as const, content: `${path}\n`, mtime: 1_600_000_101 })

/** Applies every kind of change that a layer can hold to a tree. */
async function change(root: string): Promise<void> {
  rmSync(join(root, 'gone'), { recursive: true })
  rmSync(join(root, 'becomes-file'), { recursive: true })
  writeFileSync(join(root, 'becomes-file'), 'file now')
  rmSync(join(root, 'file-to-dir'))
  mkdirSync(join(root, 'file-to-dir'))
  writeFileSync(join(root, 'file-to-dir/inner'), 'inner')
  rmSync(join(root, 'emptied/f'))
  rmSync(join(root, 'kept/gone'))
  // Same size and time as before: only the content differs.
  writeFileSync(join(root, 'kept/edited'), 'KEPT/EDITED\n')
  await chmod(join(root, 'kept/mode'), 0o600)
  lchownSync(join(root, 'kept/mode'), 12, 34)
  rmSync(join(root, 'kept/to'))
  symlinkSync('mode', join(root, 'kept/to'))
  writeFileSync(join(root, 'kept/one-name'), 'two names')
  await link(join(root, 'kept/one-name'), join(root, 'kept/other-name'))
  renameSync(join(root, 'closed'), join(root, 'opened'))
  const touched = ['becomes-file', 'file-to-dir/inner', 'file-to-dir', 'kept/to', 'kept/one-name', 'emptied', 'kept']
  for (const path of touched) lutimesSync(join(root, path), 1_600_000_200, 1_600_000_200)
  lutimesSync(join(root, 'kept/edited'), 1_600_000_101, 1_600_000_101)
}

/** Unpackers: each unpacks an image by another program and lists the tree. */
const unpackers: Record<string, (name: string) => Promise<TreeEntry[]>> = {
  async umoci(name) {
    const bundle = join(base, `umoci-${name}`)
    await program('umoci', ['unpack', '--image', `${join(base, 'store')}:app:${name}`, bundle])
    return listTree(join(bundle, 'rootfs'))
  },
  async buildah(name) {
    const container = await buildah('from', '--name', `work-${name}`, `oci:${base}/store:app:${name}`)
    const tree = listTree(await buildah('mount', container))
    await buildah('umount', container)
    await buildah('rm', container)
    return tree
  },
}

function buildah(...args: string[]): Promise<string> {
  return tools.run(...args)
}

describe.runIf(isRoot).each(Object.keys(unpackers))('%s', tool => {
  const canRun = needsProgram(tool)

  test.runIf(canRun)('unpacks a diff layer of ours to the changed tree', async () => {
    const upper = join(base, `upper-${tool}`)
    await unpackImage(store, 'app:lowest', upper, inline)
    await change(upper)
    const diff = await diffTrees(await openUnionView(store, [lowest]), upper)
    const layer = await writeDiffLayer(store, diff, upper)
    const image = await composeImage(store, { layers: [lowest, layer] })
    await store.references.set(`app:diff-${tool}`, image.descriptor)
    expect(await unpackers[tool]!(`diff-${tool}`)).toEqual(listTree(upper))
  })

  test.runIf(canRun)('unpacks squashed layers of ours to the tree of the original image', async () => {
    const layers = [
      lowest,
      await writeLayer(store, [
        // An explicit entry: programs differ about the time of a directory that has only whiteouts in a layer.
        { ...directory('etc'), mtime: 1_600_000_300 },
        { ...directory('kept'), mtime: 1_600_000_300 },
        { path: 'kept/.wh..wh..opq', type: 'file' },
        { ...file('kept/new'), content: 'for a while' },
        { path: '.wh.gone', type: 'file' },
        { path: 'etc/.wh.empty', type: 'file' },
      ]),
      await writeLayer(store, [
        directory('kept'),
        { path: 'kept/.wh.new', type: 'file' },
        directory('gone'),
        file('gone/again'),
        { path: 'gone/hard', type: 'hardlink', linkname: 'gone/again' },
        { path: '.wh.becomes-file', type: 'file' },
      ]),
      await writeLayer(store, [file('top')]),
    ]
    const whole = await composeImage(store, { layers })
    const target = join(base, `whole-${tool}`)
    await unpackImage(store, whole, target, inline)
    const { layers: fewer } = await squashLayers(store, layers, { layers: { from: 1, to: 2 } })
    expect(fewer).toHaveLength(3)
    const squashed = await composeImage(store, { layers: fewer })
    await store.references.set(`app:squashed-${tool}`, squashed.descriptor)
    expect(await unpackers[tool]!(`squashed-${tool}`)).toEqual(listTree(target))
  })
})

test.runIf(isRoot && needsProgram('umoci') && needsProgram('skopeo'))(
  'our view of layers packed by umoci equals the tree that umoci unpacks',
  async () => {
    const layout = join(base, 'umoci-layout')
    const bundle = join(base, 'umoci-bundle')
    await program('skopeo', ['copy', '-q', `oci:${base}/store:app:lowest`, `oci:${layout}:app`])
    await program('umoci', ['unpack', '--image', `${layout}:app`, bundle])
    await change(join(bundle, 'rootfs'))
    await program('umoci', ['repack', '--image', `${layout}:changed`, bundle])
    const again = join(base, 'umoci-again')
    await program('umoci', ['unpack', '--image', `${layout}:changed`, again])
    await expectSame(layout, 'changed', join(again, 'rootfs'))
    expect(listTree(join(again, 'rootfs'))).toEqual(listTree(join(bundle, 'rootfs')))
  },
)

test.runIf(isRoot && needsProgram('buildah'))(
  'our view of layers committed by buildah equals the tree that buildah mounts',
  async () => {
    const container = await buildah('from', '--name', 'commit', `oci:${base}/store:app:lowest`)
    await change(await buildah('mount', container))
    await buildah('umount', container)
    const layout = join(base, 'buildah-layout')
    await buildah('commit', '--timestamp', '1600000300', container, `oci:${layout}:changed`)
    await buildah('rm', container)
    const again = await buildah('from', '--name', 'again', `oci:${layout}:changed`)
    await expectSame(layout, 'changed', await buildah('mount', again))
    await buildah('umount', again)
    await buildah('rm', again)
  },
)

/** Expects our view and our unpacked tree of an image to equal the tree of another program. */
async function expectSame(layout: string, name: string, theirs: string): Promise<void> {
  await using store = await openStore(layout, { readOnly: true })
  const image = await readImage(store, name)
  expect(image.layers.length).toBeGreaterThan(1)
  const view = await openUnionView(store, image)
  expect(await diffTrees(view, directoryTree(theirs))).toEqual(nothing)
  const ours = `${theirs.replace(/\/rootfs$/, '')}-ours`
  await unpackImage(store, image, ours, inline)
  expect(listTree(ours)).toEqual(listTree(theirs))
  rmSync(ours, { recursive: true })
}
