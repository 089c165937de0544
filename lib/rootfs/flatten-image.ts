import type { TarInput } from '../tar/index.ts'
import type { ContentOptions, UnionView, ViewEntry } from './union-view.ts'

/**
 * Yields the root filesystem of a view as entries of one tar or one layer, without whiteouts. The same layers always
 * give the same entries in the same order:
 *
 * 1. entries without content, in the order of {@link UnionView.walk};
 * 2. the files of each layer, lowest first, in the order of the layer;
 * 3. hard links.
 *
 * So each layer is decompressed once, one at a time, and no content is buffered; memory grows with the number of files.
 *
 * Directories come long before their content, so a reader must set their times last. Container engines do; GNU tar does
 * with `--delay-directory-restore`.
 *
 * Read the entries once, one after the other, as `writeLayer` and `writeTar` do. The loop completes only if every
 * opened layer matched its diffID. Directories without an entry in any layer get mode 0755, owner 0, time 0.
 *
 * @example
 * ```ts
 * const view = await openUnionView(store, 'app:1.0')
 * const layer = await writeLayer(store, flattenImage(view))
 * ```
 *
 * @throws the errors of `readLayer`.
 */
export function flattenImage(view: UnionView, options: ContentOptions = {}): AsyncIterable<TarInput> {
  return view.withContent(everything(view), options)
}

function* everything(view: UnionView): Generator<ViewEntry, void, undefined> {
  const root = view.stat('.')
  if (root && !root.implicit) yield root
  yield* view.walk()
}
