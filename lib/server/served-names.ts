import { FormatError } from '../errors/index.ts'
import { type Descriptor, familiarName, isRepositoryPath, parseReference, type Repository } from '../spec/index.ts'
import type { NamedDescriptor, Store } from '../store/index.ts'

/** A repository in paths and in the store. */
export interface RepositoryNames {
  /** As the store names it, e.g. `node` or `ghcr.io/o/app`. */
  readonly repository: string
  /** As it stands in paths: without the registry, if the server stands for one. */
  readonly path: string
}

/** A name of the store as the registry serves it. */
export interface ServedName extends NamedDescriptor, RepositoryNames {
  readonly tag: string
}

const DOCKER_HUB = 'docker.io/'

/**
 * What a repository is called that stands in a path. `node`, `library/node` and `docker.io/library/node` are one
 * repository, because they are one name in the store. A server that stands for a `registry` has its repositories only.
 *
 * SPEC: `a.b_c/app` may be a repository (distribution-spec, pulling manifests), but at the beginning of a reference `a.b_c` is a
 * malformed host. In the store it is `docker.io/a.b_c/app`.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`.
 */
export function repositoryNames(path: string, registry: string | undefined): RepositoryNames {
  const isPlain = registry === undefined && !isNameOfImage(path) && isRepositoryPath(path)
  const prefix = registry === undefined ? (isPlain ? DOCKER_HUB : '') : `${registry}/`
  return namesOf(`${prefix}${path}:tag`, registry)
}

function isNameOfImage(text: string): boolean {
  try {
    parseReference(`${text}:tag`)
    return true
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}

function namesOf(reference: string, registry: string | undefined): RepositoryNames & { readonly registry: string } {
  const { tag: _tag, digest: _digest, ...parts } = parseReference(reference)
  const repository = familiarName(parts)
  const isShort = registry === undefined || parts.registry === 'docker.io'
  const path = isShort ? shortPath(repository) : parts.repository
  return { repository, path, registry: parts.registry }
}

function shortPath(repository: string): string {
  const rest = repository.slice(DOCKER_HUB.length)
  return repository.startsWith(DOCKER_HUB) && !isNameOfImage(rest) ? rest : repository
}

/**
 * The names of the store that have a repository and a tag. Left out are names of other tools that are no references,
 * names with a digest, those that no repository in a path can be called, and those of other registries than the one that
 * the server stands for.
 */
export async function* servedNames(
  store: Store,
  registry: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServedName, void, undefined> {
  for await (const named of store.references.list({ signal })) {
    const served = servedAs(named.name, registry)
    if (served) yield { ...named, ...served }
  }
}

function servedAs(name: string, only: string | undefined): (RepositoryNames & { readonly tag: string }) | undefined {
  try {
    const { tag, digest } = parseReference(name)
    const { registry, repository, path } = namesOf(name, only)
    if (tag === undefined || digest !== undefined || !isRepositoryPath(path)) return undefined
    return only === undefined || registry === parseReference(`${only}/x`).registry
      ? { repository, path, tag }
      : undefined
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

/** Where a repository of the store is to be found. */
export function locate(repository: string): Repository {
  const { registry, repository: path } = parseReference(`${repository}:tag`)
  return { registry, repository: path }
}

/** What a tag stands for, whichever way the store spells it. */
export async function findTag(
  store: Store,
  repository: string,
  tag: string,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  const direct = await store.references.get(`${repository}:${tag}`, { signal })
  if (direct) return direct
  // Other tools write `docker.io/library/node:22` or `node` into the same index.
  for await (const name of servedNames(store, undefined, signal)) {
    if (name.repository === repository && name.tag === tag) return name.descriptor
  }
  return undefined
}
