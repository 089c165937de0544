import type { Reference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { type ImageToPush, type PlanPushOptions, planPush } from './plan-push.ts'
import { type PushResult, type RunPushOptions, runPush } from './run-push.ts'

/** Options of {@link pushImage}: those of the plan and those of the run. */
export interface PushImageOptions extends PlanPushOptions, Omit<RunPushOptions, 'registry' | 'store'> {}

/**
 * Pushes an image of a store to a registry: plans the push and runs the plan. Moves only the blobs that the
 * registry lacks; the tags are set last.
 *
 * @example
 * ```ts
 * const { digest } = await pushImage(store, createRegistryClient(), 'app:1.0', 'ghcr.io/team/app:1.0')
 * ```
 *
 * @throws as {@link planPush} and {@link runPush}.
 */
export async function pushImage(
  store: Store,
  registry: RegistryClient,
  image: ImageToPush,
  reference?: string | Reference,
  options: PushImageOptions = {},
): Promise<PushResult> {
  return runPush(await planPush(store, registry, image, reference, options), options)
}
