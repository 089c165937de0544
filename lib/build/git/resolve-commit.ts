import type { GitSource } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import { fetchFault } from './fetch-fault.ts'
import type { RunGitOptions } from './run-git.ts'

/** A commit of a repository. */
export interface GitCommit {
  /** Full id. */
  readonly commit: string
  /** Full name of the branch or tag that leads to it; absent if the source names the commit itself. */
  readonly ref?: string | undefined
}

const FULL_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/** Returns the commit of a source that names it by its full id; `undefined` if the repository must be asked. */
export function namedCommit({ ref, checksum }: GitSource): GitCommit | undefined {
  if (ref !== undefined) return FULL_ID.test(ref) ? { commit: ref } : undefined
  return checksum !== undefined && FULL_ID.test(checksum) ? { commit: checksum } : undefined
}

/**
 * Asks a repository for the commit of a source: of its branch or tag, else of `HEAD`. Nothing is fetched.
 *
 * @throws {@link BuildError} `ERR_BUILD_FETCH` if the repository does not answer, has no such ref, or if the ref leads
 * to another commit than `checksum` says; `ERR_BUILD_INVALID_STEP` for an address or a ref that git might misread.
 */
export async function resolveCommit(source: GitSource, options: RunGitOptions): Promise<GitCommit> {
  assertPlain(source)
  const found = namedCommit(source) ?? (await askFor(source, options))
  const { checksum } = source
  if (checksum !== undefined && !found.commit.startsWith(checksum.toLowerCase())) {
    throw fetchFault(source, `${source.ref ?? 'HEAD'} is the commit ${found.commit}, not ${checksum}`)
  }
  return found
}

/** SAFETY: git takes a text that begins with a dash for an option; a ref with a colon is a pair of refs. */
function assertPlain({ git, ref, checksum }: GitSource): void {
  const isPlain = /^(?!-)[^\0-\x20\x7f~^:?*[\\]+$/
  const wrong =
    git.startsWith('-') || /[\0-\x20\x7f]/.test(git)
      ? `address ${JSON.stringify(git)}`
      : ref !== undefined && !isPlain.test(ref)
        ? `ref ${JSON.stringify(ref)}`
        : checksum !== undefined && !/^[0-9a-fA-F]{4,64}$/.test(checksum)
          ? `commit ${JSON.stringify(checksum)}`
          : undefined
  if (wrong !== undefined) throw new BuildError('ERR_BUILD_INVALID_STEP', `not a valid git ${wrong}`)
}

async function askFor(source: GitSource, options: RunGitOptions): Promise<GitCommit> {
  const { git, ref } = source
  const patterns = ref === undefined ? ['HEAD'] : [ref, `${ref}^{}`]
  const { runRemoteGit } = await import('./run-remote-git.ts')
  const { code, output, messages } = await runRemoteGit(source, ['ls-remote', '--', git, ...patterns], options)
  if (code !== 0) throw fetchFault(source, `it cannot be read: ${messages || `git ended with ${code}`}`)
  const commits = new Map<string, string>()
  for (const line of output.split('\n')) {
    const [commit = '', name] = line.split('\t')
    if (name !== undefined && FULL_ID.test(commit)) commits.set(name, commit)
  }
  const names = ref === undefined ? ['HEAD'] : [ref, `refs/tags/${ref}`, `refs/heads/${ref}`, `refs/${ref}`]
  for (const name of names) {
    // An annotated tag is an object of its own; with `^{}` it is the commit.
    const commit = commits.get(`${name}^{}`) ?? commits.get(name)
    if (commit !== undefined) return { commit, ref: name }
  }
  const hint = /^[0-9a-f]{4,39}$/.test(ref ?? '') ? '; write all digits of a commit' : ''
  throw fetchFault(source, `it has no branch or tag ${JSON.stringify(ref ?? 'HEAD')}${hint}`)
}
