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

/** Where to push, and what. */
export interface PlanPushOptions extends AbortOptions, Pick<PlatformChoice, 'platform'> {
  /** Tags that the image gets besides that of the reference, in the same request where the registry can do that. */
  readonly tags?: readonly string[] | undefined
  /**
   * Repositories of the same registry that may hold some of the blobs already, to be mounted from; asked before those from
   * which this store has pulled the blob, or to which it was pushed.
   */
  readonly mountFrom?: readonly string[] | undefined
}

/**
 * Finds out what a push would move: walks the stored image, asks the registry what it has, changes nothing. All of an index is
 * taken, unless platforms are asked for.
 *
 * If the registry has the manifest, all below it counts as there: one request. Otherwise one HEAD for each blob.
 *
 * @param name - Name or digest in the store.
 * @param reference - Where to. @defaultValue the name itself
 * @throws {@link ReferenceNotFoundError}, {@link FormatError}, {@link RegistryError}; {@link DigestMismatchError} if the
 * reference has a digest that is not the image's.
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
