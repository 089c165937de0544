import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { settleAll } from '../../internal/settle-all.ts'
import { type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { BlobReader, NamedDescriptor, ReferenceStore, SetReferenceOptions } from '../../store/index.ts'
import { assertComplete, assertExpected, nameableGraph, spellingsOf, storedName } from '../../store/index.ts'
import { syncBlobs } from '../blobs/sync-blobs.ts'
import type { DiskContext } from '../disk-context.ts'
import { IndexCache } from './index-cache.ts'
import { IndexEditor } from './index-editor.ts'
import { type AllEntries, descriptorOf, entriesOf, type IndexFile, namesOf, orderedNames } from './index-file.ts'
import { readRemovals } from './removals.ts'

/** Names in `index.json`, as the annotations that image-spec defines. */
export class DiskReferences implements ReferenceStore {
  readonly #context: DiskContext
  readonly #blobs: BlobReader
  readonly #cache: IndexCache
  readonly #editor: IndexEditor
  readonly #removals = new WeakMap<object, Promise<number>>()
  #entries: (AllEntries & { readonly index: IndexFile }) | undefined

  constructor(context: DiskContext, blobs: BlobReader) {
    this.#context = context
    this.#blobs = blobs
    this.#cache = new IndexCache(context.places)
    this.#editor = new IndexEditor(context, this.#cache)
  }

  async get(name: string, options: AbortOptions = {}): Promise<Descriptor | undefined> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const spellings = spellingsOf(name)
    const index = await this.#cache.read()
    const spelling = spellings.find(spelled => index.names.has(spelled))
    return spelling === undefined ? undefined : descriptorOf(index, spelling)
  }

  async set(name: string, descriptor: Descriptor, options: SetReferenceOptions = {}): Promise<string> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const kept = storedName(name, options)
    const copy = structuredClone(parseDescriptor(descriptor))
    await this.#context.prepareWrite()
    await this.#context.batch.flush()
    const removals = await readRemovals(this.#context)
    const blobs = await nameableGraph(this.#blobs, copy, options)
    if (this.#context.settings.durable) await this.#syncThoseOfOthers([...blobs.keys()])
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const spellings = spellingsOf(name)
    await this.#editor.edit(
      draft => {
        const spelling = spellings.find(spelled => draft.has(spelled))
        assertExpected(kept, spelling === undefined ? undefined : draft.digestOf(spelling), options)
        // An entry that another tool wrote under the given spelling would hide the new one.
        if (name !== kept) draft.delete(name)
        draft.set(kept, copy)
      },
      options.signal,
      async held => {
        // SAFETY: a collection may have removed blobs since the check, and the name would refer to an incomplete image.
        // It moves blobs only under this lock and then increments the counter, so a changed counter means: check again.
        if ((await this.#removalsDuring(held)) !== removals) await assertComplete(this.#blobs, copy)
      },
    )
    return kept
  }

  /** PERF: read once for all names that are set while the lock is held. */
  #removalsDuring(held: object): Promise<number> {
    const known = this.#removals.get(held)
    if (known) return known
    const read = readRemovals(this.#context)
    this.#removals.set(held, read)
    return read
  }

  /**
   * Syncs blobs of other open stores: a name must not survive a power cut without its blobs, and a store with
   * `durability: 'batch'` may not have synced them yet.
   */
  async #syncThoseOfOthers(blobs: readonly Digest[]): Promise<void> {
    const since = await this.#context.batch.othersSince()
    if (since === Number.POSITIVE_INFINITY) return
    const looks = await settleAll(blobs.map(digest => this.#context.looks.look(digest)))
    const young = blobs.filter((_, i) => (looks[i]?.mtimeMs ?? 0) >= since)
    await syncBlobs(this.#context, young)
  }

  /** Every entry of the index, for collections: named entries, and the unparsed others. */
  async entries(): Promise<AllEntries> {
    const index = await this.#cache.readNow()
    if (this.#entries?.index !== index) this.#entries = { index, ...entriesOf(index) }
    return this.#entries
  }

  /** Removes names that still refer to these digests; resolves to the names removed. */
  async forget(names: readonly { name: string; digest: Digest }[], options: AbortOptions): Promise<string[]> {
    await this.#context.prepareWrite()
    return this.#editor.edit(
      draft => names.flatMap(({ name, digest }) => (draft.deleteIf(name, digest) ? [name] : [])),
      options.signal,
    )
  }

  async delete(name: string, options: AbortOptions = {}): Promise<boolean> {
    await this.#context.prepareWrite()
    options.signal?.throwIfAborted()
    const spellings = spellingsOf(name)
    return this.#editor.edit(draft => {
      const spelling = spellings.find(spelled => draft.has(spelled))
      return spelling !== undefined && draft.delete(spelling)
    }, options.signal)
  }

  async names(options: AbortOptions = {}): Promise<readonly string[]> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return orderedNames(await this.#cache.read())
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<NamedDescriptor, void, undefined> {
    this.#context.assertOpen()
    for (const entry of namesOf(await this.#cache.read())) {
      options.signal?.throwIfAborted()
      yield entry
    }
  }

  /** Rejects if the index is invalid. */
  async check(): Promise<void> {
    await this.#cache.readNow()
  }

  /** Resolves when every pending change has completed. */
  settle(): Promise<void> {
    return this.#editor.settle()
  }
}
