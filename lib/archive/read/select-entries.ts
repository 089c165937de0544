import { ReferenceNotFoundError } from '../../errors/index.ts'
import { entryNameOf } from '../formats/entry-name.ts'
import { invalidArchive } from '../invalid-archive.ts'

/** What an image in an archive can be found by. */
interface Named {
  readonly names: readonly string[]
  readonly labels: readonly string[]
}

/**
 * The entries that are meant: all, the nth (`@n`), or the one that has the name, as it stands in the archive or as a
 * reference.
 *
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`.
 * @throws {@link FormatError} `ERR_INVALID_LAYOUT` if several have the name: readers differ in which one they take.
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

/** The entry that has a name, if there is one: as the name stands there, or as a reference. */
export function entriesNamed<T extends Named>(entries: readonly T[], wanted: string): readonly T[] {
  const labelled = entries.filter(entry => entry.labels.includes(wanted))
  const name = entryNameOf(wanted)
  const found =
    labelled.length > 0 ? labelled : entries.filter(entry => name !== undefined && entry.names.includes(name))
  if (found.length > 1) throw invalidArchive(`${JSON.stringify(wanted)} stands for ${found.length} images in it`)
  return found
}
