import type { Digest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor, Reference, Repository } from '../spec/index.ts'

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

/** Which bytes of a remote blob to fetch. */
export interface FetchBlobOptions extends AbortOptions {
  /** First byte to deliver. @defaultValue `0` */
  readonly offset?: number | undefined
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
   * What a reference stands for now: media type, digest and size of its manifest, by HEAD where the registry answers it.
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
   * Uploads a manifest or index, under its digest and, if given, a tag. What it names must be there before.
   *
   * @returns the digest under which the registry keeps it.
   */
  pushManifest(repository: Repository, manifest: FetchedManifest, tag?: string, options?: AbortOptions): Promise<Digest>

  /** Whether the repository holds the blob, and its size as the registry says. */
  statBlob(repository: Repository, digest: Digest, options?: AbortOptions): Promise<RemoteBlob | undefined>

  /**
   * The bytes of a blob from `offset` on. A broken connection is resumed with `Range` a bounded number of times; a
   * server that ignores `Range` costs time, never a wrong byte. Surplus bytes are an error; the digest is not checked.
   *
   * @throws {@link RegistryError} `ERR_REMOTE_BLOB_NOT_FOUND`; {@link SizeMismatchError}.
   */
  fetchBlob(repository: Repository, descriptor: Descriptor, options?: FetchBlobOptions): AsyncIterable<Uint8Array>

  /**
   * Uploads a blob in one piece. `open` gives its bytes from the start; it is called again if the upload must be repeated.
   *
   * @throws what `open`'s stream throws, then nothing is kept by the registry.
   */
  pushBlob(
    repository: Repository,
    descriptor: Descriptor,
    open: () => AsyncIterable<Uint8Array>,
    options?: AbortOptions,
  ): Promise<void>

  /** Asks the registry to take a blob over from another of its repositories; `false` if it would not. */
  mountBlob(repository: Repository, digest: Digest, from: string, options?: AbortOptions): Promise<boolean>

  /** The tags of a repository, page by page. */
  listTags(repository: Repository, options?: AbortOptions): AsyncIterable<string>

  /** Closes idle connections. Idempotent. */
  close(): Promise<void>
}
