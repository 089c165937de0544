import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { composeImage } from '../../lib/image/index.ts'
import { type FromDirectoryOptions, fromDirectory, fromFiles, writeLayer } from '../../lib/layer/index.ts'
import type { RunConfig } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { program } from './program.ts'

/** What an image of programs of this machine has. */
export interface MachineBase {
  /** Programs of this machine, with the libraries that they load. */
  readonly programs?: readonly string[]
  /** Directories of this machine, and what to leave out of them. */
  readonly trees?: Readonly<Record<string, FromDirectoryOptions['ignore']>>
  /** Other files, by their paths; a path that ends with `/` is a directory. */
  readonly files?: Readonly<Record<string, string | TarInput>>
  readonly config?: RunConfig
}

const ACCOUNTS = {
  'etc/passwd': [
    'root:x:0:0:root:/root:/bin/sh',
    'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
    'node:x:1000:1000::/home/node:/bin/sh',
    '_apt:x:42:65534::/nonexistent:/usr/sbin/nologin',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  ],
  'etc/group': ['root:x:0:', 'daemon:x:1:', 'node:x:1000:', 'nogroup:x:65534:'],
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Makes an image of the programs of this machine: what a base of a registry would be, without a network. The shell and
 * the small programs are those of busybox.
 */
export async function makeMachineBase(store: Store, name: string, base: MachineBase): Promise<void> {
  const { programs = [], trees = {}, files = {}, config } = base
  const options = { compression: 'none' } as const
  const layers = [await writeLayer(store, fromFiles(await smallPrograms(files), { mtime: 1_600_000_000 }), options)]
  if (programs.length > 0) layers.push(await writeLayer(store, fromFiles(await withLibraries(programs)), options))
  for (const [path, ignore = []] of Object.entries(trees))
    layers.push(await writeLayer(store, fromDirectory(path, { at: path, ignore, uid: 0, gid: 0 }), options))
  const image = await composeImage(store, { layers, config: { Env: [`PATH=${PATH}`], ...config } })
  await store.references.set(name, image.descriptor)
}

async function smallPrograms(files: NonNullable<MachineBase['files']>): Promise<TarInput[]> {
  const applets = (await program('/bin/busybox', ['--list'])).trim().split('\n')
  const entries: TarInput[] = [
    ...['dev', 'proc', 'sys', 'run'].map(path => ({ path, type: 'directory', mode: 0o755 }) as const),
    { path: 'tmp', type: 'directory', mode: 0o1777 },
    { path: 'home/node', type: 'directory', mode: 0o755, uid: 1000, gid: 1000 },
    { path: 'bin/busybox', type: 'file', content: readFileSync('/bin/busybox'), mode: 0o755 },
    // The programs of packages are those of this machine, or not there.
    ...applets
      .filter(applet => !/^(busybox|dpkg.*|rpm.*|tar|start-stop-daemon)$/.test(applet))
      .map(applet => ({ path: `bin/${applet}`, type: 'symlink', linkname: 'busybox' }) as const),
    // Scripts begin with this path.
    { path: 'usr/bin/env', type: 'symlink', linkname: '/bin/busybox' },
    ...Object.entries(ACCOUNTS).map(([path, lines]) => textFile(path, `${lines.join('\n')}\n`)),
    ...Object.entries(files).map(([path, file]) => {
      if (typeof file !== 'string') return file
      return path.endsWith('/') ? ({ path: path.slice(0, -1), type: 'directory' } as const) : textFile(path, file)
    }),
  ]
  return entries
}

function textFile(path: string, content: string): TarInput {
  return { path, type: 'file', content, mode: content.startsWith('#!') ? 0o755 : 0o644 }
}

/** Programs and the libraries that they are linked with, at their own paths. */
async function withLibraries(programs: readonly string[]): Promise<TarInput[]> {
  const paths = new Set(programs)
  for (const path of programs) {
    const libraries = (await program('ldd', [path]).catch(() => '')).matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)
    for (const [, library] of libraries) if (library && existsSync(library)) paths.add(library)
  }
  return [...paths].map(path => ({
    path: `${dirname(path)}/${basename(path)}`.slice(1),
    type: 'file',
    content: readFileSync(realpathSync(path)),
    mode: 0o755,
  }))
}
