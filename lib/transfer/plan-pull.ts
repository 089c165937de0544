import { PlatformNotFoundError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Descriptor, Platform, Reference } from '../spec/index.ts'
import { familiarName, formatPlatform, formatReference, parsePlatform, parseReference } from '../spec/index.ts'
import type { Store } from '../store/index.ts'
import { bindParties } from './bound-parties.ts'
import { bytesOf, type PlanStep, type PullPlan } from './plan.ts'
import { RemoteGraph } from './remote-graph.ts'
import { withSameContent } from './same-content.ts'
import type { GraphNode } from './walk-graph.ts'

/** What to take of a reference. */
export interface PlanPullOptions extends AbortOptions {
  /** Platform to take from an index, as `os/architecture[/variant]`. @defaultValue linux on this machine's processor */
  readonly platform?: string | Platform | undefined
  /** Take every platform, and name the index itself. @defaultValue `false` */
  readonly allPlatforms?: boolean | undefined
  /** Name in the store. @defaultValue the reference in its short form */
  readonly name?: string | undefined
}

/**
 * Finds out what a pull would move: reads the manifests, compares with the store, changes nothing.
 *
 * Of an index one platform is taken and named, unless all are asked for. Costs one HEAD if the store has the manifest
 * already, else one request for each manifest; no blob is requested, but for the config of an image that is not in
 * an index when a platform is asked for.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE` and those of malformed documents; {@link RegistryError};
 * {@link PlatformNotFoundError} `ERR_PLATFORM_NOT_FOUND`; {@link LimitError}.
 */
export async function planPull(
  registry: RegistryClient,
  store: Store,
  reference: string | Reference,
  options: PlanPullOptions = {},
): Promise<PullPlan> {
  const ref = typeof reference === 'string' ? parseReference(reference) : reference
  const platform = typeof options.platform === 'string' ? parsePlatform(options.platform) : options.platform
  const name = options.name === undefined ? nameFor(ref) : familiarName(parseReference(options.name))
  const graph = new RemoteGraph(registry, store, ref, options.signal)
  const top = await graph.resolveRoot()
  const chosen = await graph.choose(top, platform, options.allPlatforms ?? false)
  if (platform && chosen.platforms.length === 0) await checkPlatform(graph, chosen.root, platform)
  const needed = await planSteps(store, await graph.descend(chosen.root), options.signal)
  const steps = await withSameContent(store, needed, graph.documents, options.signal)
  const plan: PullPlan = {
    version: 1,
    kind: 'pull',
    reference: formatReference(ref),
    name,
    root: withoutPlatform(chosen.root),
    steps,
    bytesTotal: bytesOf(steps, 'present', 'fetch'),
    bytesPresent: bytesOf(steps, 'present'),
    bytesToFetch: bytesOf(steps, 'fetch'),
    platforms: chosen.platforms,
    platformsLeftOut: chosen.leftOut,
    ...(chosen.root.digest === top.digest ? {} : { index: top.digest }),
  }
  return bindParties(plan, { registry, store, documents: graph.documents })
}

/** A digest beside a tag decides what is pulled; the name in the store is the tag, as people expect to find it. */
function nameFor(reference: Reference): string {
  const { digest, ...rest } = reference
  return familiarName(rest.tag === undefined ? reference : rest)
}

function withoutPlatform(descriptor: Descriptor): Descriptor {
  const { platform: _, ...rest } = descriptor
  return rest
}

/** An image outside an index says its platform in its config only. */
async function checkPlatform(graph: RemoteGraph, root: Descriptor, wanted: Platform): Promise<void> {
  const offered = await graph.platformOf(root)
  if (!offered || offered.matches(wanted)) return
  throw new PlatformNotFoundError({
    wanted: formatPlatform(wanted),
    available: [formatPlatform(offered.platform)],
    what: root.digest,
  })
}

async function planSteps(
  store: Store,
  nodes: readonly GraphNode[],
  signal: AbortSignal | undefined,
): Promise<PlanStep[]> {
  const steps: PlanStep[] = []
  for (const node of nodes) steps.push({ ...node, ...(await needOf(store, node, signal)) })
  return steps
}

async function needOf(
  store: Store,
  { kind, descriptor }: GraphNode,
  signal: AbortSignal | undefined,
): Promise<Pick<PlanStep, 'need' | 'reason'>> {
  const stored = await store.stat(descriptor.digest, { signal })
  if (stored?.size === descriptor.size) return { need: 'present', reason: 'already in the store' }
  if (stored) return { need: 'fetch', reason: `the stored blob has ${stored.size} bytes, not ${descriptor.size}` }
  if (kind === 'blob') return { need: 'skip', reason: 'foreign layer: registries do not hold it' }
  return { need: 'fetch', reason: 'not in the store' }
}
