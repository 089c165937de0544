import type { AbortOptions } from '../internal/abort.ts'
import {
  type CopySource,
  type CopyTarget,
  type CopyTargetOptions,
  openSource,
  openTarget,
} from './endpoints/locations.ts'
import type { CopyPlan } from './plan.ts'
import type { PlatformChoice } from './planning/choose-root.ts'
import { makePlan } from './planning/make-plan.ts'
import { bindParties } from './running/bound-parties.ts'

/** What to copy, and what to call it. */
export interface PlanCopyOptions extends AbortOptions, Pick<PlatformChoice, 'platform'>, CopyTargetOptions {
  /** Take along what refers to the image: signatures, inventories, and what refers to these. @defaultValue `false` */
  readonly referrers?: boolean | undefined
}

/**
 * Finds out what a copy would move between two registries, two stores, a registry and a store, or anything else that is a
 * {@link TransferSource} or {@link TransferTarget}. Changes nothing. All of an index is taken, with its digest, unless platforms
 * are asked for.
 *
 * Between two repositories of one registry blobs are mounted; between two registries they pass through this process, compared
 * with their digests, and touch no disk.
 *
 * @throws what {@link planPull} and {@link planPush} throw.
 */
export async function planCopy(from: CopySource, to: CopyTarget, options: PlanCopyOptions = {}): Promise<CopyPlan> {
  const { platform, referrers, signal } = options
  const source = openSource(from)
  const target = openTarget(to, from, source, options)
  const choice = platform === undefined ? { allPlatforms: true } : { platform }
  const made = await makePlan(source, target, { ...choice, referrers, signal })
  const plan: CopyPlan = {
    ...made.plan,
    kind: 'copy',
    from: source.label,
    to: target.label,
    tags: [...(options.tags ?? [])],
    bytesToMove: made.bytesToMove,
    referrers: made.referrers,
  }
  return bindParties(plan, { from, to, documents: made.documents })
}
