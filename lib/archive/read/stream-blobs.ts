import { type Digest, splitDigest } from '../../digest/index.ts'
import { BlobNotFoundError, DigestMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobInfo, BlobReader, BlobStore, PutOptions, ReadBlobOptions, Store } from '../../store/index.ts'
import type { Member } from '../members/member.ts'
import type { TakenArchive } from '../members/take-stream.ts'
import type { ArchiveBlobs } from './read-archive.ts'

/** State of a blob: stored (with its size), or wrong if every file of its name has another digest. */
type Verdict = { readonly wrong?: DigestMismatchError; readonly size: number }

/**
 * The blobs of an archive whose files were all stored from a stream. A blob is found by the rules for an archive on
 * disk: by its path, by docker's list, or because the store had it before. A file of the archive with another path is
 * not found by its content.
 */
export class StreamBlobs implements ArchiveBlobs, BlobReader {
  readonly manifests: Pick<BlobStore, 'put'>
  readonly #store: Store
  readonly #unnamed: ReadonlySet<Digest>
  readonly #candidates = new Map<Digest, readonly Member[]>()
  readonly #verdicts = new Map<Digest, Promise<Verdict | undefined>>()
  readonly #composed = new Set<Digest>()

  constructor(store: Store, { unnamed }: TakenArchive) {
    this.#store = store
    this.#unnamed = unnamed
    this.manifests = {
      put: async (source, options) => {
        const info = await store.put(source, options)
        this.#composed.add(info.digest)
        return info
      },
    }
  }

  get reader(): BlobReader {
    return this
  }

  know(blobs: ReadonlyMap<Digest, readonly Member[]>): void {
    for (const [digest, members] of blobs) {
      this.#candidates.set(digest, [...(this.#candidates.get(digest) ?? []), ...members])
      this.#verdicts.delete(digest)
    }
  }

  async stat(digest: Digest, options: AbortOptions = {}): Promise<BlobInfo | undefined> {
    const found = await this.#find(digest, options)
    // As in an archive on disk, `stat` does not verify the content.
    return found && { digest, size: found.size }
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    await this.assertRight(digest, options)
    yield* this.#store.read(digest, options)
  }

  /**
   * Verifies that a blob is in the store.
   *
   * @throws {@link DigestMismatchError} `ERR_DIGEST_MISMATCH` if the archive has other bytes under its name.
   */
  async assertRight(digest: Digest, options: AbortOptions = {}): Promise<void> {
    const found = await this.#find(digest, options)
    if (!found) throw new BlobNotFoundError(digest)
    if (found.wrong) throw found.wrong
  }

  async #find(digest: Digest, options: AbortOptions): Promise<Verdict | undefined> {
    const known = this.#verdicts.get(digest) ?? this.#judge(digest, options)
    this.#verdicts.set(digest, known)
    return known
  }

  async #judge(digest: Digest, options: PutOptions): Promise<Verdict | undefined> {
    let wrong: Verdict | undefined
    for (const member of this.#candidates.get(digest) ?? []) {
      const fault = await this.#faultOf(digest, member, options)
      if (!fault) return { size: member.size }
      wrong ??= { wrong: fault, size: member.size }
    }
    const isOwn = !this.#unnamed.has(digest) || this.#composed.has(digest)
    const stored = isOwn ? await this.#store.stat(digest, options) : undefined
    return stored ?? wrong
  }

  /** Resolves to the mismatch of a file, if it is not the blob. */
  async #faultOf(
    digest: Digest,
    { digest: actual, wrong, path, size, read }: Member,
    { signal }: AbortOptions,
  ): Promise<DigestMismatchError | undefined> {
    if (wrong || actual === digest) return wrong
    if (actual && splitDigest(actual).algorithm === splitDigest(digest).algorithm) {
      return new DigestMismatchError({ expected: digest, actual, what: `blob ${path}` })
    }
    try {
      // The file was stored under a digest of another algorithm: a link with the name of the blob leads to it.
      await this.#store.put(read({ signal }), { digest, size, signal })
      return undefined
    } catch (error) {
      if (error instanceof DigestMismatchError) return error
      throw error
    }
  }
}
