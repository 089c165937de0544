import { LimitError } from '../../errors/index.ts'
import type { UnionView, ViewEntry } from '../../rootfs/index.ts'
import { collectBuffer } from './collect-buffer.ts'
import { DPKG_STATUS_DIRECTORY, parseDpkg } from './ecosystems/dpkg.ts'
import { findGoBuildInfo, goPackages } from './ecosystems/go.ts'
import { isJavaArchive, MOST_OF_ARCHIVE, readJava } from './ecosystems/java.ts'
import { isNpmManifest, parseNpm } from './ecosystems/npm.ts'
import { isLockAlone, parseNpmLock } from './ecosystems/npm-lock.ts'
import { isPythonMetadata, parsePython } from './ecosystems/python.ts'
import type { StatedPackage } from './ecosystems/stated-package.ts'
import type { PackageType, UnreadPackages } from './package-list.ts'

/** Most bytes of a file that describes packages. */
const MOST = 1024 * 1024
/** Most bytes of a lock file; no file that may be a hard link has more. */
export const MOST_OF_LOCK = 32 * 1024 * 1024

/** A package, and the file that states it. */
export interface FilePackage {
  readonly type: PackageType
  readonly stated: StatedPackage
  readonly path: string
}

/** Kind of a file that states packages. */
export type FileKind = 'deb' | 'npm' | 'lock' | 'pypi' | 'java' | 'go'

type Content = AsyncIterable<Uint8Array>

/** Kind of an entry, by its name; of a program, by its mode. */
export function kindOfFile(entry: ViewEntry, view: UnionView): FileKind | undefined {
  const { path, type, mode } = entry
  if (type !== 'file' && type !== 'hardlink') return undefined
  if (isNpmManifest(path)) return 'npm'
  if (isPythonMetadata(path)) return 'pypi'
  if (path.startsWith(`${DPKG_STATUS_DIRECTORY}/`)) return path.endsWith('.md5sums') ? undefined : 'deb'
  if (isLockAlone(path, place => view.stat(place, { follow: true }) !== undefined)) return 'lock'
  // Another name of an archive or of a program brings no package.
  if (type === 'hardlink') return undefined
  if (isJavaArchive(path)) return 'java'
  return (mode & 0o111) !== 0 ? 'go' : undefined
}

/** Reads the packages of one file. What cannot be read is added to `unread`. */
export async function readPackageFile(
  kind: FileKind,
  { path, size }: ViewEntry,
  content: Content,
  unread: UnreadPackages[],
): Promise<FilePackage[]> {
  const most = kind === 'java' ? MOST_OF_ARCHIVE : kind === 'lock' ? MOST_OF_LOCK : MOST
  if (kind === 'go') return readGo(path, content, unread)
  if (size > most) {
    unread.push({ path, reason: `${size} bytes are more than ${most}` })
    return []
  }
  try {
    const bytes = await collectBuffer(content, most, path)
    if (kind !== 'java') return parse(kind, path, bytes.toString('utf8'), unread)
    return (await readJava(path, bytes, unread)).map(each => ({ ...each, type: 'maven' }))
  } catch (error) {
    if (!(error instanceof LimitError)) throw error
    unread.push({ path, reason: error.message })
    return []
  }
}

async function readGo(path: string, content: Content, unread: UnreadPackages[]): Promise<FilePackage[]> {
  const info = await findGoBuildInfo(content)
  if (!info) return []
  if (info.version !== undefined) return goPackages(info).map(stated => ({ type: 'golang', stated, path }))
  unread.push({ path, reason: 'the modules of programs of Go before 1.18 are not read' })
  return []
}

function parse(
  kind: Exclude<FileKind, 'java' | 'go'>,
  path: string,
  text: string,
  unread: UnreadPackages[],
): FilePackage[] {
  const parsers = { npm: parseNpm, pypi: parsePython, deb: parseDpkg, lock: (text: string) => parseNpmLock(path, text) }
  try {
    const stated = [parsers[kind](text) ?? []].flat()
    return stated.map(each => ({ type: kind === 'lock' ? 'npm' : kind, stated: each, path }))
  } catch (error) {
    unread.push({ path, reason: `not readable: ${(error as Error).message}` })
    return []
  }
}
