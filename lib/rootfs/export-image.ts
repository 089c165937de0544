import { writeTar } from '../tar/index.ts'
import { flattenImage } from './flatten-image.ts'
import type { ContentOptions, UnionView } from './union-view.ts'

/**
 * Yields the root filesystem of a view as one tar, whiteouts applied, in the order of {@link flattenImage}. The same
 * layers give the same bytes. Memory grows with the number of files; leaving the loop early releases everything.
 *
 * @example
 * ```ts
 * const view = await openUnionView(store, 'app:1.0')
 * for await (const chunk of exportImage(view)) process.stdout.write(chunk)
 * ```
 *
 * @throws the errors of {@link flattenImage}.
 */
export function exportImage(view: UnionView, options: ContentOptions = {}): AsyncIterable<Uint8Array> {
  return writeTar(flattenImage(view, options), { signal: options.signal })
}
