import { FormatError } from '../errors/index.ts'
import { familiarName, isRepositoryPath, parseReference, type Repository } from '../oci/index.ts'

/** Names of one repository. */
export interface RepositoryNames {
  /** Name in the store, e.g. `node` or `ghcr.io/o/app`. */
  readonly repository: string
  /** Name in paths; without the registry on a mirror of that registry. */
  readonly path: string
}

const DOCKER_HUB = 'docker.io/'

/**
 * Resolves the repository name of a path. `node`, `library/node` and `docker.io/library/node` are one repository,
 * because they are one name in the store. On a mirror of `registry` every path belongs to that registry.
 *
 * SPEC: `a.b_c/app` is a valid repository (distribution-spec, pulling manifests), but as a reference it would begin
 * with a malformed host `a.b_c`. Its name in the store is `docker.io/a.b_c/app`.
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

/** Name of a stored repository in paths; `registry` is the mirrored registry, if any. */
export function servedPath(parts: Repository, registry: string | undefined): string {
  return registry === undefined || parts.registry === 'docker.io' ? shortPath(familiarName(parts)) : parts.repository
}

function shortPath(repository: string): string {
  const rest = repository.slice(DOCKER_HUB.length)
  return repository.startsWith(DOCKER_HUB) && !isNameOfImage(rest) ? rest : repository
}

/** Registry and path of a repository, from its name in the store. */
export function locate(repository: string): Repository {
  const { registry, repository: path } = parseReference(`${repository}:tag`)
  return { registry, repository: path }
}
