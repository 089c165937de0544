// #region hashing
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { digestOf, openStore, readImage, readLayerIndex, readStoreUsage, type Store, setHashWorkers } from 'layerstore'

/** Measures how many MB/s each hash engine reaches with the bytes of a file. */
export async function measureHashing(path: string) {
  setHashWorkers(1) // threads for long streams, of the whole process; 0 hashes on the calling thread
  const { size } = await stat(path)
  const rows = []
  for (const [algorithm, hasher] of [
    ['sha256', 'wasm'],
    ['sha256', 'native'],
    ['blake3', 'wasm'],
  ] as const) {
    const start = process.hrtime.bigint()
    const digest = await digestOf(createReadStream(path, { highWaterMark: 1024 * 1024 }), { algorithm, hasher })
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    rows.push({ algorithm, hasher, digest, MBps: Math.round(size / seconds / 1e6) })
  }
  return rows
}
// #endregion

// #region dedup
/** Measures what a store saves because it keeps equal blobs once, and what equal files would save besides. */
export async function measureSharing(directory: string) {
  await using store = await openStore(directory, { readOnly: true })
  const { named, images } = await readStoreUsage(store)
  const referenced = images.reduce((sum, image) => sum + image.bytes, 0)
  return { referenced, stored: named.bytes, shared: referenced - named.bytes, ...(await measureFiles(store)) }
}

/** Adds up the files of every layer, each layer once: all of them, and each content once. */
async function measureFiles(store: Store) {
  const layers = new Map<string, Awaited<ReturnType<typeof readImage>>['layers'][number]>()
  for await (const { name } of store.references.list()) {
    const image = await readImage(store, name)
    for (const layer of image.layers) layers.set(layer.diffId, layer)
  }
  const sizes = new Map<string, number>()
  let fileBytes = 0
  for (const layer of layers.values()) {
    const { entries } = await readLayerIndex(store, layer)
    for (const { digest, size } of entries) {
      if (!digest) continue
      fileBytes += size
      sizes.set(digest, size)
    }
  }
  return { fileBytes, distinctFileBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) }
}
// #endregion
