import type { AbortOptions } from '../internal/abort.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import { asReference, type Descriptor, formatReference, type Reference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { pushTarget } from './endpoints/registry/push-target.ts'
import { remoteLayersSource } from './endpoints/store/remote-layers-source.ts'
import type { PushPlan } from './plan.ts'
import type { PlatformChoice } from './planning/choose-root.ts'
import { makePlan } from './planning/make-plan.ts'
import { bindParties } from './running/bound-parties.ts'

/** An image of a store: its name or digest, or the image as an act of this library returned it. */
export type ImageToPush =
  | string
  | {
      /** Descriptor of the manifest or index. */
      readonly descriptor: Descriptor
    }

function nameOf(image: ImageToPush): string {
  const name: unknown = typeof image === 'string' ? image : image?.descriptor?.digest
  if (typeof name !== 'string') throw invalidArgument('image', 'a name or digest in the store, or an image', image)
  return name
}

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
 * For each blob the plan says whether the repository has it, whether the registry mounts it from another of its
 * repositories, or whether it is uploaded. A layer that the store lacks, because the image was put on a base in a
 * registry, is mounted, or copied from that registry: streamed, verified, not written to disk.
 *
 * @example
 * ```ts
 * const plan = await planPush(store, registry, 'app:1.0', 'ghcr.io/team/app:1.0', { tags: ['1', 'latest'] })
 * console.log(plan.bytesToUpload)
 * ```
 *
 * @param image - Name or digest in the store, or the image itself, which needs no name.
 * @param reference - Target of the push. @defaultValue the name itself
 * @throws {@link ReferenceNotFoundError}, {@link FormatError}, {@link RegistryError}; {@link DigestMismatchError} if
 * the reference has a digest that is not the image's; {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` if a layer is
 * neither in the store nor in a known repository.
 */
export async function planPush(
  store: Store,
  registry: RegistryClient,
  image: ImageToPush,
  reference: string | Reference = nameOf(image),
  options: PlanPushOptions = {},
): Promise<PushPlan> {
  assertOptions(options)
  const ref = asReference(reference)
  const { tags = [], mountFrom, platform, signal } = options
  const source = remoteLayersSource(store, nameOf(image), registry)
  const target = pushTarget(store, registry, ref, { tags, mountFrom })
  const choice = platform === undefined ? { allPlatforms: true } : { platform }
  const { plan, bytesToMove, documents } = await makePlan(source, target, { ...choice, signal })
  const push: PushPlan = {
    ...plan,
    kind: 'push',
    reference: formatReference(ref),
    name: nameOf(image),
    tags: [...tags],
    bytesToUpload: bytesToMove,
  }
  return bindParties(push, { registry, store, documents })
}
