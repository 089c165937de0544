import type { GitSource } from '../../dockerfile/index.ts'
import { fetchFault } from './fetch-fault.ts'
import { type GitRun, type RunGitOptions, runGit } from './run-git.ts'

/** As with HTTP. Git limits HTTP and ssh only; a silent server of `git://` would hold a build forever. */
const SILENT_MS = 60_000
/** For commands with limits of git: some print nothing, as a fetch from plain files does and a large checkout. */
const LIMITED_SILENT_MS = 600_000

/**
 * Runs a command of git that asks a repository. One that prints nothing for a minute, with HTTP and ssh for ten, is
 * killed; a fetch from a git server prints its progress at least once a second while it receives.
 *
 * @throws {@link BuildError} `ERR_BUILD_FETCH` if the repository was silent.
 */
export async function runRemoteGit(
  source: GitSource,
  args: readonly string[],
  { silentMs = isUnlimited(source, args) ? SILENT_MS : LIMITED_SILENT_MS, ...options }: RunGitOptions,
): Promise<GitRun> {
  const run = await runGit(args, { ...options, silentMs })
  if (!run.wasSilent) return { ...run, messages: withoutUser(run.messages, source) }
  const time = `${Math.round(silentMs / 100) / 10} s`
  throw fetchFault(source, `its server sent nothing for ${time} (git ${args[0]}); check the address, or try again`)
}

/** Submodules have addresses of their own, and are checked out by the same command. */
function isUnlimited({ git }: GitSource, [command]: readonly string[]): boolean {
  return /^git:/i.test(git) && command !== 'submodule'
}

/** SAFETY: git shows the part of an address that it takes for a host, with the password and without `git://`. */
function withoutUser(messages: string, { git }: GitSource): string {
  const user = /^[a-z+]+:\/\/([^/]+)@/i.exec(git)?.[1]
  return user === undefined ? messages : messages.replaceAll(`${user}@`, 'xxxxx:xxxxx@')
}
