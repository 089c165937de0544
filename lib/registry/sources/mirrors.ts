import { FormatError } from '../../errors/index.ts'
import { isRepositoryPath, type Repository } from '../../oci/index.ts'
import type { RegistryMirror } from '../client-options.ts'

/** A parsed mirror setting. */
export interface ParsedMirror {
  readonly location: string
  /** Name of the mirror as a registry. */
  readonly registry: string
  /** Prefix of its repositories. */
  readonly prefix: string
  readonly sendOrigin: boolean
  readonly byDigestOnly: boolean
}

/**
 * Parses the mirrors of a registry.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function parseMirrors(mirrors: readonly (string | RegistryMirror)[] | undefined): readonly ParsedMirror[] {
  return (mirrors ?? []).map(mirror => {
    const {
      location,
      sendOrigin = true,
      byDigestOnly = false,
    } = typeof mirror === 'string' ? { location: mirror } : mirror
    const [registry = '', ...path] = location.split('/')
    const prefix = path.join('/')
    if (registry === '' || (path.length > 0 && !isRepositoryPath(prefix))) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `not a mirror: ${JSON.stringify(location.slice(0, 160))}`)
    }
    return { location, registry, prefix, sendOrigin, byDigestOnly }
  })
}

/** Translates a repository to its name at a mirror. */
export function atMirror({ repository }: Repository, { registry, prefix }: ParsedMirror): Repository {
  return { registry, repository: prefix === '' ? repository : `${prefix}/${repository}` }
}
