import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, parseDescriptor } from '../../oci/index.ts'
import { nameableGraph } from '../assert-complete.ts'
import type { BlobReader } from '../blob-store.ts'
import { assertExpected } from '../drivers/assert-expected.ts'
import { spellingsOf, storedName } from '../drivers/reference-name.ts'
import type { NamedDescriptor, ReferenceStore, SetReferenceOptions } from '../reference-store.ts'

/** The parts of a memory store that names use. */
export interface MemoryReferencesParts {
  assertOpen(): void
  /** Counter of removed blobs. */
  removals(): number
}

/** Names of a memory store. */
export class MemoryReferences implements ReferenceStore {
  readonly #names = new Map<string, Descriptor>()
  readonly #blobs: BlobReader
  readonly #store: MemoryReferencesParts
  #changes = 0
  #sorted: readonly string[] | undefined

  constructor(blobs: BlobReader, store: MemoryReferencesParts) {
    this.#blobs = blobs
    this.#store = store
  }

  /** Counter of names set. */
  get changes(): number {
    return this.#changes
  }

  #assertOpen(): void {
    this.#store.assertOpen()
  }

  async get(name: string, options: AbortOptions = {}): Promise<Descriptor | undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const spelling = spellingsOf(name).find(spelled => this.#names.has(spelled))
    return spelling === undefined ? undefined : structuredClone(this.#names.get(spelling))
  }

  async set(name: string, descriptor: Descriptor, options: SetReferenceOptions = {}): Promise<string> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const kept = storedName(name, options)
    const copy = structuredClone(parseDescriptor(descriptor))
    // A collection may remove a blob during the check: retry until no blob was removed meanwhile.
    for (let removals: number | undefined; removals !== this.#store.removals(); ) {
      removals = this.#store.removals()
      await nameableGraph(this.#blobs, copy, options)
      this.#assertOpen()
    }
    const spelling = spellingsOf(name).find(spelled => this.#names.has(spelled))
    assertExpected(kept, this.#names.get(spelling ?? kept)?.digest, options)
    if (!this.#names.has(kept)) this.#sorted = undefined
    this.#names.set(kept, copy)
    this.#changes++
    return kept
  }

  async delete(name: string, options: AbortOptions = {}): Promise<boolean> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const spelling = spellingsOf(name).find(spelled => this.#names.has(spelled))
    if (spelling === undefined) return false
    this.#sorted = undefined
    return this.#names.delete(spelling)
  }

  async names(options: AbortOptions = {}): Promise<readonly string[]> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    return this.#inOrder()
  }

  #inOrder(): readonly string[] {
    this.#sorted ??= [...this.#names.keys()].sort()
    return this.#sorted
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<NamedDescriptor, void, undefined> {
    this.#assertOpen()
    for (const name of this.#inOrder()) {
      options.signal?.throwIfAborted()
      const descriptor = this.#names.get(name)
      if (descriptor) yield { name, descriptor: structuredClone(descriptor) }
    }
  }
}
