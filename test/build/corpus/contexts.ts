import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rawTar } from '../../helpers/raw-tar.ts'

/** What stands under a path of a context: content, or a kind with its members. */
export type ContextFile =
  | string
  | { readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly link: string }
  | { readonly hardLink: string }
  | { readonly directory: number }

export type ContextFiles = Readonly<Record<string, ContextFile>>

const members = rawTar([
  { path: 'd/', mode: 0o750, uid: 11, gid: 12 },
  { path: 'd/f', content: 'in the archive', mode: 0o4755, uid: 13, gid: 14 },
  { path: 'g', content: 'g', mode: 0o600 },
  { path: 'l', link: 'd/f' },
  // As archivers do, the attributes of the file again: an unpacker may apply them.
  { path: 'h', type: '1', link: 'd/f', mode: 0o4755, uid: 13, gid: 14 },
])

const plain: ContextFiles = {
  'a.txt': 'A',
  'b.txt': 'B',
  'c.md': 'C',
  'run.sh': { content: '#!/bin/sh\n', mode: 0o755 },
  suid: { content: 's', mode: 0o4755 },
  secret: { content: 'x', mode: 0o600 },
  '.hidden': 'h',
  'dir/x': 'dx',
  'dir/y.txt': 'dy',
  'dir/sub/z': 'dz',
  dir: { directory: 0o750 },
  'dir/sub': { directory: 0o711 },
  'dir2/x': '2x',
  'dir2/sub/w': '2w',
  'dir2/sub': { directory: 0o700 },
  empty: { directory: 0o755 },
  'app/package.json': '{}',
  'app/src/index.js': 'js',
  'app/src/lib/util.js': 'util',
  'app/README.md': 'readme',
}

const links: ContextFiles = {
  ...plain,
  'to-file': { link: 'a.txt' },
  'to-dir': { link: 'dir' },
  'to-abs': { link: '/dir/x' },
  'to-up': { link: '../../a.txt' },
  chain: { link: 'to-dir/sub' },
  dangling: { link: 'nope' },
  'loop-a': { link: 'loop-b' },
  'loop-b': { link: 'loop-a' },
  'tree/f': 'tf',
  'tree/in': { link: 'f' },
  'tree/out': { link: '/etc/passwd' },
  'tree/none': { link: 'none' },
  'tree/dir': { link: '../dir' },
  'hl/one': 'same',
  'hl/two': { hardLink: 'hl/one' },
  'odd/sp ace': 's',
  'odd/[x]': 'b',
  'odd/x': 'x',
  'odd/q?': 'q',
  'odd/star*': 's',
  'odd/$v': 'v',
  'onto/d/n': 'n',
  'onto/f': 'f',
}

const archives: ContextFiles = {
  't.tar': { content: members },
  't.tar.gz': { content: gzip(members) },
  'odd.name': { content: members },
  'text.tar': 'no archive',
  'text.gz': { content: gzip('only text') },
  'empty.tar': { content: rawTar([]) },
  'in/t.tar': { content: rawTar([{ path: 'x', content: 'x' }]) },
  'replace.tar': {
    content: rawTar([
      { path: 'f', content: 'new' },
      { path: 'd/', mode: 0o700 },
      { path: 'd/n', content: 'n' },
    ]),
  },
  'under.tar': { content: rawTar([{ path: 'deep/er/f', content: 'f' }]) },
  'a.txt': 'A',
}

const ignoring = (text: string): ContextFiles => ({ ...plain, '.dockerignore': text })

/** The contexts of the corpus, by name. */
export const contexts: Readonly<Record<string, ContextFiles>> = {
  plain,
  links,
  archives,
  'ignore-md': ignoring('*.md\n'),
  'ignore-deep-md': ignoring('**/*.md\n'),
  'ignore-dir': ignoring('dir\n'),
  'ignore-slash': ignoring('/dir/\n'),
  'ignore-back': ignoring('dir\n!dir/x\n'),
  'ignore-all-but': ignoring('*\n!app/src\n!a.txt\n'),
  'ignore-deep-back': ignoring('*\n!**/x\n'),
  'ignore-comment': ignoring('#a.txt\n #b.txt\n\n  c.md  \n'),
  'ignore-parts': ignoring('app/**/util.js\ndir/?\n[ab].txt\n'),
  'ignore-below': ignoring('dir/**\n'),
  'ignore-suffix': ignoring('**xt\n'),
  'ignore-itself': ignoring('Dockerfile\n.dockerignore\n'),
  'ignore-order': ignoring('!a.txt\n*.txt\n!b.txt\n'),
  'ignore-clean': ignoring('./dir/../a.txt\nempty//\n..\n.\n/\n'),
  'ignore-everything': ignoring('**\n'),
  'ignore-malformed': ignoring('[\n'),
  'ignore-bang': ignoring('!\n'),
}

/** Writes a context into an empty directory. */
export function writeContext(directory: string, files: ContextFiles): void {
  const late = (file: ContextFile) => typeof file === 'object' && ('directory' in file || 'hardLink' in file)
  const entries = Object.entries(files)
  for (const [path, file] of [...entries.filter(([, f]) => !late(f)), ...entries.filter(([, f]) => late(f))]) {
    const place = join(directory, path)
    mkdirSync(dirname(place), { recursive: true, mode: 0o755 })
    if (typeof file === 'string') write(place, file, 0o644)
    else if ('content' in file) write(place, file.content, file.mode ?? 0o644)
    else if ('link' in file) symlinkSync(file.link, place)
    else if ('hardLink' in file) linkSync(join(directory, file.hardLink), place)
    else {
      mkdirSync(place, { recursive: true })
      chmodSync(place, file.directory)
    }
  }
}

function write(place: string, content: string | Uint8Array, mode: number): void {
  writeFileSync(place, content)
  chmodSync(place, mode)
}

/** Compressed without compression: the bytes are the same with every version of zlib. */
function gzip(content: string | Uint8Array): Buffer {
  const bytes = gzipSync(content, { level: 0 })
  // Flags and the system that compressed.
  bytes[8] = 0
  bytes[9] = 3
  return bytes
}
