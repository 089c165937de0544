import { type ChangedField, compareHeaders, type IndexedEntry } from '../../layer/index.ts'
import type { ImageContents } from '../read-layers.ts'
import { createHiderFinder } from './find-hider.ts'

/** A file in a layer that the root filesystem does not show. */
export interface HiddenFile {
  /** The path, without a leading `/`. */
  readonly path: string
  /** Index of the layer that stores the file. */
  readonly layer: number
  /** Bytes of the file. */
  readonly bytes: number
  /**
   * `replaced`: an upper layer has another content at the path. `rewritten`: it has the same content, with other
   * metadata or none. `removed`: it removes the path. `repeated`: the same layer has the path again. `hidden`: an upper
   * layer hides it through a link.
   */
  readonly why: 'replaced' | 'rewritten' | 'removed' | 'repeated' | 'hidden'
  /** Index of the layer that hides it; absent if it is not known. */
  readonly by?: number
  /** Metadata that a rewrite changed. */
  readonly fields?: readonly ChangedField[]
}

/**
 * Finds every stored byte that a container cannot see. Exact: a file is hidden if the view has no name that leads to
 * its entry.
 */
export function findHidden({ layers, visible: entries }: ImageContents): readonly HiddenFile[] {
  const visible = layers.map(() => new Set<number>())
  for (const { layer, offset } of entries) visible[layer]?.add(offset)
  const finder = createHiderFinder(layers)
  const hidden: HiddenFile[] = []
  for (const { index, entries } of layers) {
    for (const entry of entries) {
      if (entry.type !== 'file' || entry.size === 0 || visible[index]!.has(entry.offset)) continue
      hidden.push(describe(entry, index, finder(entry, index)))
    }
  }
  return hidden
}

function describe(
  entry: IndexedEntry,
  layer: number,
  hider: { by: number; entry?: IndexedEntry | undefined } | undefined,
): HiddenFile {
  const file = { path: entry.path, layer, bytes: entry.size }
  if (!hider) return { ...file, why: 'hidden' }
  const { by, entry: upper } = hider
  if (by === layer) return { ...file, why: 'repeated', by }
  if (!upper) return { ...file, why: 'removed', by }
  const isSame = upper.type === 'file' && upper.digest !== undefined && upper.digest === entry.digest
  if (!isSame) return { ...file, why: 'replaced', by }
  return { ...file, why: 'rewritten', by, fields: compareHeaders(entry, upper, true) }
}
