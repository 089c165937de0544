import { mkdir, realpath, rm, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { GitSource } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'
import { cleanGitDirectory } from './clean-git-directory.ts'
import { fetchFault } from './fetch-fault.ts'
import type { GitCommit } from './resolve-commit.ts'
import { type GitRun, type RunGitOptions, runGit } from './run-git.ts'
import { runRemoteGit } from './run-remote-git.ts'

/** A commit as files. */
export interface CheckedOut {
  /** Real path of the directory that the source names. */
  readonly root: string
  /** Time of the commit, in seconds since 1970. */
  readonly time: number
  /** True if the directory has a `.git` that belongs to the files. */
  readonly keepsGit: boolean
}

/**
 * Fetches a commit into an empty directory and checks it out, with its submodules. Only this commit is fetched where
 * the server allows it. No program of the repository runs.
 *
 * @throws {@link BuildError} `ERR_BUILD_FETCH`; `ERR_BUILD_SOURCE_NOT_FOUND` for a subdirectory that is missing.
 */
export async function checkOut(
  source: GitSource,
  commit: GitCommit,
  { directory, ...options }: RunGitOptions & { readonly directory: string },
): Promise<CheckedOut> {
  await mkdir(directory)
  const git = async (...args: string[]): Promise<GitRun> => {
    const isRemote = args[0] === 'submodule'
    const run = isRemote
      ? await runRemoteGit(source, args, { ...options, directory })
      : await runGit(args, { ...options, directory })
    if (run.code !== 0) throw fetchFault(source, `git ${args[0]} failed: ${run.messages || `exit code ${run.code}`}`)
    return run
  }
  await git('init', '--quiet')
  await git('config', 'remote.origin.url', source.git)
  await fetchCommit(source, commit, { ...options, directory })
  await git('checkout', '--quiet', '--force', '--detach', commit.commit)
  if (source.submodules !== false && (await hasFile(directory, '.gitmodules'))) {
    await git('submodule', 'update', '--init', '--recursive', '--depth=1', '--progress')
  }
  const time = Number((await git('show', '--no-patch', '--format=%ct', commit.commit)).output.trim()) || 0
  const subdirectory = source.subdirectory?.replace(/^\/+|\/+$/g, '') ?? ''
  const keepsGit = source.keepGitDirectory === true && /^\.?$/.test(subdirectory)
  const gitDirectory = join(directory, '.git')
  if (keepsGit) {
    await cleanGitDirectory(gitDirectory)
    // Written anew, the index has no times and inodes of this machine.
    await rm(join(gitDirectory, 'index'), { force: true })
    await git('read-tree', 'HEAD')
  } else {
    // SAFETY: its files name the address with its password, and the subdirectory may be in it: `#main:.git`.
    await rm(gitDirectory, { recursive: true })
  }
  return { root: await directoryIn(source, directory, subdirectory), time, keepsGit }
}

async function hasFile(directory: string, name: string): Promise<boolean> {
  return stat(join(directory, name)).then(
    found => found.isFile(),
    () => false,
  )
}

/** Ways to fetch a commit, cheapest first: servers may refuse ids, and the plain protocol of HTTP knows no depth. */
async function fetchCommit(source: GitSource, { commit, ref }: GitCommit, options: RunGitOptions): Promise<void> {
  const all = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
  const ways = [
    ['--depth=1', '--', 'origin', commit],
    ...(ref === undefined ? [] : [['--depth=1', '--', 'origin', ref]]),
    ['--', 'origin', ...all],
  ]
  let messages = ''
  for (const way of ways) {
    const run = await runRemoteGit(
      source,
      ['fetch', '--progress', '--no-tags', '--no-recurse-submodules', ...way],
      options,
    )
    if (run.code !== 0) messages = run.messages
    const { code } = await runGit(['cat-file', '-e', `${commit}^{commit}`], options)
    if (code === 0) return
  }
  throw fetchFault(source, `the commit ${commit} cannot be fetched${messages && `: ${messages}`}`)
}

/** SAFETY: a link of the repository may lead out of it. */
async function directoryIn(source: GitSource, directory: string, subdirectory: string): Promise<string> {
  const top = await realpath(directory)
  const root = await realpath(join(top, subdirectory)).catch(() => undefined)
  const isInside = root !== undefined && (root === top || root.startsWith(top + sep))
  if (isInside && (await stat(root)).isDirectory()) return root
  const message = `the git repository ${withoutCredentials(source.git)} has no directory ${JSON.stringify(subdirectory)}`
  throw new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', message, { path: subdirectory })
}
