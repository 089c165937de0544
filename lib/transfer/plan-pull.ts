import type { AbortOptions } from '../internal/abort.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import { asReference, familiarName, formatReference, parseReference, type Reference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { registrySourceEndpoint } from './endpoints/registry/registry-source-endpoint.ts'
import { storeTargetEndpoint } from './endpoints/store/store-target-endpoint.ts'
import type { PullPlan } from './plan.ts'
import type { PlatformChoice } from './planning/choose-root.ts'
import { makePlan } from './planning/make-plan.ts'
import { bindParties } from './running/bound-parties.ts'

/**
 * Options of {@link planPull}. For an index, one platform is planned: linux on this machine's processor unless
 * `platform` or `allPlatforms` is set.
 */
export interface PlanPullOptions extends PlatformChoice, AbortOptions {
  /** Name in the store. @defaultValue the reference in its short form */
  readonly name?: string | undefined
}

/**
 * Plans a pull: reads the manifests, compares them with the store, and changes nothing.
 *
 * For an index, plans one platform unless `allPlatforms` is set. For several platforms, plans a new index of just
 * those. Requests: one HEAD if the store already has the image and it is unchanged, else one request per manifest. No
 * blob is requested, except the config of a manifest outside an index when `platform` is set.
 *
 * @example
 * ```ts
 * const plan = await planPull(registry, store, 'node:22-slim', { platform: 'linux/amd64' })
 * console.log(plan.bytesToFetch, plan.steps.map(step => `${step.kind}: ${step.need}, ${step.reason}`))
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`, `ERR_INVALID_PLATFORM`, `ERR_INVALID_ARGUMENT` for an argument
 * of a wrong kind, and the errors of malformed documents; {@link RegistryError}; {@link PlatformNotFoundError}
 * `ERR_PLATFORM_NOT_FOUND`; {@link LimitError}.
 */
export async function planPull(
  registry: RegistryClient,
  store: Store,
  reference: string | Reference,
  options: PlanPullOptions = {},
): Promise<PullPlan> {
  assertOptions(options)
  const ref = asReference(reference)
  const source = registrySourceEndpoint(registry, ref)
  const name = familiarName(parseReference(options.name ?? source.name!))
  const target = storeTargetEndpoint(store, [name])
  const { plan, bytesToMove, documents } = await makePlan(source, target, options)
  const pull: PullPlan = { ...plan, kind: 'pull', reference: formatReference(ref), name, bytesToFetch: bytesToMove }
  return bindParties(pull, { registry, store, documents })
}
