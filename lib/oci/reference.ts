import { type Digest, isDigest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'

/** A repository in a registry. */
export interface Repository {
  /** Host, with the port if it is not the default, such as `ghcr.io` or `127.0.0.1:5000`. */
  readonly registry: string
  /** Path in the registry, such as `library/node`. */
  readonly repository: string
}

/**
 * Reference of an image, as users type it. If it has a `digest`, that selects the image; `tag` is then informative
 * only.
 */
export interface Reference extends Repository {
  /** Tag; `latest` if neither tag nor digest was given. */
  readonly tag?: string
  /** Required digest of the image. */
  readonly digest?: Digest
}

const DEFAULT_REGISTRY = 'docker.io'
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const DOMAIN_NAME = /^(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])$/
const IPV6 = /^\[[a-fA-F0-9:]+\]$/
/** SPEC: the path of a repository has at most 255 characters, `library/` included. */
const NAME_LIMIT = 255
/** Limit on the whole text; no valid host, path, tag and digest together are longer. */
const TEXT_LIMIT = 1024

/**
 * Parses an image reference as the Docker tools do: `node` is `docker.io/library/node:latest`, and the first part is a
 * registry only if it looks like a host (it has a dot, a port or an upper-case letter, or is `localhost`).
 *
 * @example
 * ```ts
 * const { registry, repository, tag } = parseReference('node:22') // docker.io, library/node, 22
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`.
 * @see {@link https://github.com/distribution/reference/blob/main/reference.go | the reference grammar}
 */
export function parseReference(text: string): Reference {
  if (typeof text !== 'string') throw invalidArgument('reference', 'a text such as ghcr.io/team/app:1.0', text)
  // SAFETY: a long text could make the patterns below slow. The length is checked before any pattern runs.
  if (text === '') return fail(text, 'it is empty')
  if (text.length > TEXT_LIMIT) return fail(text.slice(0, 80), 'too long')
  // SPEC: rejected only without tag and registry, because only then could it be mistaken for an image id.
  if (/^[0-9a-f]{64}$/.test(text)) return fail(text, 'it looks like an image id, which is not a name')
  const { name, tag, digest } = splitReference(text)
  const repository = splitName(text, name)
  if (tag === undefined && digest === undefined) return { ...repository, tag: 'latest' }
  return { ...repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

function splitReference(text: string): { name: string; tag: string | undefined; digest: Digest | undefined } {
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest)) return fail(text, `${JSON.stringify(digest)} is not a digest`)
  const rest = at < 0 ? text : text.slice(0, at)
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1)
  if (colon < 0) return { name: rest, tag: undefined, digest }
  const tag = rest.slice(colon + 1)
  if (!TAG.test(tag)) return fail(text, `${JSON.stringify(tag)} is not a tag`)
  return { name: rest.slice(0, colon), tag, digest }
}

function splitName(text: string, name: string): Repository {
  const scheme = /^https?:\/\//.exec(text)?.[0]
  if (scheme) return fail(text, `leave ${scheme} out`)
  const slash = name.indexOf('/')
  const first = name.slice(0, slash)
  const hasRegistry = slash >= 0 && looksLikeHost(first)
  const registry = hasRegistry ? first : DEFAULT_REGISTRY
  let repository = hasRegistry ? name.slice(slash + 1) : name
  if (hasRegistry && !isHost(first)) return fail(text, `${JSON.stringify(first)} is not a host`)
  if (!repository.split('/').every(component => PATH_COMPONENT.test(component))) {
    const which = repository === text ? 'it' : JSON.stringify(repository)
    return fail(text, `${which} is not a repository name (lower-case letters, digits, . _ - and /)`)
  }
  const host = registry === 'index.docker.io' ? DEFAULT_REGISTRY : registry
  if (host === DEFAULT_REGISTRY && !repository.includes('/')) repository = `library/${repository}`
  if (repository.length > NAME_LIMIT) return fail(text.slice(0, 80), `name longer than ${NAME_LIMIT}`)
  return { registry: host, repository }
}

/** True if the first part of a name is a registry: a repository never starts with an upper-case letter. */
function looksLikeHost(first: string): boolean {
  return /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first
}

function isHost(text: string): boolean {
  const port = /:([0-9]+)$/.exec(text)
  const host = port ? text.slice(0, port.index) : text
  return IPV6.test(host) || host.split('.').every(label => DOMAIN_NAME.test(label))
}

function fail(text: string, why: string): never {
  throw new FormatError('ERR_INVALID_REFERENCE', `not an image reference: ${JSON.stringify(text)}: ${why}`)
}

/**
 * Returns the reference that a caller gave as text, as {@link parseReference} reads it, or as an object.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE` for a malformed text, `ERR_INVALID_ARGUMENT` for anything else.
 * @internal
 */
export function asReference(given: string | Reference): Reference {
  if (typeof given === 'string') return parseReference(given)
  const { registry, repository } = (given ?? {}) as Partial<Reference>
  if (typeof registry === 'string' && typeof repository === 'string') return given
  throw invalidArgument('reference', 'a text such as ghcr.io/team/app:1.0, or its registry and repository', given)
}

/**
 * Formats the full reference: `registry/repository[:tag][@digest]`.
 *
 * @example
 * ```ts
 * formatReference(parseReference('node:22')) // 'docker.io/library/node:22'
 * ```
 */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`
  return `${reference.registry}/${reference.repository}${tag}${digest}`
}

/**
 * Formats the short form, which stores keep: without `docker.io/` and `library/`. {@link parseReference} of the short
 * form gives the same reference.
 */
export function familiarName(reference: Reference): string {
  const whole = formatReference(reference)
  if (reference.registry !== DEFAULT_REGISTRY) return whole
  const path = whole.slice(DEFAULT_REGISTRY.length + 1)
  const [first, ...rest] = reference.repository.split('/') as [string, ...string[]]
  // SAFETY: `docker.io/example.com/app` must not become `example.com/app`, which names another registry.
  if (rest.length > 0 && looksLikeHost(first)) return whole
  return first === 'library' && rest.length === 1 ? path.slice('library/'.length) : path
}

/**
 * True if a reference begins with a registry, as `ghcr.io/o/app` does; false for `node:22`, which means Docker Hub only
 * because no registry is given. Never throws.
 */
export function namesRegistry(text: string): boolean {
  const slash = text.indexOf('/')
  return slash > 0 && looksLikeHost(text.slice(0, slash))
}

/** True if the text is a valid tag. Never throws. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** True if the text is a valid repository path, without registry. Never throws. */
export function isRepositoryPath(text: string): boolean {
  return text.length <= NAME_LIMIT && text.split('/').every(component => PATH_COMPONENT.test(component))
}
