import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, parseDescriptor } from '../../spec/index.ts'
import { assertComplete } from '../assert-complete.ts'
import type { BlobReader } from '../blob-store.ts'
import type { NamedDescriptor, ReferenceStore } from '../reference-store.ts'
import { keptName, spellingsOf } from '../shared/reference-name.ts'

/** Names of a memory store. */
export class MemoryReferences implements ReferenceStore {
  readonly #names = new Map<string, Descriptor>()
  readonly #blobs: BlobReader
  readonly #assertOpen: () => void

  constructor(blobs: BlobReader, assertOpen: () => void) {
    this.#blobs = blobs
    this.#assertOpen = assertOpen
  }

  async get(name: string, options: AbortOptions = {}): Promise<Descriptor | undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const spelling = spellingsOf(name).find(spelled => this.#names.has(spelled))
    return spelling === undefined ? undefined : structuredClone(this.#names.get(spelling))
  }

  async set(name: string, descriptor: Descriptor, options: AbortOptions = {}): Promise<string> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const kept = keptName(name)
    const copy = structuredClone(parseDescriptor(descriptor))
    await assertComplete(this.#blobs, copy, options)
    this.#assertOpen()
    this.#names.set(kept, copy)
    return kept
  }

  async delete(name: string, options: AbortOptions = {}): Promise<boolean> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const spelling = spellingsOf(name).find(spelled => this.#names.has(spelled))
    return spelling !== undefined && this.#names.delete(spelling)
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<NamedDescriptor, void, undefined> {
    this.#assertOpen()
    for (const name of [...this.#names.keys()].sort()) {
      options.signal?.throwIfAborted()
      const descriptor = this.#names.get(name)
      if (descriptor) yield { name, descriptor: structuredClone(descriptor) }
    }
  }
}
