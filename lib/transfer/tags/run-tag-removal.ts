import type { Digest } from '../../digest/index.ts'
import { FormatError, RegistryError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { parseImageDocument, parseReference, type Repository } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { PlannedTag, TagRemovalPlan } from './plan-tag-removal.ts'

/** Options of {@link runTagRemoval}. */
export interface RunTagRemovalOptions extends AbortOptions {
  /**
   * Delete the manifests, each with all its tags, instead of the tags. For registries that do not delete tags. A
   * manifest that a kept tag names is not deleted. @defaultValue `false`
   */
  readonly digests?: boolean | undefined
}

/** Result of a removal of tags. */
export interface TagRemovalResult {
  /** Tags that are gone. */
  readonly removed: readonly string[]
  /** Digests of the deleted manifests; empty if only tags were deleted. */
  readonly deleted: readonly Digest[]
  /** Planned tags that were left alone, because they name another image now. */
  readonly moved: readonly string[]
}

/**
 * Runs a plan: deletes the tags one by one, oldest first. A tag that names another image than when the plan was made is
 * left alone. The registry itself frees the blobs.
 *
 * @throws {@link RegistryError} `ERR_TAG_DELETION_UNSUPPORTED` if the registry deletes no tags (see `digests`), and
 * others; the tags before are gone then, and the call can be repeated.
 */
export async function runTagRemoval(
  registry: RegistryClient,
  plan: TagRemovalPlan,
  options: RunTagRemovalOptions = {},
): Promise<TagRemovalResult> {
  if (plan.kind !== 'tag-removal' || plan.version !== 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'not a plan of version 1 for the removal of tags')
  }
  const { registry: host, repository } = parseReference(plan.repository)
  const at = { registry: host, repository }
  const [removed, moved]: [string[], string[]] = [[], []]
  const going: PlannedTag[] = []
  for (const planned of [...plan.remove].reverse()) {
    const now = await digestNow(registry, at, planned.tag, options)
    if (now === planned.digest) going.push(planned)
    else if (now !== undefined) moved.push(planned.tag)
  }
  const deleted = options.digests ? await deleteManifests(registry, at, plan, { going, moved }, options) : []
  for (const { tag, digest } of going) {
    if (!options.digests) await registry.deleteTag(at, tag, options)
    if (!options.digests || deleted.includes(digest)) removed.push(tag)
  }
  return { removed, deleted, moved }
}

/** Deletes the manifests that no other tag needs. */
async function deleteManifests(
  registry: RegistryClient,
  at: Repository,
  { keep }: TagRemovalPlan,
  { going, moved }: { readonly going: readonly PlannedTag[]; readonly moved: readonly string[] },
  options: AbortOptions,
): Promise<Digest[]> {
  const needed = new Set<Digest>(keep.map(({ digest }) => digest))
  // A tag that moved meanwhile may name an image that is to go.
  for (const tag of moved) {
    const now = await digestNow(registry, at, tag, options)
    if (now) needed.add(now)
  }
  for (const digest of [...needed])
    for (const below of await entriesOf(registry, at, digest, options)) needed.add(below)
  const digests = [...new Set(going.map(({ digest }) => digest))].filter(digest => !needed.has(digest))
  for (const digest of digests) await registry.deleteManifest(at, digest, options)
  return digests
}

/** The manifests of an index: deleting one would break every tag of the index. */
async function entriesOf(
  registry: RegistryClient,
  at: Repository,
  digest: Digest,
  { signal }: AbortOptions,
): Promise<Digest[]> {
  const { descriptor, bytes } = await registry.fetchManifest({ ...at, digest }, { signal })
  const document = parseImageDocument(bytes, descriptor.mediaType)
  return document.kind === 'index' ? document.index.manifests.map(entry => entry.digest) : []
}

async function digestNow(
  registry: RegistryClient,
  at: Repository,
  tag: string,
  { signal }: AbortOptions,
): Promise<Digest | undefined> {
  try {
    return (await registry.resolve({ ...at, tag }, { signal })).digest
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_MANIFEST_NOT_FOUND') return undefined
    throw error
  }
}
