import type { TarInput } from '../tar/index.ts'
import type { ContentOptions, UnionView, ViewEntry } from './union-view.ts'

/**
 * The root filesystem of a view as entries of one tar or one layer, without whiteouts. The same layers always give the
 * same entries in the same order: everything that has no content in the order of {@link UnionView.walk}, then the files
 * of each layer, lowest first, as they stand in it, then hard links. So each layer is decompressed once, one at a time,
 * and no content is ever kept; memory grows with the number of files.
 *
 * Directories come long before what is in them, so a reader must set their times last, as engines do; GNU tar does with
 * `--delay-directory-restore`.
 *
 * The entries are for one reading, one after the other, as `writeLayer` and `writeTar` do. The loop ends only if every
 * layer that was opened had its diffId. Directories that no layer has an entry for get 0755, owner 0, time 0.
 *
 * @throws as `readLayer`.
 */
export function flattenImage(view: UnionView, options: ContentOptions = {}): AsyncIterable<TarInput> {
  return view.withContent(everything(view), options)
}

function* everything(view: UnionView): Generator<ViewEntry, void, undefined> {
  const root = view.stat('.')
  if (root && !root.implicit) yield root
  yield* view.walk()
}
