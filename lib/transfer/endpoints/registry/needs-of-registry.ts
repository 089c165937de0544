import type { Digest } from '../../../digest/index.ts'
import { BlobNotFoundError, RegistryError } from '../../../errors/index.ts'
import { type Descriptor, formatReference, type Repository } from '../../../oci/index.ts'
import type { RegistryClient } from '../../../registry/index.ts'
import type { TransferNode } from '../transfer-graph.ts'
import type { NeedsContext, StepNeed } from '../transfer-target.ts'
import type { RegistryTargetOptions } from './registry-target-options.ts'

/** The registry that `needsOfRegistry` asks, and its repository. */
export interface AskedRegistry extends RegistryTargetOptions {
  readonly registry: RegistryClient
  readonly to: Repository
  /** True while another push is sending the blob to the repository. */
  isFlying(digest: Digest): Promise<boolean>
}

/**
 * Asks a registry what each blob needs. If the registry has the root manifest, everything below it counts as present:
 * one request. Otherwise one HEAD per blob.
 */
export async function needsOfRegistry(
  asked: AskedRegistry,
  nodes: readonly TransferNode[],
  context: NeedsContext,
): Promise<readonly StepNeed[]> {
  const all = nodes.filter(node => node.belowRoot !== false)
  const have = (await hasManifest(asked, context.root, context))
    ? new Set(all.map(node => node.descriptor.digest))
    : undefined
  // The registry client limits the number of concurrent requests.
  return Promise.all(
    nodes.map(async (node): Promise<StepNeed> => {
      if (have?.has(node.descriptor.digest)) return { need: 'present', reason: 'the registry has the manifest' }
      return needOf(asked, node, context)
    }),
  )
}

/** True if the registry has a manifest under all of its tags, or by its digest if it has no tag. */
async function isComplete(
  asked: AskedRegistry,
  { descriptor, tags }: TransferNode,
  context: NeedsContext,
): Promise<boolean> {
  if (!tags) return hasManifest(asked, descriptor, context)
  return (await Promise.all(tags.map(tag => hasManifest(asked, descriptor, context, { tag })))).every(Boolean)
}

async function hasManifest(
  { registry, to }: AskedRegistry,
  { digest }: Descriptor,
  { signal }: NeedsContext,
  by: { readonly tag: string } | { readonly digest: Digest } = { digest },
): Promise<boolean> {
  try {
    return (await registry.resolve({ ...to, ...by }, { signal })).digest === digest
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_MANIFEST_NOT_FOUND') return false
    throw error
  }
}

async function needOf(asked: AskedRegistry, node: TransferNode, context: NeedsContext): Promise<StepNeed> {
  const { kind, descriptor, content } = node
  const { registry, to, mountFrom, uploads } = asked
  const { signal, source } = context
  if (content !== undefined) return { need: 'make', reason: 'new index of the chosen platforms' }
  if (kind === 'manifest' || kind === 'index') {
    const there = node.belowRoot === false && (await isComplete(asked, node, context))
    return there
      ? { need: 'present', reason: 'already in the repository' }
      : { need: 'upload', reason: 'the registry does not have it' }
  }
  if (kind === 'blob') return { need: 'skip', reason: 'foreign layer: not to be uploaded' }
  const origins = await source.origins?.(descriptor, { signal })
  const near = origins && nearestOrigin(origins, to)
  // PERF: a base of ten layers costs ten requests here and ten for the mounts. The run mounts without a question, and
  // asks only where the registry does not mount.
  if (near && !(await asked.isFlying(descriptor.digest))) {
    return { need: 'mount', reason: `left in repository ${near}, from where the registry mounts it`, from: near }
  }
  const found = await registry.statBlob(to, descriptor.digest, { signal })
  if (found?.size === descriptor.size) return { need: 'present', reason: 'already in the repository' }
  if (await asked.isFlying(descriptor.digest)) return { need: 'await', reason: 'in flight elsewhere' }
  if (source.repository && isNeighbour(source.repository, to)) {
    const from = source.repository.repository
    return { need: 'mount', reason: `mount from ${from}, where the image is`, from }
  }
  for (const from of mountFrom ?? []) {
    const there = await registry.statBlob({ ...to, repository: from }, descriptor.digest, { signal })
    if (there) return { need: 'mount', reason: `repository ${from} has it`, from }
  }
  for (const from of await knownRepositories(asked, descriptor, context)) {
    if (await stillThere(asked, from, descriptor, context)) {
      return { need: 'mount', reason: `repository ${from} has it, as this store knows`, from }
    }
  }
  const held = uploads && (await registry.statUpload(to, descriptor.digest, uploads, { signal }))
  if (held && held <= descriptor.size) return { need: 'resume', reason: `resume at ${held}`, offset: held }
  if (origins) return needOfRemote(descriptor, origins)
  return { need: 'upload', reason: 'missing there; mounted if another repository has it, else uploaded' }
}

/**
 * The repository of the target's registry that holds a layer which the store lacks; `undefined` if the target itself is
 * believed to hold it.
 */
function nearestOrigin(origins: readonly Repository[], to: Repository): string | undefined {
  const near = origins.filter(({ registry }) => registry === to.registry).map(({ repository }) => repository)
  return near.includes(to.repository) ? undefined : near[0]
}

/** The need of a layer that the store lacks and no other repository of the registry holds. */
function needOfRemote({ digest }: Descriptor, [origin]: readonly Repository[]): StepNeed {
  if (!origin) throw new BlobNotFoundError(digest)
  const from = formatReference(origin)
  return { need: 'copy', reason: `not in the store: copied from ${from}`, from }
}

/** Number of known repositories to ask per blob; each costs a request. */
const KNOWN_ASKED = 2

async function knownRepositories(
  { to, knownSources, mountFrom = [] }: AskedRegistry,
  { digest }: Descriptor,
  { signal }: NeedsContext,
): Promise<string[]> {
  const known = (await knownSources?.(digest, { signal })) ?? []
  return known
    .filter(source => isNeighbour(source, to))
    .map(({ repository }) => repository)
    .filter(repository => !mountFrom.includes(repository))
    .slice(0, KNOWN_ASKED)
}

function isNeighbour(one: Repository, other: Repository): boolean {
  return one.registry === other.registry && one.repository !== other.repository
}

/**
 * A remembered repository is a hint: the plan does not fail if the repository is deleted or not readable with these
 * credentials.
 */
async function stillThere(
  { registry, to }: AskedRegistry,
  repository: string,
  { digest, size }: Descriptor,
  { signal }: NeedsContext,
): Promise<boolean> {
  try {
    return (await registry.statBlob({ ...to, repository }, digest, { signal }))?.size === size
  } catch (error) {
    if (error instanceof RegistryError) return false
    throw error
  }
}
