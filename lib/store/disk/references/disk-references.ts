import type { AbortOptions } from '../../../internal/abort.ts'
import { type Descriptor, parseDescriptor } from '../../../spec/index.ts'
import { assertComplete } from '../../assert-complete.ts'
import type { BlobReader } from '../../blob-store.ts'
import type { NamedDescriptor, ReferenceStore } from '../../reference-store.ts'
import { keptName, spellingsOf } from '../../shared/reference-name.ts'
import type { DiskContext } from '../disk-context.ts'
import { IndexEditor } from './index-editor.ts'
import { descriptorOf, namesOf } from './index-file.ts'

/** Names kept in `index.json`, as annotations that every tool for image layouts understands. */
export class DiskReferences implements ReferenceStore {
  readonly #context: DiskContext
  readonly #blobs: BlobReader
  readonly #editor: IndexEditor

  constructor(context: DiskContext, blobs: BlobReader) {
    this.#context = context
    this.#blobs = blobs
    this.#editor = new IndexEditor(context)
  }

  async get(name: string, options: AbortOptions = {}): Promise<Descriptor | undefined> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const spellings = spellingsOf(name)
    const index = await this.#editor.read()
    const spelling = spellings.find(spelled => index.names.has(spelled))
    return spelling === undefined ? undefined : descriptorOf(index, spelling)
  }

  async set(name: string, descriptor: Descriptor, options: AbortOptions = {}): Promise<string> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const kept = keptName(name)
    const copy = structuredClone(parseDescriptor(descriptor))
    await this.#context.prepareWrite()
    await assertComplete(this.#blobs, copy, options)
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    await this.#editor.edit(draft => {
      // An entry that another tool wrote under this very spelling would hide the new one.
      if (name !== kept) draft.delete(name)
      draft.set(kept, copy)
    }, options.signal)
    return kept
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

  async *list(options: AbortOptions = {}): AsyncGenerator<NamedDescriptor, void, undefined> {
    this.#context.assertOpen()
    for (const entry of namesOf(await this.#editor.read())) {
      options.signal?.throwIfAborted()
      yield entry
    }
  }

  /** Rejects if the index cannot be understood. */
  async check(): Promise<void> {
    await this.#editor.read()
  }

  /** Resolves when every change that was begun has come to its end. */
  settle(): Promise<void> {
    return this.#editor.settle()
  }
}
