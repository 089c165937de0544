import type { Digest } from '../digest/index.ts'
import { FormatError, type PlanChange } from '../errors/index.ts'
import {
  type CopySource,
  type CopyTarget,
  type CopyTargetOptions,
  openSource,
  openTarget,
} from './endpoints/locations.ts'
import type { UnverifiedLayer } from './endpoints/transfer-target.ts'
import type { CopyPlan } from './plan.ts'
import { type PlanCopyOptions, planCopy } from './plan-copy.ts'
import { boundParties } from './running/bound-parties.ts'
import type { RunOptions } from './running/run-options.ts'
import { runTransfer } from './running/run-transfer.ts'

/** How to run a plan. */
export interface RunCopyOptions extends RunOptions, Pick<CopyTargetOptions, 'verifyDiffIds' | 'chunkBytes'> {
  /** Where from. @defaultValue what the plan was made with */
  readonly from?: CopySource | undefined
  /** Where to. @defaultValue what the plan was made with */
  readonly to?: CopyTarget | undefined
}

/** What a copy did. */
export interface CopyResult {
  /** Name at the target. */
  readonly name: string
  /** What the name stands for now. */
  readonly digest: Digest
  /** Blobs and documents that passed through this process. */
  readonly blobsMoved: number
  /** Blobs that the registry took over from another of its repositories. */
  readonly blobsMounted: number
  /** Bytes that passed through this process. */
  readonly bytesMoved: number
  /** Bytes of these that had passed before. */
  readonly bytesMovedAgain: number
  /** Bytes that need not be moved. */
  readonly bytesSaved: number
  /** Layers that `verifyDiffIds` could not compare with the image config, because they are encrypted or not there. */
  readonly unverified: readonly UnverifiedLayer[]
  /** What the plan said and what was no longer so. */
  readonly changes: readonly PlanChange[]
}

/**
 * Runs a plan: the same promises as those of {@link runPull} for a store and of {@link runPush} for a registry.
 *
 * @throws what these throw.
 */
export async function runCopy(plan: CopyPlan, options: RunCopyOptions = {}): Promise<CopyResult> {
  if (plan.kind !== 'copy' || plan.version !== 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'not a copy plan of version 1')
  }
  const bound = boundParties<Parties>(plan)
  const [from, to] = [options.from ?? bound.from, options.to ?? bound.to]
  if (!from || !to) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a plan that was stored needs the options from and to to run')
  }
  const source = openSource(from)
  const target = openTarget(to, from, source, { ...options, tags: plan.tags })
  const isStored = from !== bound.from || to !== bound.to
  return runTransfer(plan, { source, target, documents: bound.documents ?? new Map(), isStored }, options)
}

interface Parties {
  readonly from: CopySource
  readonly to: CopyTarget
  readonly documents: ReadonlyMap<string, Uint8Array>
}

/** Plans a copy and runs it. */
export async function copyImage(
  from: CopySource,
  to: CopyTarget,
  options: PlanCopyOptions & RunCopyOptions = {},
): Promise<CopyResult> {
  return runCopy(await planCopy(from, to, options), { ...options, from: undefined, to: undefined })
}
