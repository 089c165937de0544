import type { AbortOptions } from '../internal/abort.ts'
import { formatReference, parseReference, type Reference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { pushTarget } from './endpoints/registry/push-target.ts'
import { storeSourceEndpoint } from './endpoints/store/store-source-endpoint.ts'
import type { PushPlan } from './plan.ts'
import type { PlatformChoice } from './planning/choose-root.ts'
import { makePlan } from './planning/make-plan.ts'
import { bindParties } from './running/bound-parties.ts'

/** Options of {@link planPush}. */
export interface PlanPushOptions extends AbortOptions, Pick<PlatformChoice, 'platform'> {
  /** Further tags for the image; set in the request that pushes the manifest, if the registry supports it. */
  readonly tags?: readonly string[] | undefined
  /**
   * Repositories of the same registry that may already hold some of the blobs. The plan asks them before the
   * repositories that this store pulled the blob from or pushed it to.
   */
  readonly mountFrom?: readonly string[] | undefined
}

/**
 * Plans a push: walks the stored image, asks the registry which blobs it has, and changes nothing. For an index, plans
 * the whole index unless `platform` is set.
 *
 * If the registry has the root manifest, everything below it counts as present: one request. Otherwise one HEAD per
 * blob.
 *
 * @example
 * ```ts
 * const plan = await planPush(store, registry, 'app:1.0', 'ghcr.io/team/app:1.0', { tags: ['1', 'latest'] })
 * console.log(plan.bytesToUpload)
 * ```
 *
 * @param name - Name or digest in the store.
 * @param reference - Target of the push. @defaultValue the name itself
 * @throws {@link ReferenceNotFoundError}, {@link FormatError}, {@link RegistryError}; {@link DigestMismatchError} if
 * the reference has a digest that is not the image's.
 */
export async function planPush(
  store: Store,
  registry: RegistryClient,
  name: string,
  reference: string | Reference = name,
  options: PlanPushOptions = {},
): Promise<PushPlan> {
  const ref = typeof reference === 'string' ? parseReference(reference) : reference
  const { tags = [], mountFrom, platform, signal } = options
  const source = storeSourceEndpoint(store, name)
  const target = pushTarget(store, registry, ref, { tags, mountFrom })
  const choice = platform === undefined ? { allPlatforms: true } : { platform }
  const { plan, bytesToMove, documents } = await makePlan(source, target, { ...choice, signal })
  const push: PushPlan = {
    ...plan,
    kind: 'push',
    reference: formatReference(ref),
    name,
    tags: [...tags],
    bytesToUpload: bytesToMove,
  }
  return bindParties(push, { registry, store, documents })
}
