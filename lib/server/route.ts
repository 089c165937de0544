import { type Digest, isDigest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import { familiarName, isRepositoryPath, parseReference } from '../spec/index.ts'
import { Fault } from './fault.ts'

/** What a path asks for. `repository` is in the form in which the store names it; see the room's README. */
export type Route =
  | { readonly kind: 'base' | 'catalog' }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads' | 'tags'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }

// A repository may have parts named `blobs` or `manifests`: the last one in the path is the one that counts.
const PATTERNS = {
  manifest: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
  tags: /^\/v2\/(.+)\/tags\/list$/,
  uploads: /^\/v2\/(.+)\/blobs\/uploads\/?$/,
  upload: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
  blob: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
} as const

/** Reads a path, or gives `undefined` for one that this server does not have. Throws {@link Fault} for bad names. */
export function parseRoute(rawPath: string): Route | undefined {
  const path = decoded(rawPath)
  if (path === '/v2' || path === '/v2/') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  for (const [kind, pattern] of Object.entries(PATTERNS) as [keyof typeof PATTERNS, RegExp][]) {
    const match = pattern.exec(path)
    if (match) return routeOf(kind, storeRepository(match[1]!), match[2] ?? '')
  }
  return undefined
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    if (error instanceof URIError)
      throw new Fault(400, { code: 'NAME_INVALID', message: 'malformed escape in the path' })
    throw error
  }
}

function routeOf(kind: keyof typeof PATTERNS, repository: string, last: string): Route {
  switch (kind) {
    case 'manifest':
      // A colon cannot be part of a tag, so this must have been meant as a digest.
      return { kind, repository, reference: last.includes(':') ? wireDigest(last) : last }
    case 'blob':
      return { kind, repository, digest: wireDigest(last) }
    case 'upload':
      return { kind, repository, id: last }
    default:
      return { kind, repository }
  }
}

/** A digest that came over the wire. */
export function wireDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new Fault(400, { code: 'DIGEST_INVALID', message: 'not a digest that this registry can compute' })
}

/**
 * The repository as the store names it. `node`, `library/node` and `docker.io/library/node` are one repository, because
 * they are one name in the store.
 */
function storeRepository(path: string): string {
  const invalid = { code: 'NAME_INVALID', message: 'not the name of a repository' } as const
  if (!isRepositoryPath(path)) throw new Fault(400, invalid)
  try {
    const { registry, repository } = parseReference(`${path}:tag`)
    return familiarName({ registry, repository })
  } catch (error) {
    if (error instanceof FormatError) throw new Fault(400, invalid)
    throw error
  }
}
