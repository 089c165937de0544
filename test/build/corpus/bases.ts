import { composeImage } from '../../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../../lib/layer/index.ts'
import type { RunConfig } from '../../../lib/oci/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import type { TarInput } from '../../../lib/tar/index.ts'

const CREATED = '2024-01-02T03:04:05Z'
const PATH = 'PATH=/usr/local/bin:/usr/bin:/bin'

const rootfs: readonly TarInput[] = [
  {
    path: 'etc/passwd',
    type: 'file',
    content: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nwww:x:33:33::/:\n',
  },
  { path: 'etc/group', type: 'file', content: 'root:x:0:\napp:x:1001:\nweb:x:500:app\nwww:x:33:\n' },
  { path: 'usr/lib/libc.so', type: 'file', content: 'libc' },
  { path: 'usr/bin/sh', type: 'file', content: 'sh', mode: 0o755 },
  { path: 'lib', type: 'symlink', linkname: 'usr/lib' },
  { path: 'bin', type: 'symlink', linkname: '/usr/bin' },
  { path: 'var/run', type: 'symlink', linkname: '/run' },
  { path: 'run', type: 'directory', mode: 0o755 },
  { path: 'tmp', type: 'directory', mode: 0o1777 },
  { path: 'home/app', type: 'directory', mode: 0o750, uid: 1000, gid: 1001 },
  { path: 'home/app/own', type: 'file', content: 'own', uid: 1000, gid: 1001, mode: 0o600 },
  { path: 'dangling', type: 'symlink', linkname: '/nowhere/deep' },
  { path: 'loop-a', type: 'symlink', linkname: 'loop-b' },
  { path: 'loop-b', type: 'symlink', linkname: 'loop-a' },
  { path: 'file-link', type: 'symlink', linkname: 'etc/os' },
  { path: 'etc/os', type: 'file', content: 'os' },
  { path: 'up-link', type: 'symlink', linkname: '../../../srv' },
  { path: 'srv', type: 'directory', mode: 0o755 },
  { path: 'srv/x', type: 'symlink', linkname: '/etc/os' },
  { path: 'srv/sub', type: 'symlink', linkname: '/tmp' },
  { path: 'onto/d', type: 'directory', mode: 0o700, uid: 5, gid: 6 },
  { path: 'onto/d/old', type: 'file', content: 'old' },
  { path: 'onto/f', type: 'directory', mode: 0o755 },
  { path: 'opt/h1', type: 'file', content: 'linked', uid: 7, gid: 8 },
  { path: 'opt/h2', type: 'hardlink', linkname: 'opt/h1', uid: 7, gid: 8 },
  { path: 'opt/tool', type: 'file', content: 'tool', mode: 0o2755, uid: 7, gid: 8 },
]

interface BaseImage {
  readonly config: RunConfig
  readonly files: readonly TarInput[]
}

/** Images that the corpus begins with, small but with accounts, links and a config like the everyday ones. */
const bases: Readonly<Record<string, BaseImage>> = {
  'python:3.12-slim': {
    files: rootfs,
    config: { Env: [`PATH=/usr/local/bin:/usr/bin:/bin`, 'LANG=C.UTF-8', 'PYTHON_VERSION=3.12.1'], Cmd: ['python3'] },
  },
  'node:20-alpine': {
    files: rootfs,
    config: { Env: [PATH, 'NODE_VERSION=20.11.0'], Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node'] },
  },
  'nginx:alpine': {
    files: [...rootfs, { path: 'usr/share/nginx/html/index.html', type: 'file', content: 'welcome' }],
    config: {
      Env: [PATH, 'NGINX_VERSION=1.25.3'],
      Entrypoint: ['/docker-entrypoint.sh'],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
      Labels: { maintainer: 'NGINX' },
    },
  },
  'base:set': {
    files: rootfs,
    config: {
      Env: [PATH, 'A=base', 'B=b'],
      User: 'app',
      WorkingDir: '/srv',
      Volumes: { '/data': {} },
      Labels: { keep: 'yes', change: 'old' },
      Shell: ['/bin/bash', '-c'],
    } as RunConfig,
  },
  'base:bare': { files: [{ path: 'only', type: 'file', content: 'only' }], config: {} },
  'base:onbuild': {
    files: rootfs,
    config: { Env: [PATH], OnBuild: ['COPY a.txt /from-onbuild', 'ENV FIRED=1', 'WORKDIR /ob'] } as RunConfig,
  },
}

/** The names of the bases. */
export const baseNames = Object.keys(bases)

/** Makes the bases in a store, under their names, the same on every machine. */
export async function makeBases(store: Store): Promise<void> {
  for (const [name, { files, config }] of Object.entries(bases)) {
    const layer = await writeLayer(store, fromFiles(files, { mtime: 1_600_000_000 }))
    const history = { created: CREATED, created_by: `/bin/sh -c #(nop) ADD file:base of ${name} in / ` }
    const image = await composeImage(store, { layers: [{ ...layer, history }], config, created: CREATED })
    await store.references.set(name, image.descriptor)
  }
}
