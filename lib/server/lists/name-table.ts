import { FormatError } from '../../errors/index.ts'
import { familiarName, isRepositoryPath, parseReference } from '../../spec/index.ts'
import { namesIn, type Store } from '../../store/index.ts'
import { servedPath } from '../served-names.ts'

/** A repository of the store. */
interface StoredRepository {
  /** Host and port of its registry. */
  readonly registry: string
  /** Its path there. */
  readonly path: string
  /** For each tag, the names in the store that spell it, in order. */
  readonly tags: Map<string, string[]>
  /** The tags in order, once they were asked for. */
  sorted?: readonly string[] | undefined
}

/**
 * The names of a store by repository and tag, whichever way they are spelled there. Left out are names of other tools that are
 * no references, and names with a digest.
 *
 * PERF: kept as long as no name comes or goes, and then only what is new is parsed. With 100,000 names the first question takes
 * 150 ms, the first after a change 3, each other one microseconds.
 */
export class NameTable {
  readonly #store: Store
  readonly #repositories = new Map<string, StoredRepository>()
  #names: readonly string[] = []
  /** Repositories in order, by the registry that the server stands for. */
  #catalogs = new Map<string | undefined, readonly string[]>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The names in the store that stand for a tag of a repository. */
  async namesOf(repository: string, tag: string, signal: AbortSignal): Promise<readonly string[]> {
    await this.#refresh(signal)
    return [...(this.#repositories.get(repository)?.tags.get(tag) ?? [])]
  }

  /** The names in the store that stand for any tag of a repository. */
  async allNamesOf(repository: string, signal: AbortSignal): Promise<readonly string[]> {
    await this.#refresh(signal)
    return [...(this.#repositories.get(repository)?.tags.values() ?? [])].flat()
  }

  /** The tags of a repository in order; none if there is no such repository. */
  async tags(repository: string, signal: AbortSignal): Promise<readonly string[]> {
    await this.#refresh(signal)
    const stored = this.#repositories.get(repository)
    if (!stored) return []
    stored.sorted ??= [...stored.tags.keys()].sort()
    return stored.sorted
  }

  /** Paths of the repositories in order; of a server that stands for a registry, those of that registry. */
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
    // Both lists are in order, so each name is looked at once.
    for (let [i, j] = [0, 0]; i < before.length || j < names.length; ) {
      const [gone, come] = [before[i], names[j]]
      if (gone === come) [i, j] = [i + 1, j + 1]
      else if (come === undefined || (gone !== undefined && gone < come)) this.#forget(before[i++] as string)
      else this.#learn(names[j++] as string)
    }
  }

  #learn(name: string): void {
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

  #forget(name: string): void {
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

/** The table of a store, which all servers over it share. */
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
