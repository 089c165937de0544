import { readFileSync } from 'node:fs'
import { composeImage } from '../../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../../lib/layer/index.ts'
import type { RunConfig } from '../../../lib/oci/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import type { TarInput } from '../../../lib/tar/index.ts'

const CREATED = '2024-01-02T03:04:05Z'
const PATH = 'PATH=/usr/local/bin:/usr/bin:/bin'
const MTIME = 1_600_000_000

/** Programs of busybox that the commands of the corpus call. */
const APPLETS = `
  ash awk base64 basename cat chgrp chmod chown cmp cp cut date dd df dirname du echo env expr false find fold grep groups
  gunzip gzip head hostname id install kill ln ls md5sum mkdir mkfifo mknod mktemp mount mv nc nl nohup od paste printenv
  printf ps pwd readlink realpath rm rmdir sed seq setsid sh sha256sum sleep sort split stat sync tac tail tar tee test
  touch tr true truncate umount uname uniq unlink unshare usleep wc which whoami xargs yes
`

const file = (path: string, content: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'file',
  content,
  ...more,
})
const directory = (path: string, mode = 0o755, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'directory',
  mode,
  ...more,
})
const link = (path: string, linkname: string): TarInput => ({ path, type: 'symlink', linkname })

/** A shell and its programs, and nothing else: no account, no mount point. */
function programs(): TarInput[] {
  const applets = APPLETS.trim().split(/\s+/)
  const busybox = readFileSync('/bin/busybox')
  return [
    directory('bin'),
    { path: 'bin/busybox', type: 'file', content: busybox, size: busybox.length, mode: 0o755 },
    ...applets.map(name => link(`bin/${name}`, 'busybox')),
  ]
}

const accounts = [
  file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nhomeless:x:1002:1002:::\n'),
  file('etc/group', 'root:x:0:\nweb:x:1001:\nlogs:x:50:app\nmore:x:60:app,root\n'),
]

/** Everything that a command may change, of each kind. */
const data: readonly TarInput[] = [
  file('data/a', 'a'),
  file('data/b', 'b', { mode: 0o600, uid: 7, gid: 8 }),
  file('data/empty', ''),
  file('data/suid', 's', { mode: 0o6755 }),
  directory('data/tree', 0o750, { uid: 1000, gid: 1001 }),
  file('data/tree/x', 'x', { uid: 1000, gid: 1001 }),
  file('data/tree/deep/y', 'y'),
  file('data/tree/deep/er/z', 'z'),
  directory('data/hollow', 0o700),
  link('data/link', 'a'),
  link('data/to-tree', 'tree'),
  link('data/dangling', '/nowhere/at/all'),
  file('data/h1', 'linked'),
  { path: 'data/h2', type: 'hardlink', linkname: 'data/h1' },
  { path: 'data/h3', type: 'hardlink', linkname: 'data/h1' },
  { path: 'data/fifo', type: 'fifo', mode: 0o644 },
  { path: 'data/null', type: 'character-device', mode: 0o666, devMajor: 1, devMinor: 3 },
]

const rootfs = (): TarInput[] => [
  ...programs(),
  ...['proc', 'sys', 'dev'].map(path => directory(path)),
  ...accounts,
  ...data,
  directory('root', 0o700),
  directory('home/app', 0o750, { uid: 1000, gid: 1001 }),
  directory('tmp', 0o1777),
  directory('run'),
  directory('srv'),
  link('var/run', '/run'),
]

interface BaseImage {
  readonly config: RunConfig
  /** Files of each layer. */
  readonly layers: readonly (readonly TarInput[])[]
}

/** The bases by their names; made when they are needed, because they hold the busybox of this machine. */
const bases: Readonly<Record<string, () => BaseImage>> = {
  'box:1': () => ({ layers: [rootfs()], config: { Env: [PATH], Cmd: ['sh'] } }),
  'box:bare': () => ({ layers: [programs()], config: {} }),
  'box:points': () => ({
    layers: [
      [
        ...rootfs(),
        file('etc/hosts', 'of the image'),
        file('etc/resolv.conf', 'of the image'),
        file('dev/own', 'in the image'),
      ],
    ],
    config: { Env: [PATH] },
  }),
  'box:set': () => ({
    layers: [rootfs()],
    config: {
      Env: [PATH, 'A=base', 'HOME=/from-env'],
      User: 'app',
      WorkingDir: '/srv/made/late',
      Volumes: { '/vol': {} },
      Labels: { keep: 'yes' },
      Shell: ['/bin/ash', '-e', '-c'],
    } as RunConfig,
  }),
  'box:onbuild': () => ({
    layers: [rootfs()],
    config: {
      Env: [PATH],
      OnBuild: ['ARG WHO=nobody', 'RUN echo fired for $WHO > /fired', 'RUN ["touch", "/exec-fired"]'],
    } as RunConfig,
  }),
  'box:layers': () => ({
    layers: [
      rootfs(),
      [
        file('data/.wh.a', ''),
        file('data/tree/.wh..wh..opq', ''),
        file('data/tree/only', 'only'),
        file('data/hollow', 'was a directory'),
        file('data/new', 'new'),
        { path: 'data/new-link', type: 'hardlink', linkname: 'data/new' },
      ],
      [file('data/a', 'again'), file('data/.wh.hollow', '')],
    ],
    config: { Env: [PATH] },
  }),
}

/** The names of the bases. */
export const runBases = Object.keys(bases)

/** Makes the bases in a store, under their names. */
export async function makeRunBases(store: Store): Promise<void> {
  for (const [name, make] of Object.entries(bases)) {
    const { layers, config } = make()
    const written = []
    for (const [i, files] of layers.entries()) {
      const layer = await writeLayer(store, fromFiles(files, { mtime: MTIME }), { compression: 'none' })
      const history = { created: CREATED, created_by: `/bin/sh -c #(nop) ADD file:base of ${name} ${i} in / ` }
      written.push({ ...layer, history })
    }
    const image = await composeImage(store, { layers: written, config, created: CREATED })
    await store.references.set(name, image.descriptor)
  }
}
