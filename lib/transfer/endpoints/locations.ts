import { FormatError } from '../../errors/index.ts'
import { formatReference, parseReference, type Reference } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import { pushTarget } from './registry/push-target.ts'
import { registrySourceEndpoint } from './registry/registry-source-endpoint.ts'
import { registryTargetEndpoint } from './registry/registry-target-endpoint.ts'
import { type ReadableStore, storeSourceEndpoint } from './store/store-source-endpoint.ts'
import { type StoreTargetOptions, storeTargetEndpoint } from './store/store-target-endpoint.ts'
import type { TransferSource } from './transfer-source.ts'
import type { TransferTarget } from './transfer-target.ts'

/** An image in a registry. */
export interface RegistryLocation {
  /** Client that reaches it. */
  readonly registry: RegistryClient
  /** Name of the image there. */
  readonly reference: string | Reference
}

/** An image in a store. */
export interface StoreLocation<S = Store> {
  /** The store, or whatever has its shape. */
  readonly store: S
  /** Name of the image there. @defaultValue for a target: the name it has at the source */
  readonly name?: string | undefined
  /** What plans call it. @defaultValue `store:NAME` */
  readonly label?: string | undefined
  /** Keep the name as it stands; see {@link SetReferenceOptions.verbatim}. @defaultValue `false` */
  readonly verbatim?: boolean | undefined
}

/** Where a copy comes from. */
export type CopySource = RegistryLocation | StoreLocation<ReadableStore> | TransferSource

/** Where a copy goes. */
export type CopyTarget = RegistryLocation | StoreLocation | TransferTarget

/** How a copy is to be taken. */
export interface CopyTargetOptions extends Pick<StoreTargetOptions, 'verifyDiffIds'> {
  /** Tags, or names of the same repository, that the image gets besides the one given. */
  readonly tags?: readonly string[] | undefined
  /** Repositories of the target's registry that may hold some of the blobs already. */
  readonly mountFrom?: readonly string[] | undefined
  /** Bytes of a piece of an upload. */
  readonly chunkBytes?: number | undefined
}

/** The source behind what a caller names. */
export function openSource(from: CopySource): TransferSource {
  if ('registry' in from) return registrySourceEndpoint(from.registry, from.reference)
  if (!('store' in from)) return from
  if (from.name === undefined) throw new FormatError('ERR_INVALID_ARGUMENT', 'a copy from a store needs a name')
  return storeSourceEndpoint(from.store, from.name, from.label)
}

/** The target behind what a caller names. */
export function openTarget(
  to: CopyTarget,
  from: CopySource,
  source: TransferSource,
  options: CopyTargetOptions,
): TransferTarget {
  const { tags, mountFrom, chunkBytes, verifyDiffIds } = options
  if ('registry' in to) {
    const settings = { tags, mountFrom, chunkBytes }
    return 'store' in from
      ? pushTarget(from.store, to.registry, to.reference, settings)
      : registryTargetEndpoint(to.registry, to.reference, settings)
  }
  if (!('store' in to)) return to
  const name = to.name ?? source.name
  if (name === undefined) throw new FormatError('ERR_INVALID_ARGUMENT', 'the copy of an image without a name needs one')
  const { label } = to
  // A name from elsewhere is a reference, whatever the names of the target look like.
  const verbatim = to.verbatim && to.name !== undefined
  const others = (tags ?? []).map(tag => (verbatim ? tag : tagged(name, tag)))
  return storeTargetEndpoint(to.store, [name, ...others], { verifyDiffIds, verbatim, label })
}

function tagged(name: string, tag: string): string {
  const { registry, repository } = parseReference(name)
  return formatReference({ registry, repository, tag })
}
