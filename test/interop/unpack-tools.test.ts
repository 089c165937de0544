import { createReadStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage, type Image } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { unpackImage, unpackLayers } from '../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { containers } from '../helpers/containers.ts'
import { listTree, type TreeEntry } from '../helpers/list-tree.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { variedEntries } from '../helpers/varied-entries.ts'

const inline = { writer: 'inline' } as const

let place: ReturnType<typeof temporaryDirectory>
let store: Store
let image: Image
/** Tree that our own unpacker makes of the layers. */
let expected: TreeEntry[]

beforeAll(async () => {
  place = temporaryDirectory('interop')
  store = await openStore(join(place.path, 'store'))
  const first = await writeLayer(store, variedEntries(), { compression: 'gzip' })
  const second = await writeLayer(
    store,
    [
      { path: 'etc', type: 'directory', mode: 0o755, mtime: 1_600_000_020 },
      { path: 'etc/.wh.empty', type: 'file' },
      { path: 'etc/added', type: 'file', content: 'added', mtime: 1_600_000_020 },
      { path: 'tmp', type: 'directory', mode: 0o1777, mtime: 1_600_000_021 },
      { path: 'tmp/.wh..wh..opq', type: 'file' },
      { path: 'etc/hard', type: 'file', content: 'no link any more', mtime: 1_600_000_022 },
    ],
    { compression: 'none' },
  )
  image = await composeImage(store, { layers: [first, second] })
  await store.references.set('app:1', image.descriptor)
  if (!isRoot) return
  await unpackImage(store, 'app:1', join(place.path, 'ours'), inline)
  expected = listTree(join(place.path, 'ours'))
})
afterAll(async () => {
  await store?.close()
  place?.[Symbol.dispose]()
})

const isRoot = needsRoot()
const withRoot = (name: string) => describe.runIf(isRoot && needsProgram(name))

/** Lowest layer as an archive file, with the tree that our own unpacker makes of it. */
async function lowest(): Promise<{ archive: string; tree: TreeEntry[] }> {
  const archive = join(place.path, `lowest-${process.hrtime.bigint()}.tar.gz`)
  const chunks: Uint8Array[] = []
  for await (const chunk of store.read(image.layers[0]!.descriptor.digest)) chunks.push(chunk)
  writeFileSync(archive, Buffer.concat(chunks))
  const target = `${archive}.d`
  await unpackLayers(store, image.layers.slice(0, 1), target, inline)
  return { archive, tree: listTree(target) }
}

test.runIf(isRoot)('our own unpacker makes every entry of the image', () => {
  const found = expected.map(({ path, mode, owner, mtime }) => [path, mode, owner, mtime])
  expect(found).toContainEqual(['usr/set-id', '6755', '7:8', 1_600_000_009])
  expect(found).toContainEqual(['usr/far-owner', '644', '3000000000:2500000', 1_600_000_010])
  expect(found).toContainEqual(['not-utf8-\xff\xfe', '644', '0:0', 1_600_000_015])
  expect(expected.find(({ path }) => path === 'loop')?.device).toBe(7 * 256 + 200)
  expect(expected.length).toBe(variedEntries().length)
})

withRoot('tar')('GNU tar', () => {
  test('unpacks a layer of ours to the same tree', async () => {
    const { archive, tree } = await lowest()
    const target = join(place.path, 'gnu')
    mkdirSync(target)
    await program('tar', [
      '-xpzf',
      archive,
      '-C',
      target,
      '--same-owner',
      '--numeric-owner',
      '--delay-directory-restore',
    ])
    expect(listTree(target)).toEqual(tree)
  })

  test.each(['gnu', 'pax', 'oldgnu'])('packs a layer (%s) that we unpack to the original tree', async format => {
    const archive = join(place.path, `${format}.tar`)
    await program('tar', ['-cf', archive, `--format=${format}`, '--numeric-owner', '-C', join(place.path, 'ours'), '.'])
    expect(await unpackedArchive(archive)).toEqual(expected)
  })
})

withRoot('bsdtar')('bsdtar', () => {
  test('unpacks a layer of ours to the same tree', async () => {
    const { archive, tree } = await lowest()
    const target = join(place.path, 'bsd')
    mkdirSync(target)
    const args = ['-xpf', archive, '-C', target, '--same-owner', '--numeric-owner']
    // bsdtar writes the name that is not UTF-8 unchanged, and warns.
    const complaint = await program('bsdtar', args).catch((error: { stderr: string }) => error.stderr)
    expect(
      complaint.split('\n').filter(line => !/can't be converted|^bsdtar: Error exit delayed|^$/.test(line)),
    ).toEqual([])
    expect(listTree(target)).toEqual(tree)
  })

  test.each(['pax', 'gnutar'])('packs a layer (%s) that we unpack to the original tree', async format => {
    const archive = join(place.path, `bsd-${format}.tar`)
    await program('bsdtar', [
      '-cf',
      archive,
      '--format',
      format,
      '--numeric-owner',
      '-C',
      join(place.path, 'ours'),
      '.',
    ])
    expect(await unpackedArchive(archive)).toEqual(expected)
  })
})

withRoot('umoci')('umoci', () => {
  test('unpacks an image of ours to the same tree', async () => {
    const bundle = join(place.path, 'bundle')
    await program('umoci', ['unpack', '--image', `${join(place.path, 'store')}:app:1`, bundle])
    expect(listTree(join(bundle, 'rootfs'))).toEqual(expected)
  })

  test('packs a changed tree into a layer that we unpack to the same tree', async () => {
    const layout = join(place.path, 'umoci-layout')
    const bundle = join(place.path, 'umoci-bundle')
    await program('umoci', ['init', '--layout', layout])
    await program('umoci', ['new', '--image', `${layout}:app`])
    await program('umoci', ['unpack', '--image', `${layout}:app`, bundle])
    await program('cp', ['-a', `${join(place.path, 'ours')}/.`, join(bundle, 'rootfs')])
    await program('umoci', ['repack', '--image', `${layout}:app`, bundle])
    await using theirs = await openStore(layout)
    const target = join(place.path, 'from-umoci')
    await unpackImage(theirs, 'app', target, inline)
    expect(listTree(target)).toEqual(expected)
  })
})

withRoot('buildah')('buildah', () => {
  test('unpacks an image of ours to the same tree, and commits it to an image that we unpack to it', async () => {
    using tool = containers('buildah')
    const buildah = tool.run
    const container = await buildah('from', '--name', 'work', `oci:${tool.linkTo(place.path)}/store:app:1`)
    const mounted = await buildah('mount', container)
    expect(listTree(mounted)).toEqual(expected)
    await program('touch', ['-d', '@1600000030', join(mounted, 'etc/touched')])
    await program('rm', ['-r', join(mounted, 'closed')])
    await buildah('umount', container)
    await buildah('commit', '--squash', container, `oci:${join(place.path, 'buildah-layout')}:app`)
    await using theirs = await openStore(join(place.path, 'buildah-layout'))
    const target = join(place.path, 'from-buildah')
    await unpackImage(theirs, 'app', target, inline)
    const changed = expected.filter(({ path }) => !path.startsWith('closed')).map(({ path }) => path)
    expect(listTree(target).map(({ path }) => path)).toEqual(
      [...changed, 'etc/touched'].sort((a, b) => Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'))),
    )
    await buildah('rm', container)
  })
})

async function unpackedArchive(archive: string): Promise<TreeEntry[]> {
  const memory = createMemoryStore()
  const info = await memory.put(createReadStream(archive))
  const target = `${archive}.d`
  await unpackLayers(
    memory,
    [{ descriptor: { mediaType: MediaType.OciLayer, ...info }, diffId: info.digest }],
    target,
    inline,
  )
  return listTree(target)
}
