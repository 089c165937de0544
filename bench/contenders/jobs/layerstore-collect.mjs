// Says what a store takes, then plans and runs a collection, as `df` and `gc` do.
import { load, report } from './report.mjs'

await report(async ({ library, directory, hasher }, timed) => {
  const { openStore, planCollection, readStoreUsage, runCollection } = await load(library)
  const store = await openStore(directory, { hasher })
  const started = performance.now()
  const usage = await readStoreUsage(store)
  const usageSeconds = (performance.now() - started) / 1000
  const { deleted } = await timed(async () => runCollection(store, await planCollection(store)))
  await store.close()
  if (deleted.length !== usage.reclaimable.blobs) throw new Error('the usage tells of other garbage than went')
  return { outcome: { usageSeconds } }
})
