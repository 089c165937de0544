import { type Digest, isDigest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import { isRepositoryPath } from '../oci/index.ts'
import { Fault } from './fault.ts'
import { type RepositoryNames, repositoryNames } from './served-names.ts'

/** Endpoint that a path addresses, with its repository. */
export type Route =
  | { readonly kind: 'base' | 'catalog' }
  | ({ readonly kind: 'manifest'; readonly reference: string } & RepositoryNames)
  | ({ readonly kind: 'blob' | 'referrers'; readonly digest: Digest } & RepositoryNames)
  | ({ readonly kind: 'uploads' | 'tags' } & RepositoryNames)
  | ({ readonly kind: 'upload'; readonly id: string } & RepositoryNames)

// A repository may have components named `blobs` or `manifests`: the greedy `.+` makes the last one in the path count.
const PATTERNS = {
  manifest: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
  referrers: /^\/v2\/(.+)\/referrers\/([^/]+)$/,
  tags: /^\/v2\/(.+)\/tags\/list$/,
  uploads: /^\/v2\/(.+)\/blobs\/uploads\/?$/,
  upload: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
  blob: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
} as const

/**
 * Parses a path; `undefined` for a path that is no endpoint. Throws {@link Fault} for an invalid name or digest.
 * `registry` is the mirrored registry, if any; see {@link repositoryNames}.
 */
export function parseRoute(rawPath: string, registry?: string): Route | undefined {
  const path = decoded(rawPath)
  if (path === '/v2' || path === '/v2/') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  for (const [kind, pattern] of Object.entries(PATTERNS) as [keyof typeof PATTERNS, RegExp][]) {
    const match = pattern.exec(path)
    if (match) return routeOf(kind, namesIn(match[1]!, registry), match[2] ?? '')
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

function routeOf(kind: keyof typeof PATTERNS, names: RepositoryNames, last: string): Route {
  switch (kind) {
    case 'manifest':
      // A tag cannot contain a colon, so a reference with one is a digest.
      return { kind, ...names, reference: last.includes(':') ? wireDigest(last) : last }
    case 'blob':
    case 'referrers':
      return { kind, ...names, digest: wireDigest(last) }
    case 'upload':
      return { kind, ...names, id: last }
    default:
      return { kind, ...names }
  }
}

/** Checks a digest that a client sent; throws {@link Fault} if it is malformed or of an unsupported algorithm. */
export function wireDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new Fault(400, {
    code: 'DIGEST_INVALID',
    message: 'not a digest of a supported algorithm (sha256, sha512, blake3)',
  })
}

function namesIn(path: string, registry: string | undefined): RepositoryNames {
  const invalid = { code: 'NAME_INVALID', message: 'invalid repository name' } as const
  if (!isRepositoryPath(path)) throw new Fault(400, invalid)
  try {
    return repositoryNames(path, registry)
  } catch (error) {
    if (error instanceof FormatError) throw new Fault(400, invalid)
    throw error
  }
}
