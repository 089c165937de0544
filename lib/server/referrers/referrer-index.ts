import type { Digest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import { type Descriptor, type ImageDocument, parseImageDocument, referrerEntry, subjectOf } from '../../oci/index.ts'
import { type BlobInfo, driverOf, listDocuments, readDocument, type Store } from '../../store/index.ts'
import type { ManifestMemory } from '../manifests/manifest-memory.ts'

/** Lower bound for the size of a manifest with a subject; smaller blobs are skipped. */
const SMALLEST_REFERRER = 90
/** Least time in milliseconds between two scans of the store. */
const FRESH_MS = 2000
/**
 * PERF: the pause after a scan is 20 times its duration, so scans take at most 5 % of the time, whatever the size of
 * the store.
 */
const PAUSE_FACTOR = 20
const BRACE = 0x7b

/**
 * Index of the manifests in the store by their subject. The store has no such list, so the server scans for it: at the
 * first question all blobs that may be documents, later those that were added since.
 */
export class ReferrerIndex {
  readonly #store: Store
  readonly #memory: ManifestMemory
  readonly #seen = new Set<Digest>()
  /** PERF: holds digests only; the annotations of a signature may have megabytes. */
  readonly #referrers = new Map<Digest, Set<BlobInfo>>()
  #scan: Promise<void> | undefined
  #freshUntil = 0

  constructor(store: Store, memory: ManifestMemory) {
    this.#store = store
    this.#memory = memory
  }

  /** Adds a manifest that has just been stored. Returns its subject, if it has one. */
  add({ digest, size }: BlobInfo, document: ImageDocument): Digest | undefined {
    const subject = subjectOf(document)?.digest
    if (subject === undefined) this.#seen.add(digest)
    else this.note({ digest, size }, subject)
    return subject
  }

  /** Adds a manifest whose subject is known. */
  note({ digest, size }: BlobInfo, subject: Digest): void {
    if (!this.#seen.has(digest)) {
      this.#referrers.set(subject, (this.#referrers.get(subject) ?? new Set()).add({ digest, size }))
    }
    this.#seen.add(digest)
  }

  /**
   * Entries for all manifests in the store whose subject has this digest, sorted by digest, after `last`. Reads one
   * manifest at a time, when its entry is requested.
   */
  async *find(subject: Digest, last: string | null, signal: AbortSignal): AsyncGenerator<Descriptor, void, undefined> {
    if (performance.now() >= this.#freshUntil) {
      this.#scan ??= this.#scanStore().finally(() => {
        this.#scan = undefined
      })
      await abortable(this.#scan, signal)
    }
    const blobs = [...(this.#referrers.get(subject) ?? [])].filter(({ digest }) => last === null || digest > last)
    blobs.sort((a, b) => (a.digest < b.digest ? -1 : 1))
    for (const blob of blobs) {
      const document = await this.#memory.during(blob.size, signal, () => this.#read(blob))
      if (document) yield referrerEntry({ ...blob, mediaType: document.mediaType }, document)
    }
  }

  async #scanStore(): Promise<void> {
    const started = performance.now()
    for await (const blob of listDocuments(driverOf(this.#store))) {
      if (this.#seen.has(blob.digest)) continue
      const document = blob.size >= SMALLEST_REFERRER && (await this.#isJson(blob)) ? await this.#read(blob) : undefined
      if (document) this.add(blob, document)
      this.#seen.add(blob.digest)
    }
    const now = performance.now()
    this.#freshUntil = now + Math.max(FRESH_MS, PAUSE_FACTOR * (now - started))
  }

  /** Whether a blob may be JSON. PERF: reads one byte, so that layers are not read as a whole. */
  async #isJson({ digest }: BlobInfo): Promise<boolean> {
    try {
      for await (const chunk of this.#store.read(digest, { offset: 0, length: 1 })) return chunk[0] === BRACE
    } catch (error) {
      // The blob is deleted or unreadable: a client could not fetch it either.
      if (!LayerStoreError.is(error) || error.code === 'ERR_STORE_CLOSED') throw error
    }
    return false
  }

  /**
   * Reads a manifest; `undefined` for a blob of another kind, and for a deleted or damaged one, which a client could
   * not fetch.
   */
  async #read(blob: BlobInfo): Promise<ImageDocument | undefined> {
    try {
      return parseImageDocument(await readDocument(this.#store, { ...blob, mediaType: '' }))
    } catch (error) {
      if (!LayerStoreError.is(error) || error.code === 'ERR_STORE_CLOSED') throw error
      return undefined
    }
  }
}
