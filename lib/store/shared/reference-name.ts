import { FormatError } from '../../errors/index.ts'
import { familiarName, parseReference } from '../../spec/index.ts'

/** The form under which a name is kept, or `ERR_INVALID_REFERENCE`. */
export function keptName(name: string): string {
  return familiarName(parseReference(name))
}

/** The names under which to look for what a person typed: as it stands, then as it would have been kept. */
export function spellingsOf(name: string): readonly string[] {
  try {
    const kept = keptName(name)
    return kept === name ? [name] : [name, kept]
  } catch (error) {
    // Other tools name images by words that are no reference; such a name is found as it stands or not at all.
    if (error instanceof FormatError) return [name]
    throw error
  }
}
