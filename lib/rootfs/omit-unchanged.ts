import { digestOf, type HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { keepContentFaults } from '../internal/byte-source.ts'
import { type ChangedField, compareHeaders, isMetadataOnly, parseWhiteout } from '../layer/index.ts'
import { completeHeader, normalizePath, type TarHeader, type TarInput } from '../tar/index.ts'
import type { UnionView, ViewEntry } from './union-view.ts'

/** Comparison of an entry with the base. */
export interface EntryChange {
  /** Path of the entry. */
  readonly path: string
  /** `unchanged` entries are omitted, all other entries are kept. `metadata`: the content is the same. */
  readonly kind: 'added' | 'modified' | 'metadata' | 'unchanged'
  /** The fields that differ, for `modified` and `metadata`. */
  readonly fields: readonly ChangedField[]
}

/** Options of {@link omitUnchanged}. */
export interface OmitUnchangedOptions extends AbortOptions {
  /** Fields to ignore, such as `['mtime']`. @defaultValue `[]` */
  readonly ignore?: readonly ChangedField[] | undefined
  /** Called for every entry; must not throw. */
  readonly onEntry?: ((change: EntryChange) => void) | undefined
  /** Engine that computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/**
 * Yields the entries of a layer on top of a base, without those that the base has with the same content and metadata.
 *
 * Content is compared only if the base has a file of the same size under that path. It is read again when it is
 * written, so it must be bytes, text or a function. A stream can be read only once: such an entry is always kept, as
 * `modified`. Whiteouts are always kept. Nothing is added: a path that only the base has stays unchanged.
 */
export function omitUnchanged(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  base: Pick<UnionView, 'stat'>,
  options: OmitUnchangedOptions = {},
): AsyncGenerator<TarInput, void, undefined> {
  keepContentFaults(entries)
  return changedEntries(entries, base, options)
}

async function* changedEntries(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  base: Pick<UnionView, 'stat'>,
  options: OmitUnchangedOptions,
): AsyncGenerator<TarInput, void, undefined> {
  const kept = new Set<string>()
  const replaced = new Set<string>()
  for await (const entry of entries) {
    options.signal?.throwIfAborted()
    const path = normalizePath(entry.path, 'ERR_INVALID_ARGUMENT')
    if (parseWhiteout(path)) {
      yield entry
      continue
    }
    // If an entry replaces a directory or link of the base, the paths below it are not compared: they are not in the
    // base any more.
    const below = isInside(path, replaced) ? undefined : base.stat(path)
    const change = await changeOf({ ...entry, path }, below, { base, kept, options })
    options.onEntry?.(change)
    if (change.kind === 'unchanged') continue
    kept.add(path)
    if (below && below.type !== entry.type) replaced.add(path)
    yield entry
  }
}

function isInside(path: string, replaced: ReadonlySet<string>): boolean {
  if (replaced.size === 0) return false
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    if (replaced.has(path.slice(0, slash))) return true
  }
  return false
}

interface Comparison {
  readonly base: Pick<UnionView, 'stat'>
  readonly kept: ReadonlySet<string>
  readonly options: OmitUnchangedOptions
}

async function changeOf(entry: TarInput, below: ViewEntry | undefined, comparison: Comparison): Promise<EntryChange> {
  const { path } = entry
  if (!below || below.implicit) return { path, kind: 'added', fields: [] }
  const found =
    entry.type === 'hardlink' ? linkFields(entry, below, comparison) : await fieldsOf(entry, below, comparison)
  const fields = found.filter(field => field === 'type' || !comparison.options.ignore?.includes(field))
  if (fields.length === 0) return { path, kind: 'unchanged', fields }
  return { path, kind: isMetadataOnly(fields) ? 'metadata' : 'modified', fields }
}

/** A hard link is unchanged if it is a name of the same file in the base, and that file is omitted too. */
function linkFields(entry: TarInput, below: ViewEntry, { base, kept }: Comparison): ChangedField[] {
  const target = normalizePath(entry.linkname ?? '.', 'ERR_INVALID_ARGUMENT')
  const file = kept.has(target) ? undefined : base.stat(target)
  return file && file.layer === below.layer && file.offset === below.offset ? [] : ['links']
}

async function fieldsOf(entry: TarInput, below: ViewEntry, { options }: Comparison): Promise<ChangedField[]> {
  const header: TarHeader = completeHeader(entry)
  const fields = compareHeaders(below, header, true)
  const isFile = header.type === 'file' && below.type === 'file'
  return isFile && !(await hasContent(entry, below, options)) ? ['content', ...fields] : fields
}

async function hasContent(entry: TarInput, below: ViewEntry, { hasher }: OmitUnchangedOptions): Promise<boolean> {
  const { content = '', size } = entry
  if (size !== undefined && size !== below.size) return false
  const isOnce = typeof content === 'object' && !(content instanceof Uint8Array)
  if (isOnce || !below.digest) return false
  const opened = typeof content === 'function' ? await content() : content
  const source = typeof opened === 'string' ? Buffer.from(opened) : opened
  if (source instanceof Uint8Array && source.byteLength !== below.size) return false
  return (await digestOf(source, { hasher })) === below.digest
}
