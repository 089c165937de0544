import { isDigest } from '../../../digest/index.ts'
import { FormatError } from '../../../errors/index.ts'
import { findDescriptor, type NamedBlobs } from '../../../image/index.ts'
import { invalidArgument } from '../../../internal/invalid-argument.ts'
import {
  assertStore,
  type BlobStore,
  type DerivedStore,
  type LeaseStore,
  readDocument,
  recordKnownSource,
  type SetReferenceOptions,
  storedName,
} from '../../../store/index.ts'
import type { TransferSource } from '../transfer-source.ts'
import { readTagged } from './read-tagged.ts'
import { storedReferrers } from './stored-referrers.ts'

/** The parts of a store that a source needs. An archive opened for reading has them too. */
export interface ReadableStore extends NamedBlobs {
  /** Leases that protect the blobs from collections. */
  readonly leases?: LeaseStore | undefined
  /** Facts about which repository holds a blob. */
  readonly derived?: DerivedStore | undefined
  /** Begins writing a blob, if the store can be written to. Pushes from several processes use it as a lock. */
  readonly ingest?: BlobStore['ingest'] | undefined
  /** State of a running write, and whether a process holds it. */
  readonly statIngest?: BlobStore['statIngest'] | undefined
  /** Lists every blob, if the store can; {@link PlanCopyOptions.referrers} needs it. */
  readonly list?: BlobStore['list'] | undefined
}

/**
 * An image in a store, or in any object of the same shape, as a source of transfers.
 *
 * @param name - Name or digest in the store.
 * @param label - Label in plans.
 * @param options - `verbatim` for a name of a layout: a bare word there is a tag, and names no repository. In a store
 * it is the short name of `docker.io/library/…`, and {@link TransferSource.name} is that of the store, `app:latest`.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export function storeSourceEndpoint(
  store: ReadableStore,
  name: string,
  label: string = `store:${name}`,
  { verbatim }: Pick<SetReferenceOptions, 'verbatim'> = {},
): TransferSource {
  assertStore(store)
  if (typeof name !== 'string') throw invalidArgument('name', 'a name or digest in the store', name)
  return {
    label,
    name: isDigest(name) ? undefined : verbatim ? name : keptName(name),
    verifies: true,
    resolve: options => findDescriptor(store, name, options),
    async fetchRoot(options) {
      const descriptor = await findDescriptor(store, name, options)
      return { descriptor, bytes: await readDocument(store, descriptor, options) }
    },
    readDocument: (descriptor, options) => readDocument(store, descriptor, options),
    readBlob({ digest }, { offset, signal, lend }) {
      const options = offset > 0 ? { offset, signal } : { signal }
      return lend && store.readLent ? store.readLent(digest, options) : store.read(digest, options)
    },
    tagged: (tag, options) => readTagged(store, name, tag, options),
    ...(isListed(store) ? { referrers: (digest, options) => storedReferrers(store, digest, options) } : {}),
    ...(store.leases
      ? { hold: (text, digests, options) => store.leases!.hold({ label: text, digests, ...options }) }
      : {}),
    async arrived(digests, at) {
      await Promise.all(digests.map(digest => recordKnownSource(store, digest, at)))
    },
  }
}

/** The name as a store keeps it. skopeo and buildah accept names that are no references; such a name stays as it is. */
function keptName(name: string): string {
  try {
    return storedName(name)
  } catch (error) {
    if (error instanceof FormatError) return name
    throw error
  }
}

function isListed(store: ReadableStore): store is ReadableStore & Pick<BlobStore, 'list'> {
  return store.list !== undefined
}
