import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Entry of a tree: kind, mode, owner, size, time, target, digest of the content, links. */
export interface TreeEntry {
  path: string
  kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'character-device' | 'block-device' | 'socket'
  mode: string
  owner: string
  mtime: number
  target?: string
  content?: string
  /** First path of the same file, for each further path. */
  sameAs?: string
  device?: number
}

/**
 * Lists every path of a tree with its metadata and content, in byte order. Names are shown in latin1, so that every
 * byte counts.
 */
export function listTree(root: string): TreeEntry[] {
  const entries: TreeEntry[] = []
  const inodes = new Map<number, string>()
  const visit = (directory: Buffer, shown: string): void => {
    for (const name of namesIn(directory)) {
      const path = Buffer.concat([directory, Buffer.from('/'), name])
      const entry = describe(path, join(shown, name.toString('latin1')), inodes)
      entries.push(entry)
      if (entry.kind === 'directory') visit(path, entry.path)
    }
  }
  visit(Buffer.from(root), '')
  return entries
}

/** Lists a directory; returns nothing if this user may not read it. */
function namesIn(directory: Buffer): Buffer[] {
  try {
    return readdirSync(directory, { encoding: 'buffer' }).sort(Buffer.compare)
  } catch (error) {
    if ((error as { code?: string }).code === 'EACCES') return []
    throw error
  }
}

function describe(path: Buffer, shown: string, inodes: Map<number, string>): TreeEntry {
  const stats = lstatSync(path)
  const entry: TreeEntry = {
    path: shown,
    kind: kindOf(stats),
    mode: (stats.mode & 0o7777).toString(8),
    owner: `${stats.uid}:${stats.gid}`,
    mtime: Math.floor(stats.mtimeMs / 1000),
  }
  if (stats.isSymbolicLink()) entry.target = readlinkSync(path, { encoding: 'buffer' }).toString('latin1')
  if (stats.isFile()) entry.content = createHash('sha256').update(readFileSync(path)).digest('hex')
  if (stats.isCharacterDevice() || stats.isBlockDevice()) entry.device = stats.rdev
  if (!stats.isDirectory() && stats.nlink > 1) {
    const first = inodes.get(stats.ino)
    if (first === undefined) inodes.set(stats.ino, shown)
    else entry.sameAs = first
  }
  return entry
}

function kindOf(stats: import('node:fs').Stats): TreeEntry['kind'] {
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isCharacterDevice()) return 'character-device'
  if (stats.isBlockDevice()) return 'block-device'
  return stats.isFile() ? 'file' : 'socket'
}
