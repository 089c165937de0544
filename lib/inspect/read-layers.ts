import type { Digest } from '../digest/index.ts'
import type { Image } from '../image/index.ts'
import type { IndexedEntry } from '../layer/index.ts'
import type { Descriptor } from '../oci/index.ts'
import { openUnionView, type UnionView, type ViewEntry, type ViewStore } from '../rootfs/index.ts'
import { commandsOfLayers } from './history/join-history.ts'
import type { InspectionOptions } from './read-source.ts'

/** A layer with its entries. */
export interface LayerContents {
  /** Index of the layer in the image, from 0 for the lowest. */
  readonly index: number
  readonly descriptor: Descriptor
  readonly diffId: Digest
  /** Command that made the layer, if the history has it. */
  readonly createdBy: string | undefined
  /** Entries in archive order, with whiteouts. */
  readonly entries: readonly IndexedEntry[]
}

/** The layers of an image, and the root filesystem that they give. */
export interface ImageContents {
  readonly image: Image
  readonly layers: readonly LayerContents[]
  readonly view: UnionView
  /** Every path of the view but the root, in the order of a walk. */
  readonly visible: readonly ViewEntry[]
}

/** Reads the indexes of all layers and stacks them. */
export async function readContents(store: ViewStore, image: Image, options: InspectionOptions): Promise<ImageContents> {
  const { signal, hasher, limits } = options
  const commands = commandsOfLayers(image)
  const layers: LayerContents[] = []
  const onIndex = ({ entries }: { readonly entries: readonly IndexedEntry[] }) => {
    const index = layers.length
    const { descriptor, diffId } = image.layers[index]!
    layers.push({ index, descriptor, diffId, createdBy: commands[index], entries })
  }
  const view = await openUnionView(store, image, { signal, hasher, limits, onIndex })
  return { image, layers, view, visible: [...view.walk()] }
}
