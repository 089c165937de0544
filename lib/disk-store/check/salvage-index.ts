import { Annotation, type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { NamedEntry } from '../../store/index.ts'

/** A valid entry of a damaged index. */
export interface SalvagedEntry {
  /** The unparsed entry. */
  readonly raw: object
  readonly named: NamedEntry
}

/**
 * SAFETY: a hostile index could hold many opening brackets, each a search to the end; this limits each search. Entries
 * of known tools have under 1 KiB and three brackets.
 */
const LONGEST = 64 * 1024
const MOST_CLOSINGS = 16

/**
 * Extracts the entries of an index that is no valid JSON: every object in the text that is a valid descriptor by
 * itself. Damaged entries are left out; all others are found, including those after a lost quotation mark.
 */
export function salvageEntries(bytes: Uint8Array): SalvagedEntry[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const closings: number[] = []
  for (let at = text.indexOf('}'); at >= 0; at = text.indexOf('}', at + 1)) closings.push(at)
  const found: SalvagedEntry[] = []
  let next = 0
  for (let start = text.indexOf('{'); start >= 0; start = text.indexOf('{', start + 1)) {
    while ((closings[next] ?? text.length) < start) next++
    const entry = entryAt(text, start, closings.slice(next, next + MOST_CLOSINGS))
    if (!entry) continue
    found.push(entry.salvaged)
    start = entry.end
  }
  return found
}

function entryAt(text: string, start: number, closings: readonly number[]) {
  for (const end of closings) {
    if (end - start > LONGEST) return undefined
    try {
      const raw = JSON.parse(text.slice(start, end + 1)) as object
      return { end, salvaged: { raw, named: namedEntryOf(raw) } }
    } catch {
      // Not the end of this object, or an object of another kind.
    }
  }
  return undefined
}

/** Parses an entry. Throws if it is no descriptor. */
export function namedEntryOf(raw: unknown): NamedEntry {
  const { annotations, ...rest } = parseDescriptor(raw)
  const { [Annotation.RefName]: name, ...others } = annotations ?? {}
  const descriptor: Descriptor = Object.keys(others).length > 0 ? { ...rest, annotations: others } : rest
  return name === undefined ? { descriptor } : { name, descriptor }
}
