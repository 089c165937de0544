import { readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { BuildContext } from '../../build/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'
import type { Store } from '../../store/index.ts'
import { stdinOf } from '../arguments/stdin-of.ts'
import { fileFault } from '../failing/file-fault.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'
import { remoteContext } from './context-options.ts'
import { sniffArchive } from './sniff-archive.ts'

/** A context, and the Dockerfile that was chosen for it. */
export interface OpenedBuild {
  readonly context: BuildContext
  /** Path of the Dockerfile as messages show it. */
  readonly file: string
  /** Resolves to the text of the Dockerfile. */
  readonly readDockerfile: () => Promise<string>
}

/** Location of context and Dockerfile for a command. */
export interface BuildPlace {
  /** A directory, an http(s) or git address, or `-` for stdin: a tar archive, or a Dockerfile alone. */
  readonly context: string
  /** The Dockerfile, or `-` for stdin. @defaultValue `Dockerfile` in the context, else `Containerfile` there */
  readonly file?: string | undefined
  /** Keep `.git` of a context in git. */
  readonly keepGitDirectory?: boolean | undefined
}

/**
 * Opens the context of a build. A Dockerfile is found relative to the working directory, as in `docker build`; in an
 * archive, relative to the archive. The ignore file beside a Dockerfile outside the context counts as well.
 */
export async function openBuildContext(
  session: Session,
  { context: place, file, keepGitDirectory }: BuildPlace,
  store: Store | undefined,
): Promise<OpenedBuild> {
  const { openContext } = await import('../../build/index.ts')
  const { signal, chosenHasher: hasher } = session
  if (place === '-' && file === '-') throw new UsageError('context and Dockerfile cannot both come from stdin')
  const common = { store, signal, hasher, lookAhead: true }
  const inContext = `in ${place === '-' ? 'the archive' : withoutCredentials(place)}`
  const where = file === undefined ? inContext : `at ${file}`
  const remote = place === '-' ? undefined : await remoteContext(place)
  if (remote) {
    const git = typeof remote === 'object' && 'git' in remote
    const context = await openContext(git ? { ...remote, keepGitDirectory } : remote, common)
    if (file === '-') return fromText(context, stdinOf(session))
    return fromContext(context, file ?? onlyFileOf(context) ?? defaultNameIn(context), where)
  }
  if (place === '-') {
    const { isArchive, content } = await sniffArchive(stdinOf(session))
    if (!isArchive) {
      if (file !== undefined) throw new UsageError('stdin is no archive: -f FILE names a file of an archive there')
      return fromText(await openContext({ files: [] }, common), content)
    }
    const context = await openContext({ tar: content }, common)
    return fromContext(context, file ?? defaultNameIn(context), where)
  }
  if (file === '-') {
    return fromText(await openContext(place, common), stdinOf(session))
  }
  const inside = file === undefined ? await defaultNameOf(place) : await pathInside(place, file)
  if (inside !== undefined) {
    return fromContext(await openContext(place, { ...common, dockerfile: inside }), inside, where)
  }
  const ignore = await readIfAny(`${file}.dockerignore`)
  const { parseIgnoreFile } = await import('../../layer/index.ts')
  const patterns = ignore === undefined ? {} : { ignore: parseIgnoreFile(ignore) }
  const context = await openContext(place, { ...common, ...patterns })
  return { context, file: file!, readDockerfile: async () => (await readIfAny(file!)) ?? missingAt(file!, place) }
}

function fromText(context: BuildContext, stdin: AsyncIterable<Uint8Array>): OpenedBuild {
  const text = textOf(stdin)
  // Awaited when the Dockerfile is read, which may never be.
  text.catch(() => {})
  return { context, file: 'stdin', readDockerfile: () => text }
}

/** Names of the Dockerfile if `-f` gives none: docker's, podman's, and docker's last resort. */
const NAMES = ['Dockerfile', 'Containerfile', 'dockerfile'] as const

async function defaultNameOf(directory: string): Promise<string> {
  for (const name of NAMES) {
    const isThere = await stat(join(directory, name)).then(
      () => true,
      () => false,
    )
    if (isThere) return name
  }
  return NAMES[0]
}

function defaultNameIn({ wholeTree }: BuildContext): string {
  return NAMES.find(name => wholeTree.stat(name) !== undefined) ?? NAMES[0]
}

/** A file at an address that is no archive is the Dockerfile itself, whatever its name. */
function onlyFileOf({ tree }: BuildContext): string | undefined {
  const [first, ...others] = tree.list('.')
  return others.length === 0 && first?.type === 'file' ? first.path : undefined
}

function fromContext(context: BuildContext, file: string, where: string): OpenedBuild {
  const readDockerfile = async () => {
    const bytes = await context.readControlFile(file)
    return bytes ? Buffer.from(bytes).toString('utf8') : missing(where)
  }
  return { context, file, readDockerfile }
}

/** The path of a file inside a directory; `undefined` if it is somewhere else. */
async function pathInside(directory: string, file: string): Promise<string | undefined> {
  const root = await realpath(directory).catch(() => resolve(directory))
  const folder = await realpath(join(resolve(file), '..')).catch(() => resolve(file, '..'))
  const path = relative(root, join(folder, resolve(file).slice(resolve(file).lastIndexOf(sep) + 1)))
  return path.startsWith(`..${sep}`) || isAbsolute(path) ? undefined : path.split(sep).join('/')
}

async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw fileFault('--file', path, error)
  }
}

/** SAFETY: a Dockerfile is kept in memory, and stdin has no size. */
const MOST_BYTES = 4 * 1024 * 1024

async function textOf(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const { collectBytes } = await import('../../internal/collect-bytes.ts')
  return Buffer.from(await collectBytes(stdin, MOST_BYTES, 'bytes of the Dockerfile on stdin')).toString('utf8')
}

/** Docker's `-f` is relative to the current directory, podman's to the context as well. */
async function missingAt(file: string, directory: string): Promise<never> {
  const inContext = join(directory, file)
  const isThere = !isAbsolute(file) && (await stat(inContext).catch(() => undefined))?.isFile()
  if (!isThere) return missing(`at ${file}`)
  const message = `no Dockerfile at ${file}: -f is relative to the current directory; there is one at ${inContext}`
  throw new UsageError(`${message}; name it with -f ${inContext}`)
}

function missing(where: string): never {
  throw new UsageError(`no Dockerfile ${where}; name it with -f FILE`)
}
