// Pulls a reference into a store, which may hold some of it already.
import { load, report } from './report.mjs'

await report(async ({ library, layout, reference, hasher, parallel = 1 }, timed) => {
  const { createRegistryClient, openStore, planPull, runPull } = await load(library)
  const store = await openStore(layout, { hasher })
  const registry = createRegistryClient()
  const result = await timed(async () =>
    runPull(await planPull(registry, store, reference, { name: 'app:1' }), { parallel }),
  )
  await registry.close()
  await store.close()
  return { outcome: { layout, movedBytes: result.bytesFetched } }
})
