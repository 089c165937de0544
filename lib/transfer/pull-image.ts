import type { Reference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { type PlanPullOptions, planPull } from './plan-pull.ts'
import { type PullResult, type RunPullOptions, runPull } from './run-pull.ts'

/** Options of {@link pullImage}: those of the plan and those of the run. */
export interface PullImageOptions extends PlanPullOptions, Omit<RunPullOptions, 'registry' | 'store'> {}

/**
 * Pulls an image from a registry into a store: plans the pull and runs the plan. Moves only the blobs that the store
 * lacks. The store gets the name last; a failed or aborted pull keeps what can be resumed.
 *
 * @example
 * ```ts
 * const { digest } = await pullImage(createRegistryClient(), store, 'node:22-slim', { platform: 'linux/amd64' })
 * ```
 *
 * @throws as {@link planPull} and {@link runPull}.
 */
export async function pullImage(
  registry: RegistryClient,
  store: Store,
  reference: string | Reference,
  options: PullImageOptions = {},
): Promise<PullResult> {
  return runPull(await planPull(registry, store, reference, options), options)
}
