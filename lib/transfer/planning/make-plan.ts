import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { forManyListeners } from '../../internal/for-many-listeners.ts'
import type { Descriptor } from '../../oci/index.ts'
import { type TransferNode, walkTransferGraph } from '../endpoints/transfer-graph.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { StepNeed, TransferTarget } from '../endpoints/transfer-target.ts'
import { bytesOf, bytesToMove, type PlanOfSteps, type PlanStep } from '../plan.ts'
import { addReferrers } from './add-referrers.ts'
import { chooseRoot, type PlatformChoice, readChoice } from './choose-root.ts'
import { KnownDocuments } from './known-documents.ts'

/** Options of {@link makePlan}. */
export interface MakePlanOptions extends PlatformChoice, AbortOptions {
  /** Also plan the manifests that refer to the image, and those under tags of cosign. */
  readonly referrers?: boolean | undefined
}

/** Members shared by every kind of plan, and the documents that were read. */
export interface MadePlan {
  readonly plan: PlanOfSteps
  readonly bytesToMove: number
  readonly referrers: readonly Digest[]
  /** Fetched documents, by digest. */
  readonly documents: ReadonlyMap<string, Uint8Array>
}

/** Plans a transfer between a source and a target: reads documents, asks the target, and changes nothing. */
export async function makePlan(
  source: TransferSource,
  target: TransferTarget,
  options: MakePlanOptions,
): Promise<MadePlan> {
  const signal = options.signal && forManyListeners(options.signal)
  const choice = readChoice(options)
  const documents = new KnownDocuments(source, target, { signal })
  const top = await documents.resolveRoot()
  const { root: chosen, content, platforms, leftOut } = await chooseRoot(documents, top, choice)
  const root = withoutPlatform(chosen)
  // PERF: a policy that is checked by the run reads the index of the root, which was read already.
  if (root.digest !== top.digest) documents.fetched.set(top.digest, await documents.bytesOf(top))
  if (content !== undefined) documents.fetched.set(root.digest, Buffer.from(content))
  const below = await walkTransferGraph(root, descriptor => documents.read(descriptor))
  const nodes = content === undefined ? below : [...below.slice(0, -1), { ...below.at(-1)!, content }]
  const { all, referrers } = options.referrers
    ? await addReferrers({ source, target, documents, signal }, nodes)
    : plain(nodes)
  const needs = await target.needs(all, { root, source, documents: documents.fetched, signal })
  const steps = all.map((node, i): PlanStep => ({ ...node, ...stepNeed(needs[i]!) }))
  return {
    referrers,
    documents: documents.fetched,
    bytesToMove: steps.reduce((sum, step) => sum + bytesToMove(step), 0),
    plan: { ...sumUp(root, steps), platforms, platformsLeftOut: leftOut, ...indexOf(top, root) },
  }
}

function plain(all: readonly TransferNode[]): { all: readonly TransferNode[]; referrers: readonly Digest[] } {
  return { all, referrers: [] }
}

/** Copies the known members only: a target written by a user may return more. */
function stepNeed({ need, reason, from, offset, sameDiffIdAs }: StepNeed): StepNeed {
  return {
    need,
    reason,
    ...(from === undefined ? {} : { from }),
    ...(offset === undefined ? {} : { offset }),
    ...(sameDiffIdAs === undefined ? {} : { sameDiffIdAs }),
  }
}

function sumUp(root: Descriptor, steps: readonly PlanStep[]) {
  const resumed = steps.reduce((sum, { need, offset = 0 }) => (need === 'resume' ? sum + offset : sum), 0)
  return {
    version: 1 as const,
    root,
    steps,
    bytesTotal: bytesOf(steps, 'present', 'fetch', 'resume', 'await', 'upload', 'mount', 'copy', 'make'),
    bytesPresent: bytesOf(steps, 'present') + resumed,
    bytesInFlight: bytesOf(steps, 'await'),
  }
}

function indexOf(top: Descriptor, root: Descriptor): { index?: Digest } {
  return top.digest === root.digest ? {} : { index: top.digest }
}

function withoutPlatform(descriptor: Descriptor): Descriptor {
  const { platform: _, ...rest } = descriptor
  return rest
}
