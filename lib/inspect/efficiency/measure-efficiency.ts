import type { LayerContents } from '../read-layers.ts'
import { type DiveNode, DiveTree, diveTreeOf, isDiveWhiteout, postOrder } from './dive-tree.ts'

/** A path that several layers have. */
export interface RepeatedPath {
  /** Path with a leading `/`. */
  readonly path: string
  /** Number of layers with an entry or a whiteout of the path. */
  readonly count: number
  /** Sum of its sizes in all layers, in bytes; a removed directory counts what it held. */
  readonly bytes: number
}

/** Figures of dive. */
export interface DiveEfficiency {
  /** Sum of the smallest size of each path, divided by the sum of all its sizes; 1 for an image without files. */
  readonly score: number
  /** Sum of `bytes` of all repeated paths. It includes the copy that remains (dive#684); `waste` does not. */
  readonly wastedBytes: number
  /** Bytes of all files in all layers. */
  readonly sizeBytes: number
  /** Those above the lowest layer, which dive takes for the base. */
  readonly userSizeBytes: number
  /** `wastedBytes` divided by `userSizeBytes`; 0 if nothing is wasted. */
  readonly userWastedPercent: number
  /** The repeated paths, largest first. */
  readonly paths: readonly RepeatedPath[]
}

/**
 * Computes the efficiency of an image exactly as dive defines it (`Efficiency` of its filetree package): over the
 * leaves of the tree of each layer, by path.
 */
export function measureEfficiency(layers: readonly Pick<LayerContents, 'entries'>[]): DiveEfficiency {
  const paths = new Map<string, { count: number; bytes: number; least: number }>()
  const below = new DiveTree()
  // PERF: the stacked tree is only asked what a whiteout removes; below the highest one it is needed, above it is not.
  const last = layers.findLastIndex(({ entries }) => entries.some(({ path }) => path.includes('.wh.')))
  for (const [i, { entries }] of layers.entries()) {
    const tree = diveTreeOf(entries)
    for (const { path, name, node } of postOrder(tree.root)) {
      if (node.children) continue
      const size = isDiveWhiteout(name) ? removedBytes(below.get(path.slice(1))) : sizeOf(node)
      const seen = paths.get(path)
      if (!seen) paths.set(path, { count: 1, bytes: size, least: size })
      else Object.assign(seen, { count: seen.count + 1, bytes: seen.bytes + size, least: Math.min(seen.least, size) })
    }
    if (i < last) below.stack(tree)
  }
  let [least, all] = [0, 0]
  for (const path of paths.values()) {
    least += path.least
    all += path.bytes
  }
  const repeated = [...paths]
    .flatMap(([path, { count, bytes }]) => (count > 1 ? [{ path, count, bytes }] : []))
    .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
  const sizes = layers.map(({ entries }) => entries.reduce((sum, { size }) => sum + size, 0))
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0)
  const userSizeBytes = sizeBytes - (sizes[0] ?? 0)
  const wastedBytes = repeated.reduce((sum, { bytes }) => sum + bytes, 0)
  const userWastedPercent = wastedBytes === 0 ? 0 : wastedBytes / userSizeBytes
  return {
    score: all === 0 ? 1 : least / all,
    wastedBytes,
    sizeBytes,
    userSizeBytes,
    userWastedPercent,
    paths: repeated,
  }
}

/** Size of a whiteout: everything in the removed directory. A file, and a directory without an entry, counts 0. */
function removedBytes(node: DiveNode | undefined): number {
  if (node?.entry?.type !== 'directory') return 0
  return postOrder(node).reduce((sum, { node: one }) => sum + sizeOf(one), 0)
}

function sizeOf({ entry }: DiveNode): number {
  return entry?.size ?? 0
}
