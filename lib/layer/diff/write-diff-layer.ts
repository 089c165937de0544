import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import { whiteoutPath } from '../whiteout.ts'
import { type WriteLayerOptions, type WrittenLayer, writeLayer } from '../write-layer.ts'
import { directoryTree } from './directory-tree.ts'
import type { Tree, TreeEntry } from './tree.ts'
import type { TreeDiff } from './tree-diff.ts'

/** What of a difference becomes entries. */
export interface DiffEntriesOptions extends AbortOptions {
  /**
   * Give the directories above each change too, as they are in the upper tree. Engines that unpack each layer by itself
   * would make them with attributes of their own. @defaultValue `true`
   */
  readonly parents?: boolean | undefined
}

/**
 * A difference as entries of a layer: explicit whiteouts for what was deleted, then what was added or changed. The same
 * difference of the same trees gives the same entries.
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

/** The directories above everything that changes. */
function addParents(changed: Set<string>, diff: TreeDiff): void {
  for (const path of [...changed, ...diff.deleted.map(entry => entry.path)]) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      changed.add(path.slice(0, slash))
    }
  }
}

/**
 * Stores a difference as a layer: on top of the lower tree it makes the upper one.
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
