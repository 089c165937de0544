import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import type { AbortOptions } from '../../internal/abort.ts'
import { decodeName } from '../../internal/name-bytes.ts'
import type { TarEntryType } from '../../tar/index.ts'

/** A file, directory, link or device that the walk has come to. */
export interface FoundEntry {
  /** Where it is. */
  readonly file: Buffer
  /** Its path inside the directory. */
  readonly path: string
  /** Its last component. */
  readonly name: string
  readonly type: TarEntryType
  readonly stats: Stats
  /** The target of a symbolic link. */
  readonly target: Buffer | undefined
  /** Names the file behind several names; absent if this is its only one. */
  readonly identity: string | undefined
}

/** How long the walk may hold the event loop. */
const SLICE_MS = 8

/**
 * Walks a directory in the order of an archive: a directory before what is in it, names by their bytes.
 *
 * PERF: synchronous calls are three times as fast as promises for small files (0.54 s against 1.63 s for 30,000), so the
 * walk uses them, also what its reader does between two entries counts, and gives way to the event loop after each slice.
 */
export async function* walkDirectory(
  root: Buffer,
  options: AbortOptions & { readonly accept?: ((path: string, type: TarEntryType) => boolean) | undefined },
): AsyncGenerator<FoundEntry, void, undefined> {
  // Not a recursive generator: each level would be asked for every entry, and depth would be limited by the stack.
  const open = [listing(root, '')]
  let sliceEnd = performance.now() + SLICE_MS
  while (open.length > 0) {
    const names = open.at(-1)!
    const name = names.rest.pop()
    if (name === undefined) {
      open.pop()
      continue
    }
    if (performance.now() > sliceEnd) {
      await new Promise(resolve => setImmediate(resolve))
      sliceEnd = performance.now() + SLICE_MS
    }
    options.signal?.throwIfAborted()
    const found = look(name, names)
    if (!found || options.accept?.(found.path, found.type) === false) continue
    yield found
    if (found.type === 'directory') open.push(listing(found.file, `${found.path}/`))
  }
}

interface Listing {
  readonly directory: Buffer
  readonly prefix: string
  /** Names still to come, the next one last. */
  readonly rest: Buffer[]
}

function listing(directory: Buffer, prefix: string): Listing {
  const names = readdirSync(directory, { encoding: 'buffer' })
  return { directory, prefix, rest: names.sort((a, b) => Buffer.compare(b, a)) }
}

function look(nameBytes: Buffer, { directory, prefix }: Listing): FoundEntry | undefined {
  const file = Buffer.concat([directory, Buffer.from('/'), nameBytes])
  const name = decodeName(nameBytes)
  const stats = lstatSync(file)
  const type = typeOf(stats)
  if (!type) return undefined
  const target = type === 'symlink' ? readlinkSync(file, { encoding: 'buffer' }) : undefined
  const identity = type === 'file' && stats.nlink > 1 ? identityOf(file) : undefined
  return { file, path: prefix + name, name, type, stats, target, identity }
}

/** `undefined` for a socket: it means nothing without the process behind it. */
function typeOf(stats: Stats): TarEntryType | undefined {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isCharacterDevice()) return 'character-device'
  return stats.isBlockDevice() ? 'block-device' : undefined
}

/** Inode numbers of some file systems are over 2^53; rounded, two files would become one. */
function identityOf(file: Buffer): string {
  const { dev, ino } = lstatSync(file, { bigint: true })
  return `${dev}:${ino}`
}
