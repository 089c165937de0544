import { FormatError } from '../../errors/index.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import { familiarName, parseReference } from '../../oci/index.ts'
import type { SetReferenceOptions } from '../reference-store.ts'

/** SPEC: `org.opencontainers.image.ref.name` (image-spec, annotations), with a length limit of this library. */
const REF_NAME = /^[A-Za-z0-9]+(?:(?:[-._:@+/]|--)[A-Za-z0-9]+)*$/
const MOST_CHARACTERS = 512

/**
 * Returns the form under which a name is stored.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`.
 * @internal Lets an operation refuse an invalid name before it starts.
 */
export function storedName(name: string, { verbatim = false }: SetReferenceOptions = {}): string {
  if (typeof name !== 'string') throw invalidArgument('name', 'a text such as app:1.0', name)
  if (!verbatim) return familiarName(parseReference(name))
  if (name.length <= MOST_CHARACTERS && REF_NAME.test(name)) return name
  throw new FormatError(
    'ERR_INVALID_REFERENCE',
    `not a name for an image layout: ${JSON.stringify(name.slice(0, 160))}`,
  )
}

/** The names to look up for a name that a user typed: the text as given, then its stored form. */
export function spellingsOf(name: string): readonly string[] {
  if (typeof name !== 'string') throw invalidArgument('name', 'a text such as app:1.0', name)
  try {
    const kept = storedName(name)
    return kept === name ? [name] : [name, kept]
  } catch (error) {
    // skopeo and buildah accept names that are no references; such a name is looked up only as given.
    if (error instanceof FormatError) return [name]
    throw error
  }
}
