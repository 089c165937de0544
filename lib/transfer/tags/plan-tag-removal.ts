import pLimit from 'p-limit'
import { type Digest, verifyBytes } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import {
  Annotation,
  type Descriptor,
  formatReference,
  type ImageDocument,
  isConfigType,
  Limits,
  parseConfig,
  parseImageDocument,
  parseReference,
  type Repository,
} from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'

/** Options of {@link planTagRemoval}. */
export interface PlanTagRemovalOptions extends AbortOptions {
  /** Number of images to keep: the newest ones. All tags of a kept image are kept. */
  readonly keepLast: number
  /**
   * Pattern of the tags to look at; `*` matches any characters. Other tags are kept, and so are their images.
   * @defaultValue `*`
   */
  readonly match?: string | undefined
}

/** A tag, its image, and whether it stays. */
export interface PlannedTag {
  /** The tag. */
  readonly tag: string
  /** Digest of the image. */
  readonly digest: Digest
  /** Creation time as the image states it, RFC 3339; absent if it states none. */
  readonly created?: string
  /** Reason, as readable text. */
  readonly reason: string
}

/** Plan of a removal of tags. Plain JSON. */
export interface TagRemovalPlan {
  /** Version of the format. */
  readonly version: 1
  /** Discriminant. */
  readonly kind: 'tag-removal'
  /** The repository, as `registry/repository`. */
  readonly repository: string
  /** Tags that stay, newest first. */
  readonly keep: readonly PlannedTag[]
  /** Tags that go, newest first. */
  readonly remove: readonly PlannedTag[]
}

interface FoundTag {
  readonly tag: string
  readonly digest: Digest
  readonly created: string | undefined
}

/** PERF: number of tags asked about at once; the client bounds the requests besides. */
const AT_ONCE = 8

/**
 * Plans the removal of old tags of a repository: the newest `keepLast` images stay with all their tags. Asks for every
 * tag that `match` fits, and changes nothing.
 *
 * The newest image is the one with the latest creation time (annotation `org.opencontainers.image.created`, else the
 * config). Reproducible images state one time for all; among equal times the tags are ordered as people read them
 * (`build-9` before `build-10`), and the last is the newest.
 *
 * @example
 * ```ts
 * const old = await planTagRemoval(registry, 'ghcr.io/team/app', { keepLast: 5, match: 'build-*' })
 * await runTagRemoval(registry, old)
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`, `ERR_INVALID_REFERENCE`; {@link RegistryError}.
 */
export async function planTagRemoval(
  registry: RegistryClient,
  repository: string | Repository,
  options: PlanTagRemovalOptions,
): Promise<TagRemovalPlan> {
  const { keepLast, match = '*', signal } = options
  if (!Number.isInteger(keepLast) || keepLast < 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `keepLast must be a whole number from 1 on, is ${keepLast}`)
  }
  const at = typeof repository === 'string' ? repositoryIn(repository) : repository
  const pattern = patternOf(match)
  const [fitting, others]: [string[], string[]] = [[], []]
  for await (const tag of registry.listTags(at, { signal })) (pattern.test(tag) ? fitting : others).push(tag)
  const limit = pLimit(AT_ONCE)
  const found = await Promise.all(fitting.map(tag => limit(() => findTag(registry, at, tag, { signal }))))
  const named = await Promise.all(others.map(tag => limit(() => digestOfTag(registry, at, tag, { signal }))))
  return choose(formatReference(at), found.flat(), named.flat(), keepLast)
}

function repositoryIn(text: string): Repository {
  const { registry, repository, tag, digest } = parseReference(text)
  if (digest === undefined && !text.endsWith(`:${tag}`)) return { registry, repository }
  throw new FormatError('ERR_INVALID_ARGUMENT', `expected a repository without tag and digest: ${text}`)
}

function patternOf(match: string): RegExp {
  const parts = match.split('*').map(part => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}

/** An empty list if the tag was deleted meanwhile. */
async function findTag(
  registry: RegistryClient,
  at: Repository,
  tag: string,
  options: AbortOptions,
): Promise<FoundTag[]> {
  const fetched = await unlessGone(() => registry.fetchManifest({ ...at, tag }, options))
  if (!fetched) return []
  const { descriptor, bytes } = fetched
  const created = await createdOf(registry, at, parseImageDocument(bytes, descriptor.mediaType), options)
  return [{ tag, digest: descriptor.digest, created }]
}

async function digestOfTag(
  registry: RegistryClient,
  at: Repository,
  tag: string,
  options: AbortOptions,
): Promise<FoundTag[]> {
  const found = await unlessGone(() => registry.resolve({ ...at, tag }, options))
  return found ? [{ tag, digest: found.digest, created: undefined }] : []
}

async function unlessGone<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_MANIFEST_NOT_FOUND') return undefined
    throw error
  }
}

/** The creation time that an image states; of an index, that of its first image. */
async function createdOf(
  registry: RegistryClient,
  at: Repository,
  document: ImageDocument,
  options: AbortOptions,
): Promise<string | undefined> {
  const { annotations } = document.kind === 'index' ? document.index : document.manifest
  const noted =
    annotations && Object.hasOwn(annotations, Annotation.Created) ? annotations[Annotation.Created] : undefined
  if (noted !== undefined && isTime(noted)) return noted
  if (document.kind === 'manifest') return createdIn(registry, at, document.manifest.config, options)
  const first = document.index.manifests.find(({ platform }) => platform?.os !== 'unknown')
  if (!first) return undefined
  const fetched = await unlessGone(() => registry.fetchManifest({ ...at, digest: first.digest }, options))
  const below = fetched && parseImageDocument(fetched.bytes, first.mediaType)
  return below?.kind === 'manifest' ? createdIn(registry, at, below.manifest.config, options) : undefined
}

async function createdIn(
  registry: RegistryClient,
  at: Repository,
  config: Descriptor,
  options: AbortOptions,
): Promise<string | undefined> {
  if (!isConfigType(config.mediaType)) return undefined
  const content = verifyBytes(registry.fetchBlob(at, config, options), config)
  const { created } = parseConfig(await collectBytes(content, Limits.configBytes, 'image config bytes'))
  return created !== undefined && isTime(created) ? created : undefined
}

function isTime(text: string): boolean {
  return Number.isFinite(Date.parse(text))
}

function choose(
  repository: string,
  found: readonly FoundTag[],
  others: readonly FoundTag[],
  keepLast: number,
): TagRemovalPlan {
  const newest = [...found].sort((a, b) => timeOf(b) - timeOf(a) || READING_ORDER.compare(b.tag, a.tag))
  const kept = new Set<Digest>([...new Set(newest.map(({ digest }) => digest))].slice(0, keepLast))
  const images = kept.size
  const keep = newest
    .filter(({ digest }) => kept.has(digest))
    .map(tag => planned(tag, `one of the last ${images} images`))
  const remove = newest
    .filter(({ digest }) => !kept.has(digest))
    .map(tag => planned(tag, `older than the last ${images} images`))
  const rest = others.map(tag => planned(tag, 'not looked at'))
  return { version: 1, kind: 'tag-removal', repository, keep: [...keep, ...rest], remove }
}

const READING_ORDER = new Intl.Collator('en', { numeric: true })

function timeOf({ created }: FoundTag): number {
  return created === undefined ? 0 : Date.parse(created)
}

function planned({ tag, digest, created }: FoundTag, reason: string): PlannedTag {
  return { tag, digest, ...(created === undefined ? {} : { created }), reason }
}
