import { FormatError } from '../errors/index.ts'
import { normalizePath, type TarEntryType, type TarInput } from '../tar/index.ts'
import { applyPolicies } from './policy/apply-policies.ts'
import type { EntryPolicies } from './policy/entry-policies.ts'

/** What to change in entries on their way into another layer. */
export interface RewriteEntriesOptions extends EntryPolicies {
  /** Which entries to take. @defaultValue all */
  readonly filter?: ((entry: TarInput) => boolean) | undefined
  /**
   * The path that an entry has in the result. Targets of hard links are renamed with it; those of symbolic links stay.
   * @defaultValue its own
   */
  readonly rename?: ((path: string, type: TarEntryType) => string) | undefined
}

/**
 * Entries of another archive or layer, from {@link readTar} or {@link readLayer}, filtered, renamed and with other times,
 * owners and modes; a policy that is not set leaves things as they are. One entry at a time, in their order.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a hard link to an entry that the filter has left out, or to one
 * that has not come before it; errors of the entries as they are.
 */
export async function* rewriteEntries(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  options: RewriteEntriesOptions = {},
): AsyncGenerator<TarInput, void, undefined> {
  const { filter, rename = path => path } = options
  const apply = applyPolicies(options)
  const files = new Map<string, string>()
  for await (const entry of entries) {
    if (filter?.(entry) === false) continue
    const path = normalizePath(rename(entry.path, entry.type), 'ERR_INVALID_ARGUMENT')
    const linkname = entry.type === 'hardlink' ? targetOf(entry, files) : undefined
    if (entry.type !== 'directory') files.set(normalizePath(entry.path, 'ERR_INVALID_ARGUMENT'), path)
    yield apply({ ...entry, path, ...(linkname === undefined ? {} : { linkname }) }, entry.path)
  }
}

function targetOf({ path, linkname = '' }: TarInput, files: ReadonlyMap<string, string>): string {
  const target = files.get(normalizePath(linkname, 'ERR_INVALID_ARGUMENT'))
  if (target !== undefined) return target
  const what = `hard link ${JSON.stringify(path)} to ${JSON.stringify(linkname)}, which is not among the entries before it`
  throw new FormatError('ERR_INVALID_ARGUMENT', what)
}
