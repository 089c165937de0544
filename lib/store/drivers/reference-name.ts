import { FormatError } from '../../errors/index.ts'
import { familiarName, parseReference } from '../../oci/index.ts'
import type { SetReferenceOptions } from '../reference-store.ts'

/** SPEC: `org.opencontainers.image.ref.name` (image-spec, annotations), with a bound of ours. */
const REF_NAME = /^[A-Za-z0-9]+(?:(?:[-._:@+/]|--)[A-Za-z0-9]+)*$/
const MOST_CHARACTERS = 512

/**
 * The form under which a name is kept.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`.
 * @internal For whoever wants to know before the work that a name cannot be given after it.
 */
export function storedName(name: string, { verbatim = false }: SetReferenceOptions = {}): string {
  if (!verbatim) return familiarName(parseReference(name))
  if (name.length <= MOST_CHARACTERS && REF_NAME.test(name)) return name
  throw new FormatError(
    'ERR_INVALID_REFERENCE',
    `not a name for an image layout: ${JSON.stringify(name.slice(0, 160))}`,
  )
}

/** The names under which to look for what a person typed: as it stands, then as it would have been kept. */
export function spellingsOf(name: string): readonly string[] {
  try {
    const kept = storedName(name)
    return kept === name ? [name] : [name, kept]
  } catch (error) {
    // Other tools name images by words that are no reference; such a name is found as it stands or not at all.
    if (error instanceof FormatError) return [name]
    throw error
  }
}
