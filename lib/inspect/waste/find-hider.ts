import { type IndexedEntry, parseWhiteout } from '../../layer/index.ts'
import type { LayerContents } from '../read-layers.ts'

/** Layer that hides an entry of a lower layer, and its entry at the same path, if it has one. */
export interface Hider {
  readonly by: number
  readonly entry?: IndexedEntry | undefined
}

/** Paths that one layer changes. */
interface LayerMarks {
  /** Last entry of each path. */
  readonly entries: ReadonlyMap<string, IndexedEntry>
  /** Paths with a whiteout. */
  readonly removed: ReadonlySet<string>
  /** Directories with an opaque whiteout. */
  readonly opaque: ReadonlySet<string>
}

/**
 * Returns a function that finds the lowest layer that hides an entry, by the paths as the layers spell them;
 * `undefined` if a link leads from one spelling to the other.
 */
export function createHiderFinder(
  layers: readonly LayerContents[],
): (entry: IndexedEntry, layer: number) => Hider | undefined {
  const marks = layers.map(marksOf)
  return (entry, layer) => {
    const last = marks[layer]!.entries.get(entry.path)
    if (last !== undefined && last !== entry) return { by: layer, entry: last }
    for (let by = layer + 1; by < marks.length; by++) {
      const upper = marks[by]!.entries.get(entry.path)
      if (upper) return { by, entry: upper }
      if (removes(marks[by]!, entry.path)) return { by }
    }
    return undefined
  }
}

function marksOf({ entries, diffId }: LayerContents): LayerMarks {
  const marks = { entries: new Map<string, IndexedEntry>(), removed: new Set<string>(), opaque: new Set<string>() }
  for (const entry of entries) {
    const mark = parseWhiteout(entry.path, diffId)
    if (!mark) marks.entries.set(entry.path, entry)
    else if (mark.kind === 'opaque') marks.opaque.add(mark.directory)
    else if (mark.kind === 'hide')
      marks.removed.add(mark.directory === '.' ? mark.name : `${mark.directory}/${mark.name}`)
  }
  return marks
}

/** True if a layer removes a path, a directory above it, or puts something else in the place of such a directory. */
function removes({ entries, removed, opaque }: LayerMarks, path: string): boolean {
  if (removed.has(path) || opaque.has('.')) return true
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const parent = path.slice(0, slash)
    if (removed.has(parent) || opaque.has(parent)) return true
    const entry = entries.get(parent)
    if (entry && entry.type !== 'directory') return true
  }
  return false
}
