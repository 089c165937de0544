// Counts the bytes kept of several trees if equal blobs, equal files or equal chunks are kept once.
import { createHash } from 'node:crypto'
import { duplicateHeavy } from '../../corpora/duplicate-heavy.mjs'
import { versionFamily } from '../../corpora/version-family.mjs'
import { chunksOf } from '../chunker.mjs'
import { load, report } from './report.mjs'

await report(async ({ library, scratch, corpus, level, settings }, timed) => {
  const { composeImage, openStore, readLayer, writeLayer } = await load(library)
  const store = await openStore(`${scratch}/store`, { hasher: 'native', durability: 'none' })
  const layers = []
  for (const { layers: given } of imagesOf(corpus, settings)) {
    const written = []
    for (const { entries } of given)
      written.push(await writeLayer(store, writable(entries), { compression: 'none', hasher: 'native' }))
    await composeImage(store, { layers: written })
    layers.push(...written)
  }
  const pieces = level === 'blob' ? blobs : level === 'file' ? files : chunks
  const kept = new Map()
  let totalBytes = 0
  await timed(async () => {
    for await (const { id, size } of pieces({ layers, read: layer => readLayer(store, layer.descriptor, layer) })) {
      totalBytes += size
      kept.set(id, size)
    }
  })
  await store.close()
  const keptBytes = [...kept.values()].reduce((sum, size) => sum + size, 0)
  return { outcome: { totalBytes, keptBytes, pieces: kept.size } }
})

function imagesOf(corpus, settings) {
  if (corpus === 'family') return versionFamily(settings)
  return [{ layers: [{ entries: duplicateHeavy(settings) }] }]
}

function* writable(entries) {
  for (const entry of entries) yield { ...entry, content: entry.content() }
}

/** Sizes are those of the files inside, so that the three levels speak of the same bytes. */
async function* blobs({ layers, read }) {
  for (const layer of layers) {
    let size = 0
    for await (const entry of read(layer)) size += entry.size
    yield { id: layer.descriptor.digest, size }
  }
}

async function* files({ layers, read }) {
  for (const layer of layers) {
    for await (const entry of read(layer)) {
      const hash = createHash('sha256')
      for await (const chunk of entry.content) hash.update(chunk)
      yield { id: hash.digest('base64'), size: entry.size }
    }
  }
}

async function* chunks({ layers, read }) {
  for (const layer of layers) {
    for await (const entry of read(layer)) {
      const parts = []
      for await (const chunk of entry.content) parts.push(Buffer.from(chunk))
      for (const chunk of chunksOf(Buffer.concat(parts))) {
        yield { id: createHash('sha256').update(chunk).digest('base64'), size: chunk.length }
      }
    }
  }
}
