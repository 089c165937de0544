import type { Digest, FileLender } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor, Reference, Repository } from '../oci/index.ts'

/** A manifest or index as the registry sent it. */
export interface FetchedManifest {
  /**
   * Media type, digest and size of the bytes. The client computed the digest and compared it with the requested one.
   */
  readonly descriptor: Descriptor
  /** The bytes as received. Never serialise the document anew: that changes its digest. */
  readonly bytes: Uint8Array
}

/** A blob that a registry holds. */
export interface RemoteBlob {
  /** Size in bytes. */
  readonly size: number
}

/** Options of {@link RegistryClient.fetchBlob}. */
export interface FetchBlobOptions extends AbortOptions {
  /** First byte to deliver. @defaultValue `0` */
  readonly offset?: number | undefined
  /**
   * Number of ranges of a large blob to fetch concurrently. Bytes still arrive in order; up to `parallel` parts of 4
   * MiB are held in memory. A blob of a registry without ranges is read as one stream. @defaultValue `1`
   */
  readonly parallel?: number | undefined
  /**
   * Also fetch from the first 16 addresses in the descriptor's `urls`, after the registry, without credentials and
   * under the same URL policy. The author of the manifest chose these addresses. @defaultValue `false`
   */
  readonly foreign?: boolean | undefined
  /** Receives the number of bytes that a server sent again because it ignored a requested range. */
  readonly onRepeated?: ((bytes: number) => void) | undefined
  /**
   * Let the client reuse the memory of chunks: a chunk is valid until the caller asks for the next one or leaves the
   * loop. Takes less than half the time over plain http. @defaultValue `false`
   */
  readonly borrow?: boolean | undefined
  /**
   * Owner of a file for the bytes from `offset` on, such as the `lender` of a blob writer. A worker thread may then
   * receive a long blob and append it to the file; the chunks of such bytes are `TakenBytes`, which only count. Pass
   * each chunk to the owner, as every other one. Has no effect with `parallel`. @defaultValue none
   */
  readonly lender?: FileLender | undefined
}

/**
 * Keeps the state of unfinished uploads, so that another process can resume them. A store's derived data is suitable.
 * Any entry may be lost at any time; that only costs a request.
 *
 * An entry contains the address of an upload, which may be signed: keep it as a secret. Keys have 1 to 200 characters
 * out of `a-z 0-9 . _ : + -`.
 */
export interface UploadMemory {
  /** Resolves to the bytes under a key; `undefined` if there are none. */
  get(key: string, options?: AbortOptions): Promise<Uint8Array | undefined>
  /** Stores bytes under a key and replaces earlier ones. */
  set(key: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>
  /** Deletes the bytes under a key. Idempotent. */
  delete(key: string, options?: AbortOptions): Promise<void>
}

/** Options of {@link RegistryClient.pushBlob}. */
export interface PushBlobOptions extends AbortOptions {
  /**
   * Opens the source at an offset, to resume an upload. Without it the client opens the source at the start and skips
   * the bytes that the registry already holds.
   */
  readonly openAt?: ((offset: number) => AsyncIterable<Uint8Array>) | undefined
  /**
   * Opens the source at an offset for a worker thread: its chunks may be `LentBytes`, the places of bytes in a file. A
   * thread then reads the file and sends a long blob. The calling thread sends other chunks. @defaultValue none
   */
  readonly openLent?: ((offset: number) => AsyncIterable<Uint8Array>) | undefined
  /**
   * Size of the pieces in bytes; a smaller blob is sent whole. The registry's minimum and the sizes that it refused as
   * too large take precedence. @defaultValue in one piece; after a failure, or with `uploads`, in pieces of 16 MiB
   */
  readonly chunkBytes?: number | undefined
  /**
   * Keeps the state of the upload. With it, an upload that fails or is aborted stays open at the registry, and the next
   * call with the same repository and digest resumes it. Without it, the client cancels such an upload.
   */
  readonly uploads?: UploadMemory | undefined
  /**
   * Let the registry mount the blob from another repository instead of receiving its bytes: from the named repository
   * first, then from any (`true`), or from none (`false`). The request that opens the upload asks for it, so it costs
   * no request. @defaultValue `true`
   */
  readonly mount?: boolean | MountSource | undefined
}

/** A repository that probably holds the blob already. */
export interface MountSource {
  /** Name of another repository of the same registry. */
  readonly from: string
}

/** Outcome of a push: the client sent the bytes, or the registry mounted the blob from another repository. */
export type PushedBlob = 'uploaded' | 'mounted'

/** Options of {@link RegistryClient.listReferrers}. */
export interface ReferrersOptions extends AbortOptions {
  /** List only referrers of this artifact type. */
  readonly artifactType?: string | undefined
}

/**
 * Client of the OCI distribution protocol for any number of registries.
 *
 * The client streams blobs and bounds them by their size, but does not hash them: the store hashes every byte once. It
 * bounds and hashes manifests and compares their digest, since they name everything else. Every method rejects with
 * {@link RegistryError} (`ERR_NETWORK`, `ERR_UNAUTHORIZED`, `ERR_RATE_LIMITED`, `ERR_REGISTRY`, `ERR_PROTOCOL`,
 * `ERR_BLOCKED_URL`, `ERR_CREDENTIALS`) or with the signal's reason.
 *
 * @see {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md | distribution-spec}
 */
export interface RegistryClient extends AsyncDisposable {
  /**
   * Checks that a registry can be reached and takes the credentials that there are for it: `GET /v2/`, as a login does.
   * A registry that asks for no credentials takes any.
   *
   * @param registry - Name of the registry as in references.
   * @throws {@link RegistryError} `ERR_UNAUTHORIZED` if it refuses them.
   */
  checkAccess(registry: string, options?: AbortOptions): Promise<void>

  /**
   * Resolves a reference to the media type, digest and size of its manifest. Uses HEAD; if the registry refuses HEAD or
   * answers it incompletely, fetches the manifest.
   *
   * @throws {@link RegistryError} `ERR_MANIFEST_NOT_FOUND`.
   */
  resolve(reference: Reference, options?: AbortOptions): Promise<Descriptor>

  /**
   * Fetches the manifest or index of a reference. If the reference has a digest, the bytes have that digest.
   *
   * @throws {@link RegistryError} `ERR_MANIFEST_NOT_FOUND`; {@link LimitError} above 4 MiB;
   * {@link DigestMismatchError}.
   */
  fetchManifest(reference: Reference, options?: AbortOptions): Promise<FetchedManifest>

  /**
   * Uploads a manifest or index under its digest and the given tags. The registry must already hold everything that it
   * names. Several tags are sent in one request if the registry supports that, else one after the other.
   *
   * If the manifest has a `subject` and the registry has no referrers API, the client adds the manifest to the list of
   * referrers under the subject's fallback tag. Calls of one client change that list in turn. The client detects that
   * another program overwrote its change and repeats it up to 4 times.
   *
   * @returns the digest under which the registry keeps the manifest.
   * @throws {@link RegistryError} with `MANIFEST_BLOB_UNKNOWN` among its `errors` if the registry lacks something that
   * the manifest names.
   */
  pushManifest(
    repository: Repository,
    manifest: FetchedManifest,
    tag?: string | readonly string[],
    options?: AbortOptions,
  ): Promise<Digest>

  /**
   * Resolves to the size of a blob as the registry reports it; `undefined` if the repository does not hold the blob, or
   * if only fetching it would tell its size.
   */
  statBlob(repository: Repository, digest: Digest, options?: AbortOptions): Promise<RemoteBlob | undefined>

  /**
   * Streams a blob from `offset` on: from the mirrors of its registry in order, then from the registry, then, with
   * `foreign`, from the descriptor's `urls`. The client resumes a broken connection with `Range` a bounded number of
   * times, then continues at the next source. A server that ignores `Range` costs time, never a wrong byte. More bytes
   * than the descriptor's size are an error.
   *
   * **The client does not check the digest**, and the bytes may come from several sources. The caller compares the
   * digest; if it differs, the caller discards all bytes and calls {@link distrustBlob}.
   *
   * The client removes a content coding that a proxy has added to the blob.
   *
   * @throws {@link RegistryError} `ERR_REMOTE_BLOB_NOT_FOUND`; {@link SizeMismatchError}; {@link LimitError} if six
   * times the size of the blob was received and the blob is still incomplete. If all sources failed, the error is that
   * of the registry itself.
   */
  fetchBlob(repository: Repository, descriptor: Descriptor, options?: FetchBlobOptions): AsyncIterable<Uint8Array>

  /** Lists the sources of a repository's blobs in the order of use: mirrors by their locations, then the registry. */
  sourcesOf(repository: Repository): readonly string[]

  /**
   * Reports that the bytes which {@link fetchBlob} delivered did not have the blob's digest. The client no longer asks
   * the sources of these bytes for this blob. If the last source remaining delivered all of them, the client asks it
   * once more.
   *
   * @returns whether to fetch the blob again, from its first byte on.
   */
  distrustBlob(repository: Repository, digest: Digest): boolean

  /**
   * Uploads a blob. `open` returns its bytes from the start; the client calls it again to repeat the upload. A blob
   * sent in pieces resumes at the offset that the registry reports; a blob sent in one piece starts anew. If the
   * registry mounts the blob from another repository, the client sends nothing.
   *
   * The client learns whether a registry takes bodies by PATCH only or with the closing PUT only, and sends them that
   * way.
   *
   * @throws the error of `open`'s stream (the registry then keeps nothing); {@link LimitError} if six times the size of
   * the blob was sent and the upload is still incomplete.
   */
  pushBlob(
    repository: Repository,
    descriptor: Descriptor,
    open: () => AsyncIterable<Uint8Array>,
    options?: PushBlobOptions,
  ): Promise<PushedBlob>

  /**
   * Resolves to the number of bytes of a blob that the registry holds in an upload which an earlier {@link pushBlob}
   * with the same memory left open; `undefined` if there is no such upload.
   */
  statUpload(
    repository: Repository,
    digest: Digest,
    uploads: UploadMemory,
    options?: AbortOptions,
  ): Promise<number | undefined>

  /**
   * Asks the registry to mount a blob from another of its repositories; without `from`, from any. `false` if the
   * registry does not mount it.
   */
  mountBlob(repository: Repository, digest: Digest, from?: string, options?: AbortOptions): Promise<boolean>

  /** Lists the tags of a repository; fetches each page when the loop reaches it. */
  listTags(repository: Repository, options?: AbortOptions): AsyncIterable<string>

  /**
   * Lists the repositories of a registry; fetches each page when the loop reaches it. Many registries refuse, Docker
   * Hub and GHCR among them.
   *
   * @param registry - Name of the registry as in references.
   */
  listRepositories(registry: string, options?: AbortOptions): AsyncIterable<string>

  /**
   * Lists the manifests whose `subject` is this manifest, such as signatures and provenance. Uses the referrers API; if
   * the registry has none, the list under the fallback tag. A manifest without referrers has an empty list.
   *
   * @see
   * {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers | listing referrers}
   */
  listReferrers(repository: Repository, digest: Digest, options?: ReferrersOptions): AsyncIterable<Descriptor>

  /** Deletes a manifest or index together with its tags; `false` if it did not exist. */
  deleteManifest(repository: Repository, digest: Digest, options?: AbortOptions): Promise<boolean>

  /**
   * Deletes a tag but not its manifest; `false` if it did not exist.
   *
   * @throws {@link RegistryError} `ERR_TAG_DELETION_UNSUPPORTED` if the registry does not delete tags: delete the
   * manifest by its digest then, with all its tags.
   */
  deleteTag(repository: Repository, tag: string, options?: AbortOptions): Promise<boolean>

  /** Deletes a blob from a repository; `false` if it did not exist. */
  deleteBlob(repository: Repository, digest: Digest, options?: AbortOptions): Promise<boolean>

  /** Closes idle connections. Idempotent. */
  close(): Promise<void>
}
