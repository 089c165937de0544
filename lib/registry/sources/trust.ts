const KEPT_BLOBS = 1000

interface Record {
  /** All sources of the blob; the registry is the last. */
  readonly names: readonly string[]
  /** Sources that delivered bytes since the last `distrust`. */
  readonly gave: Set<string>
  readonly refusals: Map<string, number>
}

/** Remembers which sources delivered wrong bytes for which blob. */
export class Trust {
  readonly #records = new Map<string, Record>()

  /** Selects the sources to ask for a blob: those that delivered no wrong bytes; if there are none, the registry. */
  usable(blob: string, names: readonly string[]): readonly string[] {
    const record = this.#records.get(blob)
    if (!record) return names
    const good = names.filter(name => !record.refusals.has(name))
    return good.length > 0 ? good : names.slice(-1)
  }

  /** Records that a source has delivered bytes of a blob. */
  note(blob: string, names: readonly string[], name: string): void {
    const record = this.#records.get(blob) ?? { names, gave: new Set(), refusals: new Map() }
    record.gave.add(name)
    this.#records.set(blob, record)
    // A dropped record costs at most one further try.
    if (this.#records.size > KEPT_BLOBS) this.#records.delete(this.#records.keys().next().value!)
  }

  /** Records that the delivered bytes were wrong. Returns whether to fetch the blob again. */
  distrust(blob: string): boolean {
    const record = this.#records.get(blob)
    if (!record || record.gave.size === 0) return false
    for (const name of record.gave) record.refusals.set(name, (record.refusals.get(name) ?? 0) + 1)
    record.gave.clear()
    if (record.names.some(name => !record.refusals.has(name))) return true
    return record.refusals.get(record.names.at(-1)!)! < 2
  }
}
