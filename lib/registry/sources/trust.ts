const KEPT_BLOBS = 1000

interface Record {
  /** Every source of the blob, the registry last. */
  readonly names: readonly string[]
  /** Those that gave bytes since the last refusal. */
  readonly gave: Set<string>
  readonly refusals: Map<string, number>
}

/** Remembers which sources gave wrong bytes for which blob. */
export class Trust {
  readonly #records = new Map<string, Record>()

  /** The sources to ask for a blob, out of all there are: not those that gave wrong bytes, if there are others. */
  usable(blob: string, names: readonly string[]): readonly string[] {
    const record = this.#records.get(blob)
    if (!record) return names
    const good = names.filter(name => !record.refusals.has(name))
    return good.length > 0 ? good : names.slice(-1)
  }

  /** A source has given bytes of a blob. */
  note(blob: string, names: readonly string[], name: string): void {
    const record = this.#records.get(blob) ?? { names, gave: new Set(), refusals: new Map() }
    record.gave.add(name)
    this.#records.set(blob, record)
    // What is forgotten costs one more try, no more.
    if (this.#records.size > KEPT_BLOBS) this.#records.delete(this.#records.keys().next().value!)
  }

  /** The bytes that were given are wrong. Says whether to fetch again. */
  distrust(blob: string): boolean {
    const record = this.#records.get(blob)
    if (!record || record.gave.size === 0) return false
    for (const name of record.gave) record.refusals.set(name, (record.refusals.get(name) ?? 0) + 1)
    record.gave.clear()
    if (record.names.some(name => !record.refusals.has(name))) return true
    return record.refusals.get(record.names.at(-1)!)! < 2
  }
}
