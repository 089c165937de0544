import type { Digest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import { type Descriptor, type ImageDocument, Limits, parseImageDocument } from '../../spec/index.ts'
import { type BlobInfo, readDocument, type Store } from '../../store/index.ts'
import { referrerEntry, subjectOf } from './referrer-entry.ts'

/** The smallest JSON that names a subject is longer. */
const SMALLEST_REFERRER = 90
/** How long what was seen of the store counts, at least. */
const FRESH_MS = 2000
/** PERF: no more than a twentieth of the time goes into looking for new blobs, however large the store is. */
const PAUSE_FACTOR = 20
const BRACE = 0x7b

/**
 * Which manifests of the store name another one as their subject. Blobs do not tell that to each other, so it is looked
 * for: every small blob once, when first asked; then those that came since.
 */
export class ReferrerIndex {
  readonly #store: Store
  readonly #seen = new Set<Digest>()
  /** PERF: digests only; whoever signs an image may write megabytes of annotations. */
  readonly #referrers = new Map<Digest, Set<BlobInfo>>()
  #scan: Promise<void> | undefined
  #freshUntil = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** Takes note of a manifest that has just been stored. Gives its subject, if it has one. */
  add({ digest, size }: BlobInfo, document: ImageDocument): Digest | undefined {
    const subject = subjectOf(document)
    if (subject !== undefined && !this.#seen.has(digest)) {
      this.#referrers.set(subject, (this.#referrers.get(subject) ?? new Set()).add({ digest, size }))
    }
    this.#seen.add(digest)
    return subject
  }

  /** What a list says of everything in the store whose subject is this one, by digest. */
  async find(subject: Digest): Promise<readonly Descriptor[]> {
    if (performance.now() >= this.#freshUntil) {
      this.#scan ??= this.#look().finally(() => {
        this.#scan = undefined
      })
      await this.#scan
    }
    const found: Descriptor[] = []
    for (const blob of this.#referrers.get(subject) ?? []) {
      const document = await this.#read(blob)
      if (document) found.push(referrerEntry({ ...blob, mediaType: document.mediaType }, document))
    }
    return found
  }

  async #look(): Promise<void> {
    const started = performance.now()
    for await (const blob of this.#store.list()) {
      if (this.#seen.has(blob.digest)) continue
      const isSmall = blob.size >= SMALLEST_REFERRER && blob.size <= Limits.manifestBytes
      const document = isSmall && (await this.#isJson(blob)) ? await this.#read(blob) : undefined
      if (document) this.add(blob, document)
      this.#seen.add(blob.digest)
    }
    const now = performance.now()
    this.#freshUntil = now + Math.max(FRESH_MS, PAUSE_FACTOR * (now - started))
  }

  /** PERF: layers are not read, only looked at. */
  async #isJson({ digest }: BlobInfo): Promise<boolean> {
    try {
      for await (const chunk of this.#store.read(digest, { offset: 0, length: 1 })) return chunk[0] === BRACE
    } catch (error) {
      // Gone since, or not readable: whatever it is, nobody can fetch it now.
      if (!LayerStoreError.is(error) || error.code === 'ERR_STORE_CLOSED') throw error
    }
    return false
  }

  /** `undefined` for a config, or something of another kind; and for what is gone or damaged, as whoever asks for it hears. */
  async #read(blob: BlobInfo): Promise<ImageDocument | undefined> {
    try {
      return parseImageDocument(await readDocument(this.#store, { ...blob, mediaType: '' }))
    } catch (error) {
      if (!LayerStoreError.is(error) || error.code === 'ERR_STORE_CLOSED') throw error
      return undefined
    }
  }
}
