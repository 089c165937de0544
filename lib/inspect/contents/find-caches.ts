import type { ImageContents } from '../read-layers.ts'
import type { HiddenFile } from '../waste/find-hidden.ts'
import { CACHE_PLACES, type CachePlace } from './cache-places.ts'

/** Files that a package manager or a build step left behind. */
export interface FoundCache {
  /** Program that made them, or kind of files. */
  readonly kind: string
  /** Directory, without a leading `/`. */
  readonly path: string
  /** Bytes in all layers, also of files that an upper layer removes: the image still carries them. */
  readonly bytes: number
  /** Those of `bytes` that a container does not see. */
  readonly hiddenBytes: number
  /** Number of files in all layers. */
  readonly files: number
  /** Indexes of the layers that store them. */
  readonly layers: readonly number[]
  /** Way to build the image without them. */
  readonly advice: string
}

/** Finds caches in all layers, largest first. */
export function findCaches({ layers }: ImageContents, hidden: readonly HiddenFile[]): readonly FoundCache[] {
  const found = new Map<
    string,
    { place: CachePlace; path: string; bytes: number; files: number; layers: Set<number> }
  >()
  const directoryOf = createPlaceFinder()
  for (const { index, entries } of layers) {
    for (const { path, type, size } of entries) {
      if (type !== 'file' || size === 0) continue
      const at = directoryOf(path)
      if (!at) continue
      const cache = found.get(at.path) ?? { ...at, bytes: 0, files: 0, layers: new Set<number>() }
      found.set(at.path, cache)
      cache.bytes += size
      cache.files++
      cache.layers.add(index)
    }
  }
  const unseen = new Map<string, number>()
  for (const { path, bytes } of found.size > 0 ? hidden : []) {
    const at = directoryOf(path)
    if (at) unseen.set(at.path, (unseen.get(at.path) ?? 0) + bytes)
  }
  return [...found.values()]
    .map(({ place: { kind, advice }, layers: stored, path, ...figures }) => {
      return { kind, path, ...figures, hiddenBytes: unseen.get(path) ?? 0, layers: [...stored], advice }
    })
    .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
}

/** PERF: paths of one directory are adjacent and have the same place, so the answer for a directory is kept. */
function createPlaceFinder(): (path: string) => { place: CachePlace; path: string } | undefined {
  let last: { directory: string; at: { place: CachePlace; path: string } | undefined } | undefined
  return path => {
    const directory = path.slice(0, path.lastIndexOf('/') + 1)
    if (last?.directory === directory) return last.at
    let at: { place: CachePlace; path: string } | undefined
    for (const place of CACHE_PLACES) {
      const [found] = place.pattern.exec(directory) ?? []
      if (found === undefined) continue
      at = { place, path: found }
      break
    }
    last = { directory, at }
    return at
  }
}
