import { isDigest } from '../../../digest/index.ts'
import { findDescriptor, type NamedBlobs } from '../../../image/index.ts'
import {
  type BlobStore,
  type DerivedStore,
  type LeaseStore,
  readDocument,
  recordKnownSource,
} from '../../../store/index.ts'
import type { TransferSource } from '../transfer-source.ts'
import { storedReferrers } from './stored-referrers.ts'

/** What a source needs of a store. An archive that was opened for reading has it too. */
export interface ReadableStore extends NamedBlobs {
  /** Protection from collections, where there are any. */
  readonly leases?: LeaseStore | undefined
  /** Where it is noted which repository has a blob. */
  readonly derived?: DerivedStore | undefined
  /** Begins writing a blob, where blobs can be written: pushes of several processes take turns by it. */
  readonly ingest?: BlobStore['ingest'] | undefined
  /** Who is writing a blob. */
  readonly statIngest?: BlobStore['statIngest'] | undefined
  /** Every blob, where that can be told; {@link PlanCopyOptions.referrers} needs it. */
  readonly list?: BlobStore['list'] | undefined
}

/**
 * An image in a store, or in anything of the same shape, as a source of transfers.
 *
 * @param name - Name or digest in the store.
 * @param label - What plans call it.
 */
export function storeSourceEndpoint(
  store: ReadableStore,
  name: string,
  label: string = `store:${name}`,
): TransferSource {
  return {
    label,
    name: isDigest(name) ? undefined : name,
    verifies: true,
    resolve: options => findDescriptor(store, name, options),
    async fetchRoot(options) {
      const descriptor = await findDescriptor(store, name, options)
      return { descriptor, bytes: await readDocument(store, descriptor, options) }
    },
    readDocument: (descriptor, options) => readDocument(store, descriptor, options),
    readBlob: ({ digest }, { offset, signal }) => store.read(digest, offset > 0 ? { offset, signal } : { signal }),
    ...(isListed(store) ? { referrers: (digest, options) => storedReferrers(store, digest, options) } : {}),
    ...(store.leases
      ? { hold: (text, digests, options) => store.leases!.hold({ label: text, digests, ...options }) }
      : {}),
    async arrived(digests, at) {
      await Promise.all(digests.map(digest => recordKnownSource(store, digest, at)))
    },
  }
}

function isListed(store: ReadableStore): store is ReadableStore & Pick<BlobStore, 'list'> {
  return store.list !== undefined
}
