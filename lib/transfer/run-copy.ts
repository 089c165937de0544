import { FormatError } from '../errors/index.ts'
import {
  type CopySource,
  type CopyTarget,
  type CopyTargetOptions,
  openSource,
  openTarget,
} from './endpoints/locations.ts'
import type { CopyPlan } from './plan.ts'
import { type PlanCopyOptions, planCopy } from './plan-copy.ts'
import { boundParties } from './running/bound-parties.ts'
import type { RunOptions } from './running/run-options.ts'
import { type CopyResult, runTransfer } from './running/run-transfer.ts'

/** Options of {@link runCopy}. */
export interface RunCopyOptions extends RunOptions, Pick<CopyTargetOptions, 'verifyDiffIds' | 'chunkBytes'> {
  /** Source of the copy. @defaultValue the source that the plan was made with */
  readonly from?: CopySource | undefined
  /** Target of the copy. @defaultValue the target that the plan was made with */
  readonly to?: CopyTarget | undefined
}

/**
 * Runs a plan, with the guarantees of {@link runPull} for a store and of {@link runPush} for a registry.
 *
 * @example
 * ```ts
 * const plan = await planCopy({ store, name: 'app:1.0' }, { registry, reference: 'ghcr.io/team/app:1.0' })
 * await runCopy(plan)
 * ```
 *
 * @throws the errors of these.
 */
export async function runCopy(plan: CopyPlan, options: RunCopyOptions = {}): Promise<CopyResult> {
  if (plan.kind !== 'copy' || plan.version !== 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'not a copy plan of version 1')
  }
  const bound = boundParties<Parties>(plan)
  const [from, to] = [options.from ?? bound.from, options.to ?? bound.to]
  if (!from || !to) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a stored plan needs the options from and to')
  }
  const source = openSource(from, to)
  const target = openTarget(to, from, source, { ...options, tags: plan.tags })
  const isStored = from !== bound.from || to !== bound.to
  return runTransfer(plan, { source, target, documents: bound.documents ?? new Map(), isStored }, options)
}

interface Parties {
  readonly from: CopySource
  readonly to: CopyTarget
  readonly documents: ReadonlyMap<string, Uint8Array>
}

/**
 * Plans a copy and runs it.
 *
 * @example
 * ```ts
 * await copyImage({ registry, reference: 'node:22' }, { registry, reference: 'ghcr.io/team/node:22' })
 * ```
 */
export async function copyImage(
  from: CopySource,
  to: CopyTarget,
  options: PlanCopyOptions & RunCopyOptions = {},
): Promise<CopyResult> {
  return runCopy(await planCopy(from, to, options), { ...options, from: undefined, to: undefined })
}
