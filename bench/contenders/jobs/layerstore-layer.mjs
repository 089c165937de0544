// A directory becomes a layer in a fresh store: tar, diffId, compression, digest, durable blob.
import { load, report } from './report.mjs'

await report(async ({ library, scratch, hasher, directory, level, index }, timed) => {
  const { fromDirectory, openStore, writeLayer } = await load(library)
  const store = await openStore(`${scratch}/store`, { hasher })
  const options = { compression: 'gzip', level, hasher, index }
  const layer = await timed(() => writeLayer(store, fromDirectory(directory), options))
  await store.close()
  const { digest } = layer.descriptor
  return { outcome: { file: `${scratch}/store/blobs/${digest.replace(':', '/')}`, digest, diffId: layer.diffId } }
})
