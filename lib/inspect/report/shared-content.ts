import type { ImageContents } from '../read-layers.ts'
import type { ImageShare, SharedContent, SharedLayer } from './report-data.ts'

/** Largest number of shared layers that are listed. */
const MOST_LAYERS = 200

interface SeenLayer extends SharedLayer {
  readonly images: number[]
}

/** Finds out what images have in common, from the entries of their layers. No content is read. */
export class SharedContentFinder {
  readonly #layers = new Map<string, SeenLayer>()
  /** Size of each distinct content, and the images that have it as bits. */
  readonly #contents = new Map<string, { readonly bytes: number; images: number }>()
  readonly #bytes: number[] = []

  /**
   * Adds the next image. There may be 32.
   *
   * @param commands - The commands of its layers, without the values of secrets.
   */
  add({ layers }: ImageContents, commands: readonly { readonly createdBy?: string }[]): void {
    const image = this.#bytes.length
    let sum = 0
    for (const [i, { diffId, descriptor, entries }] of layers.entries()) {
      let bytes = 0
      for (const { type, size, digest, storedDigest } of entries) {
        bytes += size
        const key = digest ?? storedDigest
        if (type !== 'file' || size === 0 || key === undefined) continue
        const content = this.#contents.get(key)
        if (content) content.images |= 1 << image
        else this.#contents.set(key, { bytes: size, images: 1 << image })
      }
      sum += bytes
      const known = this.#layers.get(diffId)
      if (known && !known.images.includes(image)) known.images.push(image)
      const createdBy = commands[i]?.createdBy
      const named = createdBy === undefined ? {} : { createdBy }
      if (!known) this.#layers.set(diffId, { diffId, ...named, bytes, blobBytes: descriptor.size, images: [image] })
    }
    this.#bytes.push(sum)
  }

  /** The figures of all images that were added. */
  report(): SharedContent {
    const layers = [...this.#layers.values()]
    const shared = layers.filter(({ images }) => images.length > 1)
    return {
      layers: shared.sort((a, b) => b.bytes - a.bytes).slice(0, MOST_LAYERS),
      images: this.#bytes.map((_, image) => this.#shareOf(image, shared)),
      kept: {
        image: sum(this.#bytes),
        layer: sum(layers.map(({ bytes }) => bytes)),
        file: sum([...this.#contents.values()].map(({ bytes }) => bytes)),
      },
    }
  }

  #shareOf(image: number, shared: readonly SeenLayer[]): ImageShare {
    const layers = shared.filter(({ images }) => images.includes(image))
    let [contentBytes, ownBytes] = [0, 0]
    for (const { bytes, images } of this.#contents.values()) {
      if ((images & (1 << image)) === 0) continue
      if (images === 1 << image) ownBytes += bytes
      else contentBytes += bytes
    }
    return { layerBytes: sum(layers.map(({ bytes }) => bytes)), contentBytes, ownBytes }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
