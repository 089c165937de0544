import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { isErrno } from '../../internal/errno.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import type { Places } from '../places/places.ts'

/** An entry below `.layerstore` of a type that no version of this library creates there. */
export interface OddRecord {
  /** Path relative to the store. */
  readonly path: string
  /** Human-readable description of the actual and the expected type. */
  readonly actual: string
}

/** Directories of records, and the maximum depth of directories below each. */
const DEPTHS: Readonly<Record<string, number>> = {
  '.layerstore/locks': 0,
  '.layerstore/leases': 0,
  '.layerstore/unsynced': 0,
  '.layerstore/facts': 0,
  '.layerstore/indexes': 0,
  '.layerstore/trash': 0,
  '.layerstore/ballast': 0,
  '.layerstore/ingests': 1,
  '.layerstore/cache': 1,
}

/** Directory of the cache mounts of builds, which hold any files. */
const CACHE_MOUNTS = '.layerstore/cache/mounts'

/** Directories that {@link findOdd} searches. */
export const RECORD_DIRECTORIES: readonly string[] = Object.keys(DEPTHS)

/** Finds every link, directory and special file in the place of a record. All other operations skip them. */
export async function findOdd({ places }: DiskContext, directory: string): Promise<OddRecord[]> {
  const odd: OddRecord[] = []
  await lookInto(places, directory, DEPTHS[directory] ?? 0, odd)
  return odd
}

/** @param depth - Maximum depth of directories below. */
async function lookInto(places: Places, directory: string, depth: number, odd: OddRecord[]): Promise<void> {
  for (const entry of await entriesOf(places, directory)) {
    const path = `${directory}/${entry.name}`
    if (path === CACHE_MOUNTS && entry.isDirectory()) continue
    if (entry.isDirectory() && depth > 0) await lookInto(places, path, depth - 1, odd)
    else if (!entry.isFile()) odd.push({ path, actual: `${kindOf(entry)}, where a file is expected` })
  }
}

function entriesOf(places: Places, directory: string): Promise<Dirent[]> {
  return onDisk({ act: 'list', path: directory }, async () => {
    try {
      return await readdir(places.directory(directory), { withFileTypes: true })
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return []
      throw error
    }
  })
}

function kindOf(entry: Dirent): string {
  if (entry.isDirectory()) return 'a directory'
  return entry.isSymbolicLink() ? 'a symbolic link' : 'a special file'
}
