import { ReferenceNotFoundError } from '../../errors/index.ts'
import { entryNameOf } from '../formats/entry-name.ts'
import { invalidArchive } from '../invalid-archive.ts'

/** Names by which an image in an archive can be found. */
interface Named {
  readonly names: readonly string[]
  readonly labels: readonly string[]
}

/**
 * Selects entries: all, the nth (`@n`), or the one that has the name, as the archive spells it or as a reference.
 *
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`.
 * @throws {@link FormatError} `ERR_INVALID_LAYOUT` if several entries have the name: readers differ in which one they
 * take.
 */
export function selectEntries<T extends Named>(entries: readonly T[], wanted: string | undefined): readonly T[] {
  if (wanted === undefined) return entries
  const place = /^@(\d{1,9})$/.exec(wanted)
  if (!place) {
    const found = entriesNamed(entries, wanted)
    if (found.length > 0) return found
  }
  const nth = place ? entries[Number(place[1])] : undefined
  if (!nth) throw new ReferenceNotFoundError(wanted, { where: 'the archive' })
  return [nth]
}

/** Returns the entry with a name, as the archive spells it or as a reference; an empty list if there is none. */
export function entriesNamed<T extends Named>(entries: readonly T[], wanted: string): readonly T[] {
  const labelled = entries.filter(entry => entry.labels.includes(wanted))
  const name = entryNameOf(wanted)
  const found =
    labelled.length > 0 ? labelled : entries.filter(entry => name !== undefined && entry.names.includes(name))
  if (found.length > 1) throw invalidArchive(`${found.length} images match ${JSON.stringify(wanted)}`)
  return found
}
