import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import type { FetchedManifest } from '../../registry/index.ts'

/** Which bytes of a blob to read, and how. */
export interface ReadSourceOptions extends AbortOptions {
  /** First byte. */
  readonly offset: number
  /** Ranges to fetch at a time, where that is possible. */
  readonly parallel?: number | undefined
  /** Told of bytes that came twice. */
  readonly onRepeated?: ((bytes: number) => void) | undefined
  /** A chunk is the caller's until the next is asked for, or the loop is left: its memory may be used again. */
  readonly borrow?: boolean | undefined
}

/**
 * Where an image comes from: a registry, a store, or whatever else can say what a name stands for and give bytes by digest.
 * Anything that has the shape of a store is one through {@link storeSourceEndpoint}.
 */
export interface TransferSource {
  /** What plans and people call it. */
  readonly label: string
  /** Name of the image without its place, for a target that is given none. */
  readonly name?: string | undefined
  /** The repository, if it is one: a registry may take blobs over from it. */
  readonly repository?: Repository | undefined
  /** Whether a blob that is read from its first byte on is compared with its digest. */
  readonly verifies: boolean
  /** What the image is now, found out at the least cost. */
  resolve(options?: AbortOptions): Promise<Descriptor>
  /** What the image is now, with the bytes of its document: cheaper than asking for both in turn. */
  fetchRoot(options?: AbortOptions): Promise<FetchedManifest>
  /** The bytes of a manifest or index, of which digest and size are right. */
  readDocument(descriptor: Descriptor, options?: AbortOptions): Promise<Uint8Array>
  /** The bytes of a blob. */
  readBlob(descriptor: Descriptor, options: ReadSourceOptions): AsyncIterable<Uint8Array>
  /** Told that the bytes of a blob were wrong; gives whether to read it again. Absent: no. */
  distrust?(digest: Digest): boolean
  /** Places that blobs come from, first the one that is asked first. Absent: here. */
  readonly places?: readonly string[]
  /** Manifests that refer to one of this source. */
  referrers?(digest: Digest, options?: AbortOptions): AsyncIterable<Descriptor>
  /** Keeps what the plan needs for as long as it runs. */
  hold?(label: string, digests: readonly Digest[], options?: AbortOptions): Promise<AsyncDisposable>
  /** Told that blobs are in a repository now. */
  arrived?(digests: readonly Digest[], at: Repository): Promise<void>
}
