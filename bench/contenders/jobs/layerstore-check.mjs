// Checks a whole store, as `layerstore fsck` does.
import { load, report } from './report.mjs'

await report(async ({ library, layout, hasher }, timed) => {
  const { openStore, checkStore } = await load(library)
  const store = await openStore(layout, { hasher, readOnly: true })
  let outcome
  await timed(async () => {
    const { sound, blobs } = await checkStore(store)
    outcome = { sound, blobs }
  })
  await store.close()
  return { outcome }
})
