import { lstat, readlink } from 'node:fs/promises'
import { posix } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'
import type { ProcessMount, ProcessSpec } from '../executor.ts'

const MOST_LINKS = 40
/** Mounts of the kernel and the executor: what is there is not known before the process runs. */
const UNKNOWN = ['/proc', '/sys', '/dev']
/** Directories that `execvp` searches without a `PATH`. */
const DEFAULT_PATH = '/bin:/usr/bin'

type Found = 'executable' | 'unknown' | 'missing' | 'directory' | 'not executable'

/**
 * Rejects if the program of a process is not in its root filesystem: what programs such as bubblewrap say about it is
 * not clear, and cannot be told from the output of the process.
 *
 * @param mounts - Mounts at paths that are no links.
 * @throws {@link SandboxError} `ERR_SANDBOX_PROGRAM` that names the program and where it was searched.
 */
export async function assertProgram(
  { root, args, environment, workdir }: Pick<ProcessSpec, 'root' | 'args' | 'environment' | 'workdir'>,
  mounts: readonly ProcessMount[],
): Promise<void> {
  const [program = ''] = args
  const view = new ProgramView(root, mounts)
  if (program.includes('/')) {
    const found = await view.look(posix.resolve(workdir, program))
    if (found === 'executable' || found === 'unknown') return
    throw programFault(program, found === 'missing' ? 'does not exist' : `is ${withArticle(found)}`)
  }
  const path = environment.findLast(variable => variable.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH
  for (const directory of path.split(':')) {
    const found = await view.look(posix.resolve(workdir, directory, program))
    if (program !== '' && (found === 'executable' || found === 'unknown')) return
  }
  throw programFault(program, `is in none of the directories of PATH: ${path}`)
}

/** The error for a program that cannot be executed. */
export function programFault(program: string, problem: string, cause?: unknown): SandboxError {
  const message = `the program ${JSON.stringify(program)} ${problem} in the root filesystem`
  return new SandboxError('ERR_SANDBOX_PROGRAM', message.replace(/(PATH: .*) in the root filesystem$/s, '$1'), {
    cause,
  })
}

function withArticle(found: Found): string {
  return found === 'directory' ? 'a directory' : found
}

/** The files that a process sees: its root filesystem and mounts, links resolved inside the root. */
class ProgramView {
  readonly #root: string
  readonly #mounts: readonly ProcessMount[]

  constructor(root: string, mounts: readonly ProcessMount[]) {
    this.#root = root
    this.#mounts = [...mounts].reverse()
  }

  async look(target: string): Promise<Found> {
    const missing = namesOf(target)
    let path = ''
    for (let links = 0; missing.length > 0; ) {
      const name = missing.shift() as string
      const at = name === '..' ? posix.dirname(path || '/') : `${path}/${name}`
      const place = this.#placeOf(at)
      if (place === 'unknown') return 'unknown'
      const stats = place === undefined ? undefined : await lstat(place).catch(() => undefined)
      if (!stats) return 'missing'
      if (stats.isSymbolicLink()) {
        if (++links > MOST_LINKS) return 'missing'
        const to = await readlink(place as string)
        if (to.startsWith('/')) path = ''
        missing.unshift(...namesOf(to))
        continue
      }
      if (missing.length === 0) return kindOf(stats)
      if (!stats.isDirectory()) return 'missing'
      path = at === '/' ? '' : at
    }
    return 'directory'
  }

  /** Path on this machine of a path inside the root. */
  #placeOf(path: string): string | 'unknown' | undefined {
    const mount = this.#mounts.find(({ target }) => path === target || path.startsWith(`${target}/`))
    if (mount) return mount.type === 'bind' ? mount.source + path.slice(mount.target.length) : undefined
    return UNKNOWN.some(at => path === at || path.startsWith(`${at}/`)) ? 'unknown' : this.#root + path
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.')
}

function kindOf(stats: Awaited<ReturnType<typeof lstat>>): Found {
  if (stats.isDirectory()) return 'directory'
  return (Number(stats.mode) & 0o111) === 0 ? 'not executable' : 'executable'
}
