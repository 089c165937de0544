import { FormatError } from '../errors/index.ts'
import { normalizePath, type TarInput } from '../tar/index.ts'
import { applyPolicies, sourceDateEpoch } from './policy/apply-policies.ts'
import { compareArchiveOrder } from './policy/archive-order.ts'
import type { EntryPolicies } from './policy/entry-policies.ts'
import { parentEntries } from './policy/parent-entries.ts'

/** How to make entries of files that are in memory or generated. */
export interface FromFilesOptions extends EntryPolicies {
  /** Directory inside the image that takes them. @defaultValue `'/'` */
  readonly at?: string | undefined
  /** Whether directories that are on the way to an entry become entries, of mode 0755. @defaultValue `true` */
  readonly parents?: boolean | undefined
}

/** Files by their paths, or entries of any kind. */
export type Files = Readonly<Record<string, NonNullable<TarInput['content']>>> | Iterable<TarInput>

/**
 * Files that are in memory or generated as entries for a layer: in the order of an archive, whatever their own, with the
 * directories on the way. What an entry says of itself holds unless a policy says otherwise; where nobody says anything,
 * owner and group are 0, the time is `SOURCE_DATE_EPOCH` or 0, modes are 0644 and 0755. Content that is a function is
 * asked for when its turn has come; streams need a `size`.
 *
 * @example
 * await writeLayer(store, fromFiles({ 'etc/app.json': '{}', 'srv/big': () => createReadStream('big') }))
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a path that comes twice, or cannot be.
 */
export function fromFiles(files: Files, options: FromFilesOptions = {}): TarInput[] {
  const at = normalizePath(options.at ?? '/', 'ERR_INVALID_ARGUMENT')
  const prefix = at === '.' ? '' : `${at}/`
  const apply = applyPolicies(options)
  const entries = new Map<string, TarInput>()
  for (const file of entriesOf(files)) {
    const name = normalizePath(file.path, 'ERR_INVALID_ARGUMENT')
    const path = name === '.' ? at : prefix + name
    if (entries.has(path)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `path ${JSON.stringify(path)} stands twice among the files`)
    }
    const target = file.linkname !== undefined && file.type === 'hardlink' ? { linkname: prefix + file.linkname } : {}
    entries.set(path, apply({ mtime: sourceDateEpoch(), ...file, ...target, path }, name))
  }
  if (options.parents !== false) addParents(entries, apply)
  return [...entries.values()].sort((a, b) => compareArchiveOrder(a.path, b.path))
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
