// A directory becomes a layer in a fresh store: tar, diffId, compression, digest, durable blob.
import { load, report } from './report.mjs'

await report(async ({ library, scratch, hasher, directory, level }, timed) => {
  const { fromDirectory, openStore, writeLayer } = await load(library)
  const store = await openStore(`${scratch}/store`, { hasher })
  const layer = await timed(() => writeLayer(store, fromDirectory(directory), { compression: 'gzip', level, hasher }))
  await store.close()
  const { digest } = layer.descriptor
  return { outcome: { file: `${scratch}/store/blobs/${digest.replace(':', '/')}`, digest, diffId: layer.diffId } }
})
