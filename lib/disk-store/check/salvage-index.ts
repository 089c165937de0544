import { Annotation, type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { NamedEntry } from '../../store/index.ts'

/** An entry of a damaged index that can be used. */
export interface SalvagedEntry {
  /** The entry as it stands. */
  readonly raw: object
  readonly named: NamedEntry
}

/** SAFETY: bounds the work for each opening bracket; entries of all known tools have under 1 KiB and three brackets. */
const LONGEST = 64 * 1024
const MOST_CLOSINGS = 16

/**
 * The entries of an index that is no JSON any more: every object in the text that is a descriptor by itself. An entry that
 * was hit by the damage is not among them; the others are, also those behind a quotation mark that is lost.
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

/** What an entry names. Throws if it is no descriptor. */
export function namedEntryOf(raw: unknown): NamedEntry {
  const { annotations, ...rest } = parseDescriptor(raw)
  const { [Annotation.RefName]: name, ...others } = annotations ?? {}
  const descriptor: Descriptor = Object.keys(others).length > 0 ? { ...rest, annotations: others } : rest
  return name === undefined ? { descriptor } : { name, descriptor }
}
