import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GitSource } from '../../dockerfile/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { CheckedOut } from './check-out.ts'
import { type GitCommit, namedCommit, resolveCommit } from './resolve-commit.ts'

/** Commits of git repositories, each asked for and fetched once. Closing it removes the files. */
export class GitCheckouts<T> {
  readonly #commits = new Map<string, Promise<GitCommit>>()
  readonly #opened = new Map<string, Promise<T>>()
  readonly #open: (files: CheckedOut, source: GitSource) => Promise<T>
  #home: Promise<string> | undefined

  /** @param open - Opens the files of a commit; called once for each source. */
  constructor(open: (files: CheckedOut, source: GitSource) => Promise<T>) {
    this.#open = open
  }

  /** Returns the commit of a source if no repository must be asked for it. */
  knownCommit(source: GitSource): Promise<GitCommit> | GitCommit | undefined {
    return this.#commits.get(keyOf(source)) ?? namedCommit(source)
  }

  /** Resolves to the commit of a source. */
  commit(source: GitSource, { signal }: AbortOptions): Promise<GitCommit> {
    return once(this.#commits, keyOf(source), async () =>
      resolveCommit(source, { home: await this.#makeHome(), signal }),
    )
  }

  /** Fetches the commit of a source, and resolves to its opened files. */
  files(source: GitSource, { signal }: AbortOptions): Promise<T> {
    return once(this.#opened, keyOf(source), async () => {
      const commit = await this.commit(source, { signal })
      const home = await this.#makeHome()
      const directory = join(await mkdtemp(join(home, 'checkout-')), 'files')
      const { checkOut } = await import('./check-out.ts')
      return this.#open(await checkOut(source, commit, { home, directory, signal }), source)
    })
  }

  /** Removes all files. What was opened cannot be used any more; a later call fetches anew. */
  async close(): Promise<void> {
    const home = this.#home
    this.#home = undefined
    this.#commits.clear()
    this.#opened.clear()
    if (home) await rm(await home, { recursive: true, force: true })
  }

  #makeHome(): Promise<string> {
    this.#home ??= (async () => {
      const home = await mkdtemp(join(tmpdir(), 'layerstore-git-'))
      // PERF: most builds have no source in git, and do not load what starts processes.
      const { writeGitHome } = await import('./run-git.ts')
      await writeGitHome(home)
      return home
    })()
    return this.#home
  }
}

function keyOf({ git, ref, checksum, subdirectory, keepGitDirectory, submodules }: GitSource): string {
  return JSON.stringify([git, ref, checksum, subdirectory, keepGitDirectory, submodules])
}

/** Remembers work under a key. What failed or was aborted is done again by the next caller. */
function once<T>(map: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  const known = map.get(key)
  if (known) return known
  const begun = work()
  map.set(key, begun)
  begun.catch(() => map.delete(key))
  return begun
}
