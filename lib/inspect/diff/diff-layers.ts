import type { Image } from '../../image/index.ts'
import { commandsOfLayers } from '../history/join-history.ts'
import type { DiffedLayer, LayersDiff } from './image-diff.ts'

/** Compares the layers of two images by their diffIDs. */
export function diffLayers(before: Image, after: Image): LayersDiff {
  const [lower, upper] = [layersOf(before), layersOf(after)]
  let shared = 0
  while (shared < lower.length && lower[shared]!.diffId === upper[shared]?.diffId) shared++
  const removed = missingIn(lower, upper)
  const added = missingIn(upper, lower)
  const isSameSet = removed.length === 0 && added.length === 0
  return { shared, removed, added, reordered: isSameSet && shared < Math.max(lower.length, upper.length) }
}

function layersOf(image: Image): DiffedLayer[] {
  const commands = commandsOfLayers(image)
  return image.layers.map(({ descriptor, diffId }, index) => {
    const createdBy = commands[index]
    return { index, descriptor, diffId, ...(createdBy === undefined ? {} : { createdBy }) }
  })
}

/** Layers without a partner: a layer that is there twice needs two of them. */
function missingIn(layers: readonly DiffedLayer[], others: readonly DiffedLayer[]): DiffedLayer[] {
  const left = new Map<string, number>()
  for (const { diffId } of others) left.set(diffId, (left.get(diffId) ?? 0) + 1)
  return layers.filter(({ diffId }) => {
    const count = left.get(diffId) ?? 0
    left.set(diffId, count - 1)
    return count <= 0
  })
}
