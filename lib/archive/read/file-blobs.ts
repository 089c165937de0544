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

/** The blobs of an archive on disk, read where they stand, and the manifests that were composed for its images. */
export class FileBlobs implements ArchiveBlobs, BlobReader {
  /** Manifests that the archive does not hold; all else about it that is worth keeping while it is open. */
  readonly manifests: Store = createMemoryStore()
  readonly #members = new Map<Digest, Member>()
  readonly #hasher: HasherEngine | undefined

  constructor(hasher: HasherEngine | undefined) {
    this.#hasher = hasher
  }

  get reader(): BlobReader {
    return this
  }

  know(blobs: ReadonlyMap<Digest, Member>): void {
    for (const [digest, member] of blobs) this.#members.set(digest, member)
  }

  async stat(digest: Digest, options: AbortOptions = {}): Promise<BlobInfo | undefined> {
    options.signal?.throwIfAborted()
    const member = this.#members.get(parseDigest(digest))
    return member ? { digest, size: member.size } : this.manifests.stat(digest, options)
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    options.signal?.throwIfAborted()
    const member = this.#members.get(parseDigest(digest))
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

  /** The digests of the blobs in the archive and of the manifests made for it. */
  async *list(options: AbortOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    for (const [digest, { size }] of this.#members) yield { digest, size }
    for await (const blob of this.manifests.list(options)) if (!this.#members.has(blob.digest)) yield blob
  }
}

/** Blobs of an archive that have all been taken into a store. */
export function storedBlobs(store: Store): ArchiveBlobs {
  return { reader: store, manifests: store, know: () => {} }
}

/** Where to look for blobs that an archive leaves out, because the receiver has them: behind the archive, in the store. */
export function besideStore(blobs: FileBlobs, store: BlobReader): ArchiveBlobs & { readonly reader: BlobReader } {
  const reader: BlobReader = {
    stat: async (digest, options) => (await blobs.stat(digest, options)) ?? store.stat(digest, options),
    async *read(digest, options) {
      yield* (await blobs.stat(digest, options)) ? blobs.read(digest, options) : store.read(digest, options)
    },
  }
  return { reader, manifests: blobs.manifests, know: known => blobs.know(known) }
}
