import { RegistryError } from '../errors/index.ts'
import { findDescriptor, readImageDocument } from '../image/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { RegistryClient } from '../registry/index.ts'
import { type Descriptor, formatReference, parseReference, type Reference } from '../spec/index.ts'
import { blobSources, type Store } from '../store/index.ts'
import { bindParties } from './bound-parties.ts'
import { bytesOf, type PlanStep, type PushPlan } from './plan.ts'
import { type GraphNode, walkGraph } from './walk-graph.ts'

/** Where to push. */
export interface PlanPushOptions extends AbortOptions {
  /**
   * Repositories of the same registry that may hold some of the blobs already, to be mounted from; asked before those from
   * which this store has pulled the blob, or to which it was pushed.
   */
  readonly mountFrom?: readonly string[] | undefined
}

/**
 * Finds out what a push would move: walks the stored image, asks the registry what it has, changes nothing.
 *
 * If the registry has the manifest, all below it counts as there: one request. Otherwise one HEAD for each blob.
 *
 * @param name - Name or digest in the store.
 * @param reference - Where to. @defaultValue the name itself
 * @throws {@link ReferenceNotFoundError}, {@link FormatError}, {@link RegistryError}.
 */
export async function planPush(
  store: Store,
  registry: RegistryClient,
  name: string,
  reference: string | Reference = name,
  options: PlanPushOptions = {},
): Promise<PushPlan> {
  const ref = typeof reference === 'string' ? parseReference(reference) : reference
  const root = await findDescriptor(store, name, options)
  const nodes = await walkGraph(root, descriptor => readImageDocument(store, descriptor, options))
  const steps = (await hasManifest(registry, ref, root, options))
    ? nodes.map(node => ({ ...node, need: 'present', reason: 'the registry has the manifest' }) as const)
    : await askForEach({ store, registry }, ref, nodes, options)
  const plan: PushPlan = {
    version: 1,
    kind: 'push',
    reference: formatReference(ref),
    name,
    root,
    steps,
    bytesTotal: bytesOf(steps, 'present', 'upload', 'mount'),
    bytesPresent: bytesOf(steps, 'present'),
    bytesToUpload: bytesOf(steps, 'upload'),
  }
  return bindParties(plan, { registry, store })
}

async function hasManifest(
  registry: RegistryClient,
  { registry: host, repository }: Reference,
  root: Descriptor,
  { signal }: PlanPushOptions,
): Promise<boolean> {
  try {
    const found = await registry.resolve({ registry: host, repository, digest: root.digest }, { signal })
    return found.digest === root.digest
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_MANIFEST_NOT_FOUND') return false
    throw error
  }
}

interface Sides {
  readonly store: Store
  readonly registry: RegistryClient
}

async function askForEach(
  sides: Sides,
  reference: Reference,
  nodes: readonly GraphNode[],
  options: PlanPushOptions,
): Promise<PlanStep[]> {
  // The registry client bounds how many of these are under way at once.
  return Promise.all(nodes.map(async node => ({ ...node, ...(await needOf(sides, reference, node, options)) })))
}

async function needOf(
  { store, registry }: Sides,
  reference: Reference,
  { kind, descriptor }: GraphNode,
  { signal, mountFrom }: PlanPushOptions,
): Promise<Omit<PlanStep, keyof GraphNode>> {
  if (kind === 'manifest' || kind === 'index') return { need: 'upload', reason: 'the registry does not have it' }
  if (kind === 'blob') return { need: 'skip', reason: 'foreign layer: not to be uploaded' }
  const found = await registry.statBlob(reference, descriptor.digest, { signal })
  if (found?.size === descriptor.size) return { need: 'present', reason: 'already in the repository' }
  for (const from of mountFrom ?? []) {
    const there = await registry.statBlob({ ...reference, repository: from }, descriptor.digest, { signal })
    if (there) return { need: 'mount', reason: `repository ${from} has it`, from }
  }
  for (const from of await knownRepositories(store, reference, descriptor, mountFrom)) {
    if (await stillThere(registry, { ...reference, repository: from }, descriptor, signal)) {
      return { need: 'mount', reason: `repository ${from} has it, as this store knows`, from }
    }
  }
  return { need: 'upload', reason: 'not in the repository' }
}

/** Each costs a request. */
const KNOWN_ASKED = 2

async function knownRepositories(
  store: Store,
  reference: Reference,
  { digest }: Descriptor,
  asked: readonly string[] = [],
): Promise<string[]> {
  const known = await blobSources(store, digest)
  return known
    .filter(({ registry }) => registry === reference.registry)
    .map(({ repository }) => repository)
    .filter(repository => repository !== reference.repository && !asked.includes(repository))
    .slice(0, KNOWN_ASKED)
}

/** What this store remembers is a hint: a repository that is gone, or not ours to read, is no reason to fail. */
async function stillThere(
  registry: RegistryClient,
  repository: Reference,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (await registry.statBlob(repository, digest, { signal }))?.size === size
  } catch (error) {
    if (error instanceof RegistryError) return false
    throw error
  }
}
