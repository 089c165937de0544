import { FormatError } from '../errors/index.ts'
import { keepContentFaults } from '../internal/byte-source.ts'
import { normalizePath, type TarInput } from '../tar/index.ts'
import { applyPolicies, sourceDateEpoch } from './policy/apply-policies.ts'
import { compareArchiveOrder } from './policy/archive-order.ts'
import type { EntryPolicies } from './policy/entry-policies.ts'
import { parentEntries } from './policy/parent-entries.ts'

/** Options of {@link fromFiles}. */
export interface FromFilesOptions extends EntryPolicies {
  /** Directory of the image that receives the files. @defaultValue `'/'` */
  readonly at?: string | undefined
  /** Add entries for the parent directories of each path, with mode 0755. @defaultValue `true` */
  readonly parents?: boolean | undefined
}

/** Files by path, or entries of any kind. */
export type Files = Readonly<Record<string, NonNullable<TarInput['content']>>> | Iterable<TarInput>

/**
 * Converts files in memory or generated files to entries of a layer, sorted in archive order, with their parent
 * directories. A policy overrides the member of an entry. Without policy and member, owner and group are 0, the time is
 * `SOURCE_DATE_EPOCH` or 0, and modes are 0644 and 0755. A content function is called when `writeLayer` reaches the
 * entry; streams need a `size`.
 *
 * @example
 * ```ts
 * const layer = await writeLayer(store, fromFiles({ 'etc/app.json': '{}', 'srv/logo.png': bytes }))
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a duplicate or invalid path.
 */
export function fromFiles(files: Files, options: FromFilesOptions = {}): TarInput[] {
  const given = [...entriesOf(files)]
  keepContentFaults(given)
  const at = normalizePath(options.at ?? '/', 'ERR_INVALID_ARGUMENT')
  const prefix = at === '.' ? '' : `${at}/`
  const apply = applyPolicies(options)
  const entries = new Map<string, TarInput>()
  for (const file of given) {
    const name = normalizePath(file.path, 'ERR_INVALID_ARGUMENT')
    const path = name === '.' ? at : prefix + name
    if (entries.has(path)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `path ${JSON.stringify(path)} stands twice among the files`)
    }
    const target = file.linkname !== undefined && file.type === 'hardlink' ? { linkname: prefix + file.linkname } : {}
    entries.set(path, apply({ mtime: sourceDateEpoch(), ...file, ...target, path }, name))
  }
  if (options.parents !== false) addParents(entries, apply)
  return linksLast([...entries.values()].sort((a, b) => compareArchiveOrder(a.path, b.path)))
}

/** Moves hard links that sort before their files to the end: a link to something later in a layer is invalid. */
function linksLast(entries: readonly TarInput[]): TarInput[] {
  const places = new Map(entries.map(({ path }, i) => [path, i]))
  const isEarly = ({ type, linkname = '' }: TarInput, i: number) =>
    type === 'hardlink' && (places.get(linkname) ?? 0) > i
  return [...entries.filter((entry, i) => !isEarly(entry, i)), ...entries.filter(isEarly)]
}

function* entriesOf(files: Files): Generator<TarInput, void, undefined> {
  if (Symbol.iterator in files) yield* files as Iterable<TarInput>
  else for (const [path, content] of Object.entries(files)) yield { path, type: 'file', content }
}

function addParents(entries: Map<string, TarInput>, apply: (entry: TarInput) => TarInput): void {
  for (const path of [...entries.keys()]) {
    const above = path.lastIndexOf('/')
    if (above < 0 || entries.has(path.slice(0, above))) continue
    for (const parent of parentEntries(path.slice(0, above))) {
      if (entries.has(parent.path)) continue
      entries.set(parent.path, { ...apply({ mtime: sourceDateEpoch(), ...parent }), mode: 0o755 })
    }
  }
}
