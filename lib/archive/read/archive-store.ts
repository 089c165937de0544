import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type ByteSource, keepFault } from '../../internal/byte-source.ts'
import type { Descriptor } from '../../oci/index.ts'
import type {
  BlobInfo,
  BlobWriter,
  DerivedStore,
  LeaseInfo,
  LeaseStore,
  NamedDescriptor,
  ReadBlobOptions,
  ReferenceStore,
} from '../../store/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import type { ArchivedImage } from './archived-image.ts'
import { attachedEntry } from './attached-entry.ts'
import type { FileBlobs } from './file-blobs.ts'
import type { ImageArchive } from './image-archive.ts'
import { isAttachedEntry } from './names-to-load.ts'
import type { ReadArchive } from './read-archive.ts'
import { entriesNamed, selectEntries } from './select-entries.ts'

/** An archive behind the interface of a store, for every act that only reads a store. */
export class ArchiveStore implements ImageArchive {
  readonly format: 'oci' | 'docker'
  readonly images: readonly ArchivedImage[]
  readonly requires: readonly string[]
  readonly references: ReferenceStore
  readonly leases: LeaseStore
  readonly derived: DerivedStore
  readonly #listed: ReadArchive['listed']
  readonly #blobs: FileBlobs
  readonly #release: () => Promise<void>
  #closed: Promise<void> | undefined

  constructor(archive: ReadArchive, blobs: FileBlobs, release: () => Promise<void>) {
    this.format = archive.format
    this.images = archive.images
    this.requires = archive.requires
    this.#listed = archive.listed
    this.#blobs = blobs
    this.#release = release
    this.derived = blobs.manifests.derived
    this.references = {
      get: async (name, options) => this.#named(name, options),
      list: options => this.#names(options),
      set: () => this.#refuse('set a name'),
      delete: () => this.#refuse('remove a name'),
    }
    this.leases = {
      hold: async () => ({
        id: 'archive',
        add: digest => this.leases.touch(digest),
        renew: async () => {},
        release: async () => {},
        [Symbol.asyncDispose]: async () => {},
      }),
      touch: async (digest, options) => (await this.stat(digest, options)) !== undefined,
      list: () => noLeases(),
    }
  }

  find(wanted?: string): ArchivedImage {
    this.#assertOpen()
    if (wanted !== undefined) return selectEntries(this.images, wanted)[0]!
    const [only, another] = this.images.filter(image => !isAttachedEntry(image))
    if (only && !another) return only
    const names = this.images.map(({ labels }, i) => labels[0] ?? `@${i}`).join(', ')
    throw invalidArchive(`it holds ${this.images.length} images; name one of them: ${names}`)
  }

  async stat(digest: Digest, options?: AbortOptions): Promise<BlobInfo | undefined> {
    this.#assertOpen()
    return this.#blobs.stat(digest, options)
  }

  async *read(digest: Digest, options?: ReadBlobOptions): AsyncGenerator<Uint8Array, void, undefined> {
    this.#assertOpen()
    yield* this.#blobs.read(digest, options)
  }

  async *list(options?: AbortOptions): AsyncGenerator<BlobInfo, void, undefined> {
    this.#assertOpen()
    yield* this.#blobs.list(options)
  }

  put(source: ByteSource): Promise<BlobInfo> {
    keepFault(source)
    return this.#refuse('put a blob')
  }

  ingest(): Promise<BlobWriter> {
    return this.#refuse('write a blob')
  }

  delete(): Promise<void> {
    return this.#refuse('delete a blob')
  }

  async #named(name: string, options: AbortOptions = {}): Promise<Descriptor | undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const [image] = entriesNamed(this.images, name)
    return image?.descriptor ?? attachedEntry(this.#listed, name)
  }

  async *#names(options: AbortOptions = {}): AsyncGenerator<NamedDescriptor, void, undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const names = this.images.flatMap(({ names, labels, descriptor }) =>
      (names.length > 0 ? names : labels).map(name => ({ name, descriptor })),
    )
    yield* names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }

  async #refuse(act: string): Promise<never> {
    this.#assertOpen()
    throw new StoreError('ERR_STORE_READ_ONLY', `cannot ${act}: archives are read-only`)
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError('ERR_STORE_CLOSED', 'this archive has been closed')
  }

  close(): Promise<void> {
    this.#closed ??= this.#release()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function* noLeases(): AsyncGenerator<LeaseInfo, void, undefined> {}
