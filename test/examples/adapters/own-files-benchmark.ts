import { composeImage, createMemoryStore, fromDirectory, readStoreUsage, writeLayer } from 'layerstore'

/** Figures of one directory. */
export interface DirectoryFigures {
  readonly directory: string
  readonly tarBytes: number
  readonly layerBytes: number
  /** Speed of tar, both digests and gzip together. */
  readonly megabytesPerSecond: number
}

/** Measures how fast own directories become layers, and what keeping equal layers once saves. */
export async function measureDirectories(directories: readonly string[]) {
  await using store = createMemoryStore()
  const figures: DirectoryFigures[] = []
  for (const [i, directory] of directories.entries()) {
    const start = performance.now()
    const layer = await writeLayer(store, fromDirectory(directory))
    const seconds = (performance.now() - start) / 1000
    const { descriptor } = await composeImage(store, { layers: [layer] })
    await store.references.set(`measured:${i}`, descriptor)
    const tarBytes = layer.uncompressedSize
    const layerBytes = layer.descriptor.size
    figures.push({ directory, tarBytes, layerBytes, megabytesPerSecond: tarBytes / 1e6 / seconds })
  }
  const { images, named } = await readStoreUsage(store)
  const referenced = images.reduce((sum, image) => sum + image.bytes, 0)
  return { figures, stored: named.bytes, referenced, ratio: referenced / named.bytes }
}
