import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import { whiteoutPath } from '../whiteout.ts'
import { type WriteLayerOptions, type WrittenLayer, writeLayer } from '../write-layer.ts'
import { directoryTree } from './directory-tree.ts'
import type { Tree, TreeEntry } from './tree.ts'
import type { TreeDiff } from './tree-diff.ts'

/** Options of {@link diffEntries}. */
export interface DiffEntriesOptions extends AbortOptions {
  /**
   * Add the directories above each change, as they are in the upper tree. An engine that unpacks each layer separately
   * would create them with attributes of its own. @defaultValue `true`
   */
  readonly parents?: boolean | undefined
}

/**
 * Yields a difference as entries of a layer: first explicit whiteouts for deleted paths, then added and changed
 * entries. Equal differences of equal trees give equal entries.
 *
 * @param upper - The upper tree that was compared; it must not have changed since.
 */
export async function* diffEntries(
  diff: TreeDiff,
  upper: string | Tree,
  options: DiffEntriesOptions = {},
): AsyncGenerator<TarInput, void, undefined> {
  const tree = typeof upper === 'string' ? directoryTree(upper, options) : upper
  const changed = new Set([...diff.added, ...diff.modified, ...diff.metadataOnly].map(({ path }) => path))
  if (options.parents ?? true) addParents(changed, diff)
  for (const { path } of diff.deleted) yield { path: whiteoutPath(path), type: 'file', size: 0 }
  const wanted: TreeEntry[] = []
  for await (const entry of tree.walk()) if (changed.has(entry.path)) wanted.push(entry)
  yield* tree.withContent(wanted, { signal: options.signal })
}

/** Adds the parent directories of every change. */
function addParents(changed: Set<string>, diff: TreeDiff): void {
  for (const path of [...changed, ...diff.deleted.map(entry => entry.path)]) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      changed.add(path.slice(0, slash))
    }
  }
}

/**
 * Stores a difference as a layer: applied to the lower tree, it gives the upper tree.
 *
 * @example
 * ```ts
 * const diff = await diffTrees('before', 'after')
 * const layer = await writeDiffLayer(store, diff, 'after')
 * ```
 *
 * @throws as {@link writeLayer}; `ERR_SIZE_MISMATCH` or `ERR_INVALID_ARGUMENT` if a directory has changed since.
 */
export async function writeDiffLayer(
  store: Pick<Store, 'put' | 'derived'>,
  diff: TreeDiff,
  upper: string | Tree,
  options: WriteLayerOptions & DiffEntriesOptions = {},
): Promise<WrittenLayer> {
  return writeLayer(store, diffEntries(diff, upper, options), options)
}
