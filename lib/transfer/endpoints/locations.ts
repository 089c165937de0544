import { FormatError } from '../../errors/index.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import { formatReference, parseReference, type Reference } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import { pushTarget } from './registry/push-target.ts'
import { registrySourceEndpoint } from './registry/registry-source-endpoint.ts'
import { registryTargetEndpoint } from './registry/registry-target-endpoint.ts'
import { remoteLayersSource } from './store/remote-layers-source.ts'
import { type ReadableStore, storeSourceEndpoint } from './store/store-source-endpoint.ts'
import { type StoreTargetOptions, storeTargetEndpoint } from './store/store-target-endpoint.ts'
import type { TransferSource } from './transfer-source.ts'
import type { TransferTarget } from './transfer-target.ts'

/** An image in a registry. */
export interface RegistryLocation {
  /** Client that sends the requests. */
  readonly registry: RegistryClient
  /** Reference of the image. */
  readonly reference: string | Reference
}

/** An image in a store. */
export interface StoreLocation<S = Store> {
  /** The store, or any object of its shape. */
  readonly store: S
  /** Name of the image in the store. @defaultValue for a target: the name of the image at the source */
  readonly name?: string | undefined
  /** Label in plans. @defaultValue `store:NAME` */
  readonly label?: string | undefined
  /**
   * For a source whose target is a registry: mount or copy layers that the store lacks from where its names say they
   * are, as a push does. Only for a store of your own: the names of another decide which registries are asked.
   * @defaultValue `false`
   */
  readonly remoteLayers?: boolean | undefined
  /**
   * For a target: keep the name as given; see {@link SetReferenceOptions.verbatim}. For a source: a bare word is a tag
   * of a layout, and not the short name of `docker.io/library/…`. @defaultValue `false`
   */
  readonly verbatim?: boolean | undefined
}

/** Source of a copy. */
export type CopySource = RegistryLocation | StoreLocation<ReadableStore> | TransferSource

/** Target of a copy. */
export type CopyTarget = RegistryLocation | StoreLocation | TransferTarget

/** Options for the target of a copy. */
export interface CopyTargetOptions extends Pick<StoreTargetOptions, 'verifyDiffIds'> {
  /** Further tags for the image, or names in the same repository. */
  readonly tags?: readonly string[] | undefined
  /** Repositories of the target's registry that may already hold some of the blobs. */
  readonly mountFrom?: readonly string[] | undefined
  /** Size of an upload chunk in bytes. */
  readonly chunkBytes?: number | undefined
}

/** Opens the source that a caller named. */
export function openSource(from: CopySource, to: CopyTarget): TransferSource {
  assertPlace('from', from)
  if ('registry' in from) return registrySourceEndpoint(from.registry, from.reference)
  if (!('store' in from)) return from
  if (from.name === undefined)
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a copy from a store needs the name of the image')
  if (from.remoteLayers && 'registry' in to) return remoteLayersSource(from.store, from.name, to.registry)
  return storeSourceEndpoint(from.store, from.name, from.label, from)
}

/** Opens the target that a caller named. */
export function openTarget(
  to: CopyTarget,
  from: CopySource,
  source: TransferSource,
  options: CopyTargetOptions,
): TransferTarget {
  assertPlace('to', to)
  const { tags, mountFrom, chunkBytes, verifyDiffIds } = options
  if ('registry' in to) {
    const settings = { tags, mountFrom, chunkBytes }
    return 'store' in from
      ? pushTarget(from.store, to.registry, to.reference, settings)
      : registryTargetEndpoint(to.registry, to.reference, settings)
  }
  if (!('store' in to)) return to
  const name = to.name ?? source.name
  if (name === undefined)
    throw new FormatError('ERR_INVALID_ARGUMENT', 'the source image has no name: set a name for the copy')
  const { label } = to
  // A name taken from the source is a reference, even if the target keeps names verbatim.
  const verbatim = to.verbatim && to.name !== undefined
  const others = (tags ?? []).map(tag => (verbatim ? tag : tagged(name, tag)))
  return storeTargetEndpoint(to.store, [name, ...others], { verifyDiffIds, verbatim, label })
}

function assertPlace(name: string, place: unknown): void {
  const isPlace = typeof place === 'object' && place !== null && !('then' in place)
  if (!isPlace) throw invalidArgument(name, 'an image in a registry ({ registry, reference }) or in a store', place)
}

function tagged(name: string, tag: string): string {
  const { registry, repository } = parseReference(name)
  return formatReference({ registry, repository, tag })
}
