import { type Digest, isDigest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import { isRepositoryPath } from '../spec/index.ts'
import { Fault } from './fault.ts'
import { type RepositoryNames, repositoryNames } from './served-names.ts'

/** What a path asks for, and of which repository. */
export type Route =
  | { readonly kind: 'base' | 'catalog' }
  | ({ readonly kind: 'manifest'; readonly reference: string } & RepositoryNames)
  | ({ readonly kind: 'blob' | 'referrers'; readonly digest: Digest } & RepositoryNames)
  | ({ readonly kind: 'uploads' | 'tags' } & RepositoryNames)
  | ({ readonly kind: 'upload'; readonly id: string } & RepositoryNames)

// A repository may have parts named `blobs` or `manifests`: the last one in the path is the one that counts.
const PATTERNS = {
  manifest: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
  referrers: /^\/v2\/(.+)\/referrers\/([^/]+)$/,
  tags: /^\/v2\/(.+)\/tags\/list$/,
  uploads: /^\/v2\/(.+)\/blobs\/uploads\/?$/,
  upload: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
  blob: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
} as const

/**
 * Reads a path, or gives `undefined` for one that this server does not have. Throws {@link Fault} for bad names.
 * `registry` is the one that the server stands for; see {@link repositoryNames}.
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
      // A colon cannot be part of a tag, so this must have been meant as a digest.
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

/** A digest that came over the wire. */
export function wireDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new Fault(400, { code: 'DIGEST_INVALID', message: 'not a digest that this registry can compute' })
}

function namesIn(path: string, registry: string | undefined): RepositoryNames {
  const invalid = { code: 'NAME_INVALID', message: 'not the name of a repository' } as const
  if (!isRepositoryPath(path)) throw new Fault(400, invalid)
  try {
    return repositoryNames(path, registry)
  } catch (error) {
    if (error instanceof FormatError) throw new Fault(400, invalid)
    throw error
  }
}
