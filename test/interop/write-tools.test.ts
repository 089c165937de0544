import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { fromDirectory, writeLayer } from '../../lib/layer/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { containers } from '../helpers/containers.ts'
import { listTree, type TreeEntry } from '../helpers/list-tree.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/**
 * Python program: makes a tree with every kind of entry, or prints all extended attributes of a tree, by name and in
 * hex.
 */
const PYTHON = `
import json, os, sys
root = sys.argv[2].encode()
def at(p): return os.path.join(root, p if isinstance(p, bytes) else p.encode())
if sys.argv[1] == 'list':
    found = {}
    for base, folders, files in os.walk(root):
        for name in folders + files:
            p = os.path.join(base, name)
            if os.path.islink(p): continue
            names = [n for n in os.listxattr(p) if n != 'security.selinux']
            if names: found[os.path.relpath(p, root).decode('latin1')] = {n: os.getxattr(p, n).hex() for n in sorted(names)}
    print(json.dumps(found, sort_keys=True)); sys.exit()
os.umask(0)
for d, mode in (('bin', 0o755), ('tmp', 0o1777), ('closed', 0o700), ('deep/' + '/'.join('n' * 60 + str(i) for i in range(4)), 0o755)):
    os.makedirs(at(d)); os.chmod(at(d), mode)
for i, (p, mode, uid, gid) in enumerate((('bin/run', 0o755, 0, 0), ('bin/set-id', 0o6755, 7, 8), ('closed/secret', 0o600, 1000, 1000), ('far', 0o644, 3000000000, 2500000), ('d\\u00fc', 0o644, 0, 0), (b'latin-\\xff', 0o644, 0, 0), ('empty', 0o444, 0, 0), ('x' * 180, 0o644, 0, 0))):
    with open(at(p), 'wb') as f: f.write(b'' if p == 'empty' else b'content %d ' % i * (i * 4000 + 1))
    os.chown(at(p), uid, gid); os.chmod(at(p), mode); os.utime(at(p), (1600000000 + i, 1600000000 + i))
os.link(at('bin/run'), at('bin/zz-again')); os.link(at('bin/run'), at('aa-first'))
os.symlink('run', at('bin/soft')); os.symlink('/nowhere', at('dangling')); os.lchown(at('bin/soft'), 5, 6)
os.mkfifo(at('fifo'), 0o622); os.mknod(at('null'), 0o20666, os.makedev(1, 3)); os.mknod(at('loop'), 0o60660, os.makedev(7, 200))
os.setxattr(at('bin/run'), 'security.capability', bytes.fromhex('0100000200040000000000000000000000000000'))
os.setxattr(at('far'), 'user.binary', bytes(range(256))); os.setxattr(at('far'), 'user.empty', b''); os.setxattr(at('far'), 'user.text', 'gr\\u00fc\\u00df\\n='.encode())
os.setxattr(at('tmp'), 'user.directory', b'yes')
for base, folders, files in os.walk(root, topdown=False):
    for name in folders + files: os.utime(os.path.join(base, name), (1600000100, 1600000100), follow_symlinks=False)
`

const isRoot = needsRoot() && needsProgram('python3')
const withRoot = (name: string) => describe.runIf(isRoot && needsProgram(name))
const xattrsOf = async (root: string) => JSON.parse(await program('python3', ['-c', PYTHON, 'list', root]))

let place: ReturnType<typeof temporaryDirectory>
let store: Store
let tree: string
let expected: { tree: TreeEntry[]; xattrs: Record<string, Record<string, string>> }
/** Path of the layer's file. */
let blob: string

beforeAll(async () => {
  place = temporaryDirectory('write')
  store = await openStore(join(place.path, 'store'))
  tree = join(place.path, 'tree')
  if (!isRoot) return
  await program('python3', ['-c', PYTHON, 'make', tree])
  expected = { tree: listTree(tree), xattrs: await xattrsOf(tree) }
  const xattrs = (path: string) => {
    const found = expected.xattrs[Buffer.from(path.slice(tree.length + 1)).toString('latin1')] ?? {}
    return new Map(Object.entries(found).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]))
  }
  const how = { mtime: 'source', mode: 'source', uid: 'source', gid: 'source', xattrs } as const
  const layer = await writeLayer(store, fromDirectory(tree, how))
  const image = await composeImage(store, { layers: [layer] })
  await store.references.set('app:1', image.descriptor)
  blob = join(place.path, 'store/blobs', ...layer.descriptor.digest.split(':'))
})
afterAll(async () => {
  await store?.close()
  place?.[Symbol.dispose]()
})

async function expectSame(root: string, lost: string[] = []): Promise<void> {
  expect(listTree(root)).toEqual(expected.tree)
  const kept = (names: object) => Object.fromEntries(Object.entries(names).filter(([name]) => !lost.includes(name)))
  const xattrs = Object.fromEntries(Object.entries(expected.xattrs).map(([path, names]) => [path, kept(names)]))
  expect(await xattrsOf(root)).toEqual(xattrs)
}

/** Attributes that Go's archive/tar drops: it reads a PAX record with an empty value as a deletion. */
const GO_LOSES = ['user.empty']

withRoot('tar')('GNU tar', () => {
  test('unpacks a layer of ours to the same tree, attributes included', async () => {
    const target = join(place.path, 'gnu')
    mkdirSync(target)
    const how = ['--same-owner', '--numeric-owner', '--delay-directory-restore', '--xattrs', '--xattrs-include=*']
    await program('tar', ['-xpzf', blob, '-C', target, ...how])
    await expectSame(target)
  })

  test('lists a layer of ours like its own archive', async () => {
    const own = join(place.path, 'own.tar')
    await program('tar', ['-C', tree, '--sort=name', '--format=posix', '--numeric-owner', '-cf', own, '.'])
    const listing = async (archive: string) =>
      (await program('tar', ['--numeric-owner', '--quoting-style=escape', '--full-time', '-tvf', archive]))
        .replaceAll(/ \.\//g, ' ')
        .split('\n')
        .filter(line => !/ $/.test(line))
        .map(line => line.replaceAll(/\s+/g, ' ').replace(/\.\d+ /, ' '))
        .sort()
    expect(await listing(blob)).toEqual(await listing(own))
  })
})

withRoot('bsdtar')('bsdtar', () => {
  test('unpacks a layer of ours to the same tree, attributes included', async () => {
    const target = join(place.path, 'bsd')
    mkdirSync(target)
    const args = ['-xpf', blob, '-C', target, '--same-owner', '--numeric-owner', '--xattrs']
    // bsdtar writes the name that is not UTF-8 unchanged, and warns.
    const said = await program('bsdtar', args).catch((error: { stderr: string }) => error.stderr)
    expect(said.split('\n').filter(line => !/can't be converted|^bsdtar: Error exit delayed|^$/.test(line))).toEqual([])
    await expectSame(target)
  })
})

withRoot('umoci')('umoci', () => {
  test('unpacks a layer of ours to the same tree, attributes included', async () => {
    const bundle = join(place.path, 'bundle')
    await program('umoci', ['unpack', '--image', `${join(place.path, 'store')}:app:1`, bundle])
    await expectSame(join(bundle, 'rootfs'), GO_LOSES)
  })
})

withRoot('buildah')('buildah', () => {
  test('unpacks a layer of ours to the same tree, attributes included', async () => {
    using tool = containers('buildah')
    const buildah = tool.run
    const container = await buildah('from', '--name', 'work', `oci:${tool.linkTo(place.path)}/store:app:1`)
    await expectSame(await buildah('mount', container), GO_LOSES)
    await buildah('umount', container)
    await buildah('rm', container)
  })
})
