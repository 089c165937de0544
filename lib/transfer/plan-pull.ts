import type { AbortOptions } from '../internal/abort.ts'
import { familiarName, formatReference, parseReference, type Reference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { registrySourceEndpoint } from './endpoints/registry/registry-source-endpoint.ts'
import { storeTargetEndpoint } from './endpoints/store/store-target-endpoint.ts'
import type { PullPlan } from './plan.ts'
import type { PlatformChoice } from './planning/choose-root.ts'
import { makePlan } from './planning/make-plan.ts'
import { bindParties } from './running/bound-parties.ts'

/** What to take of a reference. Of an index it is one platform, linux on this machine's processor unless set. */
export interface PlanPullOptions extends PlatformChoice, AbortOptions {
  /** Name in the store. @defaultValue the reference in its short form */
  readonly name?: string | undefined
}

/**
 * Finds out what a pull would move: reads the manifests, compares with the store, changes nothing.
 *
 * Of an index one platform is taken and named, unless all are asked for; of several, an index of these is made and named. Costs
 * one HEAD if the store has had the image before and it is unchanged, else one request for each manifest; no blob is requested,
 * but for the config of an image that is not in an index when a platform is asked for.
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
  const source = registrySourceEndpoint(registry, ref)
  const name = familiarName(parseReference(options.name ?? source.name!))
  const target = storeTargetEndpoint(store, [name])
  const { plan, bytesToMove, documents } = await makePlan(source, target, options)
  const pull: PullPlan = { ...plan, kind: 'pull', reference: formatReference(ref), name, bytesToFetch: bytesToMove }
  return bindParties(pull, { registry, store, documents })
}
