import { FormatError } from '../errors/index.ts'
import { familiarName, isRepositoryPath, parseReference, type Repository } from '../spec/index.ts'

/** A repository in paths and in the store. */
export interface RepositoryNames {
  /** As the store names it, e.g. `node` or `ghcr.io/o/app`. */
  readonly repository: string
  /** As it stands in paths: without the registry, if the server stands for one. */
  readonly path: string
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
  const { tag: _tag, digest: _digest, ...parts } = parseReference(`${prefix}${path}:tag`)
  return { repository: familiarName(parts), path: servedPath(parts, registry) }
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

/** How a repository of the store is called in paths, by a server that stands for a `registry` or for none. */
export function servedPath(parts: Repository, registry: string | undefined): string {
  return registry === undefined || parts.registry === 'docker.io' ? shortPath(familiarName(parts)) : parts.repository
}

function shortPath(repository: string): string {
  const rest = repository.slice(DOCKER_HUB.length)
  return repository.startsWith(DOCKER_HUB) && !isNameOfImage(rest) ? rest : repository
}

/** Where a repository of the store is to be found. */
export function locate(repository: string): Repository {
  const { registry, repository: path } = parseReference(`${repository}:tag`)
  return { registry, repository: path }
}
