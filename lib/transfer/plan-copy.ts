import type { AbortOptions } from '../internal/abort.ts'
import { assertOptions } from '../internal/assert-kind.ts'
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

/** Options of {@link planCopy}. */
export interface PlanCopyOptions extends AbortOptions, Pick<PlatformChoice, 'platform'>, CopyTargetOptions {
  /**
   * Also copy what is attached to the image (signatures, attestations, SBOMs), and what is attached to that: manifests
   * whose `subject` it is, and those under the tags of cosign (`sha256-<hex>.sig`, `.att`, `.sbom`), which keep their
   * tags. Signatures that only the target has stay.
   * @defaultValue `false`
   */
  readonly referrers?: boolean | undefined
}

/**
 * Plans a copy between two registries, two stores, a registry and a store, or any {@link TransferSource} and
 * {@link TransferTarget}. Changes nothing. For an index, plans the whole index with its digest, unless `platform` is
 * set.
 *
 * Between two repositories of one registry, blobs are mounted. Between two registries, blobs pass through this process,
 * are compared with their digests, and are not written to disk.
 *
 * @example
 * ```ts
 * const plan = await planCopy({ registry, reference: 'node:22' }, { store, name: 'node:22' })
 * console.log(plan.bytesToMove)
 * ```
 *
 * @throws the errors of {@link planPull} and {@link planPush}; {@link StoreError} `ERR_REFERENCE_CONFLICT` if, with
 * `referrers`, source and target each have a signature under one tag that the other lacks.
 */
export async function planCopy(from: CopySource, to: CopyTarget, options: PlanCopyOptions = {}): Promise<CopyPlan> {
  assertOptions(options)
  const { platform, referrers, signal } = options
  const source = openSource(from, to)
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
