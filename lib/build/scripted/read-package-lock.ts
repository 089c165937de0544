import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BuildContext } from '../context/build-context.ts'

/** Packages of a project, as its lock file decides. */
export interface LockedPackages {
  /** Paths below `node_modules` of packages that only development needs. */
  readonly development: readonly string[]
  /** Paths below `node_modules` of packages that the application needs and that must be installed. */
  readonly needed: readonly string[]
  /** Names in `node_modules/.bin` of programs that only development packages have. */
  readonly developmentPrograms: readonly string[]
}

const LOCK_FILES = ['npm-shrinkwrap.json', 'package-lock.json']

interface LockEntry {
  readonly dev?: unknown
  readonly optional?: unknown
  readonly devOptional?: unknown
  readonly peer?: unknown
  readonly link?: unknown
  readonly bin?: unknown
}

/**
 * Reads which packages of a project are needed in production, from npm's lock file.
 *
 * @throws {@link BuildError} `ERR_BUILD_SOURCE_NOT_FOUND` if there is no lock file; `ERR_BUILD_INVALID_STEP` if it is
 * not of version 2 or 3.
 */
export async function readPackageLock(context: BuildContext, options: AbortOptions): Promise<LockedPackages> {
  for (const name of LOCK_FILES) {
    const bytes = await context.readControlFile(name, options)
    if (bytes) return packagesOf(entriesOf(bytes, name))
  }
  const message = `no ${LOCK_FILES.join(' or ')}: the lock file decides which packages an application needs; other package managers are not supported`
  throw new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', message, { path: LOCK_FILES[1] })
}

function entriesOf(bytes: Uint8Array, name: string): [string, LockEntry][] {
  try {
    const { lockfileVersion, packages } = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if ((lockfileVersion === 2 || lockfileVersion === 3) && typeof packages === 'object' && packages) {
      return Object.entries(packages as Record<string, LockEntry>).filter(([, entry]) => typeof entry === 'object')
    }
  } catch (cause) {
    throw new BuildError('ERR_BUILD_INVALID_STEP', `${name} is not JSON`, { path: name }, { cause })
  }
  throw new BuildError('ERR_BUILD_INVALID_STEP', `${name} is not of version 2 or 3: run npm install`, { path: name })
}

function packagesOf(entries: readonly [string, LockEntry][]): LockedPackages {
  const development: string[] = []
  const needed: string[] = []
  const programs = { development: new Set<string>(), production: new Set<string>() }
  for (const [path, entry] of entries) {
    if (!path.startsWith('node_modules/')) continue
    const below = path.slice('node_modules/'.length)
    const isDevelopment = entry.dev === true
    if (isDevelopment) development.push(below)
    else if (!entry.optional && !entry.devOptional && !entry.peer && !entry.link) needed.push(below)
    for (const program of programsOf(entry)) programs[isDevelopment ? 'development' : 'production'].add(program)
  }
  const developmentPrograms = [...programs.development].filter(name => !programs.production.has(name))
  return { development, needed, developmentPrograms }
}

function programsOf({ bin }: LockEntry): string[] {
  return typeof bin === 'object' && bin !== null ? Object.keys(bin) : []
}
