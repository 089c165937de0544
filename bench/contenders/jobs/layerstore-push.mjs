// Pushes an image of a store.
import { load, report } from './report.mjs'

await report(async ({ library, layout, name, reference, hasher }) => {
  const { createRegistryClient, openStore, planPush, runPush } = await load(library)
  const store = await openStore(layout, { hasher })
  const registry = createRegistryClient()
  const result = await runPush(await planPush(store, registry, name, reference))
  await registry.close()
  await store.close()
  return { outcome: { reference, movedBytes: result.bytesUploaded } }
})
