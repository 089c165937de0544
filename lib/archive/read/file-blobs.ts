import { type Digest, type HasherEngine, parseDigest, verifyBytes } from '../../digest/index.ts'
import { BlobCorruptError, DigestMismatchError, SizeMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import {
  type BlobInfo,
  type BlobReader,
  createMemoryStore,
  type ReadBlobOptions,
  type Store,
} from '../../store/index.ts'
import type { Member } from '../members/member.ts'
import type { ArchiveBlobs } from './read-archive.ts'

/** The blobs of an archive on disk, read in place, and the manifests that were composed for its images. */
export class FileBlobs implements ArchiveBlobs, BlobReader {
  /** Manifests that the archive does not hold, and derived data worth keeping while the archive is open. */
  readonly manifests: Store = createMemoryStore()
  readonly #candidates = new Map<Digest, readonly Member[]>()
  readonly #chosen = new Map<Digest, Promise<Member>>()
  readonly #hasher: HasherEngine | undefined

  constructor(hasher: HasherEngine | undefined) {
    this.#hasher = hasher
  }

  get reader(): BlobReader {
    return this
  }

  know(blobs: ReadonlyMap<Digest, readonly Member[]>): void {
    for (const [digest, members] of blobs) {
      const known = this.#candidates.get(digest) ?? []
      this.#candidates.set(digest, [...known, ...members.filter(member => !known.includes(member))])
      this.#chosen.delete(digest)
    }
  }

  /**
   * Takes the first file with the name of a blob that has its digest. If none matches, takes the first one, whose read
   * then reports the mismatch.
   */
  async #memberOf(digest: Digest): Promise<Member | undefined> {
    const candidates = this.#candidates.get(parseDigest(digest)) ?? []
    if (candidates.length <= 1) return candidates[0]
    const chosen = this.#chosen.get(digest) ?? this.#choose(digest, candidates)
    this.#chosen.set(digest, chosen)
    return chosen
  }

  async #choose(digest: Digest, candidates: readonly Member[]): Promise<Member> {
    for (const member of candidates) {
      try {
        for await (const _ of verifyBytes(member.read(), { digest, size: member.size }, { hasher: this.#hasher }));
        return member
      } catch (error) {
        if (!(error instanceof DigestMismatchError)) throw error
      }
    }
    return candidates[0] as Member
  }

  async stat(digest: Digest, options: AbortOptions = {}): Promise<BlobInfo | undefined> {
    options.signal?.throwIfAborted()
    const member = await this.#memberOf(digest)
    return member ? { digest, size: member.size } : this.manifests.stat(digest, options)
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    options.signal?.throwIfAborted()
    const member = await this.#memberOf(digest)
    if (!member) return yield* this.manifests.read(digest, options)
    const { offset = 0, length = member.size, signal } = options
    const content = member.read({ offset, length, signal })
    const isWhole = offset === 0 && length >= member.size
    if (!isWhole || options.verify === 'never') return yield* content
    yield* this.#verified(content, { digest, size: member.size })
  }

  async *#verified(content: AsyncIterable<Uint8Array>, blob: BlobInfo): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* verifyBytes(content, blob, { hasher: this.#hasher })
    } catch (cause) {
      if (!(cause instanceof DigestMismatchError || cause instanceof SizeMismatchError)) throw cause
      const { expected, actual } = cause
      throw new BlobCorruptError({ digest: blob.digest, expected: `${expected}`, actual: `${actual}` }, { cause })
    }
  }

  /** Yields the digests of the blobs in the archive and of the manifests composed for it. */
  async *list(options: AbortOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    for (const digest of this.#candidates.keys()) {
      const { size } = (await this.#memberOf(digest)) as Member
      yield { digest, size }
    }
    for await (const blob of this.manifests.list(options)) if (!this.#candidates.has(blob.digest)) yield blob
  }
}

/**
 * The blobs of an archive together with those of the store that receives them: blobs of the store are used first and
 * may be absent from the archive.
 */
export function behindStore(blobs: FileBlobs, store: BlobReader): ArchiveBlobs & { readonly reader: BlobReader } {
  const reader: BlobReader = {
    stat: async (digest, options) => (await store.stat(digest, options)) ?? blobs.stat(digest, options),
    async *read(digest, options) {
      yield* (await store.stat(digest, options)) ? store.read(digest, options) : blobs.read(digest, options)
    },
  }
  return { reader, manifests: blobs.manifests, know: known => blobs.know(known) }
}
