import { FormatError } from '../errors/index.ts'
import { keepContentFaults } from '../internal/byte-source.ts'
import { batchesOf, inBatches } from '../internal/memory/batched-iterable.ts'
import type { Borrowed } from '../internal/memory/borrowed.ts'
import { normalizePath, type TarEntryType, type TarInput } from '../tar/index.ts'
import { applyPolicies } from './policy/apply-policies.ts'
import type { EntryPolicies } from './policy/entry-policies.ts'

/** Options of {@link rewriteEntries}. */
export interface RewriteEntriesOptions extends EntryPolicies {
  /** Returns true for the entries to keep. @defaultValue keeps all */
  readonly filter?: ((entry: TarInput) => boolean) | undefined
  /**
   * Returns the new path of an entry. Targets of hard links are renamed too; targets of symbolic links stay.
   * @defaultValue keeps the path
   */
  readonly rename?: ((path: string, type: TarEntryType) => string) | undefined
}

/**
 * Yields entries of another archive or layer, from {@link readTar} or {@link readLayer}, filtered, renamed and with
 * other times, owners and modes. A policy that is not set changes nothing. Entries pass in their order.
 *
 * @example
 * ```ts
 * const entries = readTar(createReadStream('app.tar'))
 * const layer = await writeLayer(store, rewriteEntries(entries, { rename: path => `opt/${path}`, uid: 0, gid: 0 }))
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a hard link whose target the filter has removed, or whose
 * target has not come before it; errors of the entries unchanged.
 */
export function rewriteEntries(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  options: RewriteEntriesOptions = {},
): AsyncGenerator<TarInput, void, undefined> {
  keepContentFaults(entries)
  return inBatches(rewrittenBatches(entries, options))
}

async function* rewrittenBatches(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  options: RewriteEntriesOptions,
): AsyncGenerator<Borrowed<readonly TarInput[]>, void, undefined> {
  const { filter, rename = path => path } = options
  const apply = applyPolicies(options)
  const files = new Map<string, string>()
  for await (const batch of batchesOf(entries)) {
    const kept = filter ? batch.value.filter(entry => filter(entry) !== false) : batch.value
    const rewritten = kept.map(entry => {
      const path = normalizePath(rename(entry.path, entry.type), 'ERR_INVALID_ARGUMENT')
      const linkname = entry.type === 'hardlink' ? targetOf(entry, files) : undefined
      if (entry.type !== 'directory') files.set(normalizePath(entry.path, 'ERR_INVALID_ARGUMENT'), path)
      return apply({ ...entry, path, ...(linkname === undefined ? {} : { linkname }) }, entry.path)
    })
    yield { ...batch, value: rewritten }
  }
}

function targetOf({ path, linkname = '' }: TarInput, files: ReadonlyMap<string, string>): string {
  const target = files.get(normalizePath(linkname, 'ERR_INVALID_ARGUMENT'))
  if (target !== undefined) return target
  const what = `hard link ${JSON.stringify(path)} to ${JSON.stringify(linkname)}, which is not among the entries before it`
  throw new FormatError('ERR_INVALID_ARGUMENT', what)
}
