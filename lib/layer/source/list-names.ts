import { type Dirent, readdirSync } from 'node:fs'
import { decodeName, systemPath } from '../../internal/name-bytes.ts'
import type { TarEntryType } from '../../tar/index.ts'

/**
 * A name in a directory, and its type according to the directory.
 *
 * @internal
 */
export interface ListedName {
  readonly name: string
  /** Absent for an entry that cannot be in a layer, e.g. a socket. */
  readonly type: Exclude<TarEntryType, 'hardlink'> | undefined
}

const ASCII = /^[\x01-\x7f]*$/

/**
 * Lists a directory, in the order of the bytes of the names.
 *
 * @internal
 */
export function listNames(directory: string): ListedName[] {
  const path = systemPath(directory)
  const entries = readdirSync(path, { withFileTypes: true })
  // PERF: nearly all names are ASCII; for these, strings and the order of strings are correct and faster.
  if (entries.every(({ name }) => ASCII.test(name))) {
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    return entries.map(entry => ({ name: entry.name, type: typeOf(entry) }))
  }
  const raw = readdirSync(path, { withFileTypes: true, encoding: 'buffer' })
  raw.sort((a, b) => Buffer.compare(a.name, b.name))
  return raw.map(entry => ({ name: decodeName(entry.name), type: typeOf(entry) }))
}

/**
 * Returns the type of an entry of a directory; `undefined` for a socket, which has no meaning without its process.
 *
 * @internal
 */
export function typeOf(entry: Kinds): ListedName['type'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  if (entry.isSymbolicLink()) return 'symlink'
  if (entry.isFIFO()) return 'fifo'
  if (entry.isCharacterDevice()) return 'character-device'
  return entry.isBlockDevice() ? 'block-device' : undefined
}

type Kinds = Pick<
  Dirent<string | Buffer>,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isCharacterDevice' | 'isBlockDevice'
>
