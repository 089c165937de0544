import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage, type Image, readImage } from '../../lib/image/index.ts'
import { findXattrPackage, loadXattrAccess, type XattrAccess } from '../../lib/internal/xattr-access.ts'
import { readLayerTar, writeLayer } from '../../lib/layer/index.ts'
import { readXattrs } from '../../lib/layer/source/read-xattrs.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { containers } from '../helpers/containers.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { pythonXattrs, xattrsIn } from '../helpers/python-xattrs.ts'
import { readAll } from '../helpers/read-all.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { unpackWith } from '../helpers/unpack-with.ts'

const canRun = process.platform === 'linux' && needsRoot() && needsProgram('python3')
/** The optional package; LAYERSTORE_FS_XATTR is its path if it is not installed beside the library. */
const installed = await loadXattrAccess(findXattrPackage(process.env.LAYERSTORE_FS_XATTR))
if (!installed) console.warn('skipped in part: the optional package fs-xattr is not installed')

const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
const bytes = Buffer.from([0, 0xff, 0xfe, 0x0a, 1])
/** Attributes that the image below must have, in the format of `xattrsIn`. */
const expected = {
  'bin/ping': { 'security.capability': capability.toString('hex'), 'user.bytes': bytes.toString('hex') },
  'bin/hard': { 'security.capability': capability.toString('hex'), 'user.bytes': bytes.toString('hex') },
  etc: { 'trusted.who': '726f6f74', 'user.empty': '' },
  'odd-\xff': { 'user.a': '62' },
}

let place: ReturnType<typeof temporaryDirectory>
let store: Store
let image: Image
beforeAll(async () => {
  place = temporaryDirectory('xattrs')
  store = await openStore(join(place.path, 'store'))
  const xattrs = (pairs: Record<string, Buffer>) => new Map(Object.entries(pairs))
  const layer = await writeLayer(store, [
    { path: 'bin', type: 'directory' },
    {
      path: 'bin/ping',
      type: 'file',
      content: '#!',
      mode: 0o4755,
      uid: 7,
      gid: 8,
      xattrs: xattrs({ 'security.capability': capability, 'user.bytes': bytes }),
    },
    { path: 'bin/hard', type: 'hardlink', linkname: 'bin/ping' },
    {
      path: 'etc',
      type: 'directory',
      mode: 0o500,
      xattrs: xattrs({ 'trusted.who': Buffer.from('root'), 'user.empty': Buffer.alloc(0) }),
    },
    { path: 'odd-\udcff', type: 'file', xattrs: xattrs({ 'user.a': Buffer.from('b') }) },
  ])
  image = await composeImage(store, { layers: [layer] })
  await store.references.set('app:1', image.descriptor)
})
afterAll(async () => {
  await store?.close()
  place?.[Symbol.dispose]()
})

/** Unpacks an image with the given access to attributes instead of the optional package. */
async function unpackedWith(access: XattrAccess, from: Store, { layers }: Image, target: string): Promise<void> {
  const tars: Buffer[] = []
  for (const { descriptor, diffId } of layers) tars.push(await readAll(readLayerTar(from, descriptor, { diffId })))
  expect(await unpackWith(tars, target, {}, access.set)).toEqual([])
}

describe.each([
  ['another program', pythonXattrs],
  ['the package fs-xattr', installed],
])('attributes set and read through %s', (name, access) => {
  test.runIf(canRun && access)('equal those of the layer, bytes and capabilities included', async () => {
    const target = join(place.path, `ours-${name.length}`)
    await unpackedWith(access!, store, image, target)
    expect(xattrsIn(target)).toEqual(expected)
    // A change of owner removes a capability: the owner was set first.
    expect(execFileSync('stat', ['-c', '%u:%g %a', join(target, 'bin/ping')], { encoding: 'utf8' })).toBe('7:8 4755\n')
    for (const [path, attributes] of Object.entries(expected)) {
      const found = readXattrs(access!, Buffer.from(`${target}/${path}`, 'latin1'))
      const asText = Object.fromEntries([...found].map(([name, value]) => [name, Buffer.from(value).toString('hex')]))
      expect(asText).toEqual(attributes)
    }
  })
})

test.runIf(canRun && needsProgram('umoci'))('umoci unpacks our attributes, and we unpack its attributes', async () => {
  const bundle = join(place.path, 'bundle')
  await program('umoci', ['unpack', '--image', `${join(place.path, 'store')}:app:1`, bundle])
  // Go's archive/tar reads a PAX record with an empty value as a deletion.
  expect(xattrsIn(join(bundle, 'rootfs'))).toEqual({ ...expected, etc: { 'trusted.who': '726f6f74' } })

  const layout = join(place.path, 'umoci')
  const again = join(place.path, 'umoci-bundle')
  await program('umoci', ['init', '--layout', layout])
  await program('umoci', ['new', '--image', `${layout}:app`])
  await program('umoci', ['unpack', '--image', `${layout}:app`, again])
  await program('cp', ['-a', '--preserve=xattr', `${bundle}/rootfs/.`, join(again, 'rootfs')])
  await program('umoci', ['repack', '--image', `${layout}:app`, again])
  await using theirs = await openStore(layout)
  const packed = await readImage(theirs, 'app')
  const target = join(place.path, 'from-umoci')
  await unpackedWith(pythonXattrs, theirs, packed, target)
  expect(xattrsIn(target)).toEqual(xattrsIn(join(again, 'rootfs')))
  expect(xattrsIn(target)).toMatchObject({ 'bin/ping': expected['bin/ping'], 'odd-\xff': expected['odd-\xff'] })
  const view = await openUnionView(theirs, packed)
  expect(view.stat('bin/ping')?.xattrs?.get('security.capability')).toEqual(capability)
})

test.runIf(canRun && needsProgram('buildah'))('buildah shows our attributes in a container', async () => {
  using tool = containers('buildah')
  const buildah = tool.run
  const container = await buildah('from', '--name', 'work', `oci:${tool.linkTo(place.path)}/store:app:1`)
  const mounted = await buildah('mount', container)
  // The vfs driver copies trees without attributes of other namespaces.
  const { 'bin/ping': ping, 'odd-\xff': odd } = xattrsIn(mounted)
  expect([ping?.['user.bytes'], odd]).toEqual([bytes.toString('hex'), expected['odd-\xff']])
  await buildah('umount', container)
  await buildah('rm', container)
})

test.runIf(canRun && needsProgram('tar') && needsProgram('bsdtar'))(
  'GNU tar and bsdtar pack attributes that we unpack',
  async () => {
    const tree = join(place.path, 'tree')
    mkdirSync(tree)
    writeFileSync(join(tree, 'file'), 'x')
    pythonXattrs.set(join(tree, 'file'), 'user.bytes', bytes)
    pythonXattrs.set(join(tree, 'file'), 'security.capability', capability)
    pythonXattrs.set(tree, 'user.top', Buffer.from('root'))
    for (const [name, options] of [
      ['tar', ['--xattrs', '--xattrs-include=*', '--format=pax']],
      ['bsdtar', ['--xattrs', '--format', 'pax']],
    ] as const) {
      const archive = join(place.path, `${name}.tar`)
      await program(name, ['-cf', archive, ...options, '-C', tree, '.'])
      const target = join(place.path, `from-${name}`)
      expect(await unpackWith([execFileSync('cat', [archive])], target, {}, pythonXattrs.set)).toEqual([])
      expect(xattrsIn(target)).toEqual(xattrsIn(tree))
    }
  },
)
