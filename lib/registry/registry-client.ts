import type { Digest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor, Reference, Repository } from '../oci/index.ts'

/** A manifest or index as a registry gave it. */
export interface FetchedManifest {
  /** Media type, digest and size of the bytes; the digest is computed, and equal to the one asked for. */
  readonly descriptor: Descriptor
  /** The bytes, never to be re-serialised. */
  readonly bytes: Uint8Array
}

/** What a registry says of a blob that it holds. */
export interface RemoteBlob {
  /** Size in bytes. */
  readonly size: number
}

/** Which bytes of a remote blob to fetch, and how. */
export interface FetchBlobOptions extends AbortOptions {
  /** First byte to deliver. @defaultValue `0` */
  readonly offset?: number | undefined
  /**
   * Ranges of a big blob to fetch at a time. Bytes still come in order; up to so many parts of 4 MiB are held in memory.
   * A registry without ranges is read in one stream. @defaultValue `1`
   */
  readonly parallel?: number | undefined
  /**
   * Also fetch from the first 16 addresses in the descriptor's `urls`, after the registry, without credentials and by the
   * same URL policy. The author of the manifest chose them. @defaultValue `false`
   */
  readonly foreign?: boolean | undefined
  /** Told of bytes that came although they had come before, because a server would not give a part. */
  readonly onRepeated?: ((bytes: number) => void) | undefined
  /**
   * Let the memory of chunks be used again: a chunk is the caller's until the next is asked for, or the loop is left. Takes
   * less than half the time over plain http. @defaultValue `false`
   */
  readonly borrow?: boolean | undefined
}

/**
 * Keeps the state of unfinished uploads, so that another process can go on with them. A store's derived data will do.
 * All of it may be lost at any time.
 *
 * The bytes hold the address of an upload, which may be signed: they are to be kept as a secret is. Keys are of 1 to 200
 * characters out of `a-z 0-9 . _ : + -`.
 */
export interface UploadMemory {
  /** The bytes that were kept under a key, if any. */
  get(key: string, options?: AbortOptions): Promise<Uint8Array | undefined>
  /** Keeps bytes under a key, in place of others. */
  set(key: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Forgets what is kept under a key. Idempotent. */
  delete(key: string, options?: AbortOptions): Promise<void>
}

/** How to upload a blob. */
export interface PushBlobOptions extends AbortOptions {
  /**
   * Gives the bytes from an offset on, for uploads that go on where they broke off. Without it the source is opened from
   * the start, and what the registry has already is read and dropped.
   */
  readonly openAt?: ((offset: number) => AsyncIterable<Uint8Array>) | undefined
  /**
   * Send in pieces of so many bytes, if the blob is larger. The registry's own minimum and what it refused as too large
   * take precedence. @defaultValue in one piece; after a failure, or with `uploads`, in pieces of 16 MiB
   */
  readonly chunkBytes?: number | undefined
  /**
   * Where the state of the upload is kept. With it, an upload that fails or is aborted is left open at the registry, and
   * the next call with the same repository and digest goes on with it; without it, it is cancelled.
   */
  readonly uploads?: UploadMemory | undefined
  /**
   * Whether the registry may take the blob over from where it has it, instead of its bytes: from the repository named, then
   * from any (`true`), or not at all. It is asked with the request that opens the upload anyway. @defaultValue `true`
   */
  readonly mount?: boolean | MountSource | undefined
}

/** Where a blob is thought to be already. */
export interface MountSource {
  /** Name of another repository of the same registry. */
  readonly from: string
}

/** How a blob came to be in a repository: its bytes were sent, or the registry took it over from another repository. */
export type PushedBlob = 'uploaded' | 'mounted'

/** Which referrers to list. */
export interface ReferrersOptions extends AbortOptions {
  /** Only those of this kind. */
  readonly artifactType?: string | undefined
}

/**
 * Speaks the OCI distribution protocol to any number of registries.
 *
 * Blobs are streamed and bounded by their size, but not hashed here: every byte is hashed once, at the store's edge.
 * Manifests are bounded, hashed and compared here, since they decide what comes next. Every method rejects with
 * {@link RegistryError} (`ERR_NETWORK`, `ERR_UNAUTHORIZED`, `ERR_RATE_LIMITED`, `ERR_REGISTRY`, `ERR_PROTOCOL`,
 * `ERR_BLOCKED_URL`, `ERR_CREDENTIALS`) or with the signal's reason.
 *
 * @see {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md | distribution-spec}
 */
export interface RegistryClient extends AsyncDisposable {
  /**
   * What a reference stands for now: media type, digest and size of its manifest. By HEAD where the registry answers that
   * in full; else the manifest is fetched.
   *
   * @throws {@link RegistryError} `ERR_MANIFEST_NOT_FOUND`.
   */
  resolve(reference: Reference, options?: AbortOptions): Promise<Descriptor>

  /**
   * The manifest or index of a reference. If it has a digest, the bytes have that digest.
   *
   * @throws {@link RegistryError} `ERR_MANIFEST_NOT_FOUND`; {@link LimitError} above 4 MiB;
   * {@link DigestMismatchError}.
   */
  fetchManifest(reference: Reference, options?: AbortOptions): Promise<FetchedManifest>

  /**
   * Uploads a manifest or index, under its digest and the tags given. What it names must be there before. Several tags go
   * in one request where the registry can do that, else one after the other.
   *
   * If the manifest has a `subject` and the registry knows no referrers, it is added to the list of referrers that stands
   * under the subject's fallback tag. Calls of one client do that in turn; other programs may interfere, which is noticed
   * and repeated a few times.
   *
   * @returns the digest under which the registry keeps it.
   * @throws {@link RegistryError} with `MANIFEST_BLOB_UNKNOWN` among its `errors` if something it names is missing.
   */
  pushManifest(
    repository: Repository,
    manifest: FetchedManifest,
    tag?: string | readonly string[],
    options?: AbortOptions,
  ): Promise<Digest>

  /**
   * Whether the repository holds the blob, and its size as the registry says; `undefined` if it does not, or if nothing can
   * be learnt without fetching the blob.
   */
  statBlob(repository: Repository, digest: Digest, options?: AbortOptions): Promise<RemoteBlob | undefined>

  /**
   * The bytes of a blob from `offset` on: from the mirrors of its registry in their order, then the registry, then, if
   * asked for, the descriptor's `urls`. A broken connection is resumed with `Range` a bounded number of times, then
   * the next source goes on. A server that ignores `Range` costs time, never a wrong byte. Surplus bytes are an error.
   *
   * **The digest is not checked**, and the bytes may come from several sources: the caller compares it and, if it differs,
   * throws everything away and calls {@link distrustBlob}.
   *
   * A content coding that a proxy has put around the blob is undone.
   *
   * @throws {@link RegistryError} `ERR_REMOTE_BLOB_NOT_FOUND`; {@link SizeMismatchError}; {@link LimitError} if six times the
   * blob has come and it is not complete: the failure of the registry itself, if all sources failed.
   */
  fetchBlob(repository: Repository, descriptor: Descriptor, options?: FetchBlobOptions): AsyncIterable<Uint8Array>

  /** Where blobs of a repository are fetched from, in this order: mirrors by their locations, then the registry. */
  sourcesOf(repository: Repository): readonly string[]

  /**
   * Tells that the bytes {@link fetchBlob} gave for a blob did not have its digest. Sources that gave some of them are not
   * asked for this blob again; if there was only one, and that was the last, it is asked once more.
   *
   * @returns whether it makes sense to fetch the blob again, from its first byte on.
   */
  distrustBlob(repository: Repository, digest: Digest): boolean

  /**
   * Uploads a blob. `open` gives its bytes from the start; it is called again if the upload must be repeated. A blob that
   * is sent in pieces goes on where the registry says it broke off; one sent in one piece begins anew. What the registry
   * has in another repository it may take over from there; then nothing is sent.
   *
   * A registry that takes bodies by PATCH only, or with the closing PUT only, gets them that way.
   *
   * @throws what `open`'s stream throws, then nothing is kept by the registry; {@link LimitError} if six times the blob has
   * been sent and the registry still does not have it.
   */
  pushBlob(
    repository: Repository,
    descriptor: Descriptor,
    open: () => AsyncIterable<Uint8Array>,
    options?: PushBlobOptions,
  ): Promise<PushedBlob>

  /**
   * How many bytes of a blob the registry holds in an upload that an earlier {@link pushBlob} with the same memory left
   * open; `undefined` if there is none to go on with.
   */
  statUpload(
    repository: Repository,
    digest: Digest,
    uploads: UploadMemory,
    options?: AbortOptions,
  ): Promise<number | undefined>

  /**
   * Asks the registry to take a blob over from another of its repositories, or, without `from`, from wherever it has it;
   * `false` if it would not.
   */
  mountBlob(repository: Repository, digest: Digest, from?: string, options?: AbortOptions): Promise<boolean>

  /** The tags of a repository, page by page. */
  listTags(repository: Repository, options?: AbortOptions): AsyncIterable<string>

  /**
   * The repositories of a registry, page by page. Many registries do not tell.
   *
   * @param registry - Name of the registry as in references.
   */
  listRepositories(registry: string, options?: AbortOptions): AsyncIterable<string>

  /**
   * What refers to a manifest by its `subject`: signatures, provenance and the like. By the referrers API, and where the
   * registry has none, by the list under the fallback tag. None is an empty list.
   *
   * @see {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers | listing referrers}
   */
  listReferrers(repository: Repository, digest: Digest, options?: ReferrersOptions): AsyncIterable<Descriptor>

  /** Deletes a manifest or index, and with it its tags; `false` if it was not there. */
  deleteManifest(repository: Repository, digest: Digest, options?: AbortOptions): Promise<boolean>

  /** Deletes a tag, not what it stands for; `false` if it was not there. Some registries refuse. */
  deleteTag(repository: Repository, tag: string, options?: AbortOptions): Promise<boolean>

  /** Deletes a blob of a repository; `false` if it was not there. */
  deleteBlob(repository: Repository, digest: Digest, options?: AbortOptions): Promise<boolean>

  /** Closes idle connections. Idempotent. */
  close(): Promise<void>
}
