import type { Digest, FileLender } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import type { FetchedManifest } from '../../registry/index.ts'

/** Range of a blob, and options for reading it. */
export interface ReadSourceOptions extends AbortOptions {
  /** Offset of the first byte. */
  readonly offset: number
  /** Number of ranges to fetch in parallel, if the source supports it. */
  readonly parallel?: number | undefined
  /** Called with the number of bytes that were received twice. */
  readonly onRepeated?: ((bytes: number) => void) | undefined
  /** The source may reuse the memory of a chunk once the caller asks for the next chunk or leaves the loop. */
  readonly borrow?: boolean | undefined
  /**
   * Owner of a file for the bytes. Chunks may then be `TakenBytes`, which only count what a thread has appended to the
   * file. A source may ignore it.
   */
  readonly lender?: FileLender | undefined
  /**
   * Chunks may be `LentBytes`, the places of bytes that a thread reads from a file. A source may ignore it.
   *
   * @defaultValue `false`
   */
  readonly lend?: boolean | undefined
}

/**
 * Source of an image: a registry, a store, or any object that resolves a name and reads blobs by digest.
 * {@link storeSourceEndpoint} makes one from any object of the shape of a store.
 */
export interface TransferSource {
  /** Label in plans and messages. */
  readonly label: string
  /** Name of the image without its location, for a target that is given no name. */
  readonly name?: string | undefined
  /** The repository, if the source is one: a registry can mount blobs from it. */
  readonly repository?: Repository | undefined
  /** True if the source compares a blob with its digest when it is read from the first byte. */
  readonly verifies: boolean
  /** Resolves the current descriptor of the image with the fewest requests. */
  resolve(options?: AbortOptions): Promise<Descriptor>
  /** Resolves the current descriptor of the image with the bytes of its document; cheaper than two requests. */
  fetchRoot(options?: AbortOptions): Promise<FetchedManifest>
  /** Reads a manifest or index, and verifies its digest and size. */
  readDocument(descriptor: Descriptor, options?: AbortOptions): Promise<Uint8Array>
  /** Reads a blob. */
  readBlob(descriptor: Descriptor, options: ReadSourceOptions): AsyncIterable<Uint8Array>
  /** Reports that the bytes of a blob were wrong; returns true if the caller should read it again. Absent: never. */
  distrust?(digest: Digest): boolean
  /**
   * Resolves to the repositories that a blob is read from, if the source does not hold it itself; to `undefined` if the
   * source holds it. Absent: the source holds every blob.
   */
  origins?(descriptor: Descriptor, options?: AbortOptions): Promise<readonly Repository[] | undefined>
  /** Hosts that serve the blobs, in the order in which they are asked. Absent: the source itself. */
  readonly places?: readonly string[]
  /** Yields the manifests that refer to a manifest of this source. */
  referrers?(digest: Digest, options?: AbortOptions): AsyncIterable<Descriptor>
  /**
   * Resolves to the manifest under a tag beside the image, such as a signature under `sha256-<hex>.sig`; to `undefined`
   * if there is none.
   */
  tagged?(tag: string, options?: AbortOptions): Promise<FetchedManifest | undefined>
  /** Protects the blobs of the plan until it is disposed of. */
  hold?(label: string, digests: readonly Digest[], options?: AbortOptions): Promise<AsyncDisposable>
  /** Called when blobs have arrived in a repository. */
  arrived?(digests: readonly Digest[], at: Repository): Promise<void>
}
