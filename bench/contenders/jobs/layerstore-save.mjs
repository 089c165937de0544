// Writes an image of a layout into one file.
import { load, report } from './report.mjs'

await report(async ({ library, layout, archive, hasher }, timed) => {
  const { openStore, saveArchive } = await load(library)
  const store = await openStore(layout, { hasher, readOnly: true })
  await timed(() => saveArchive(store, 'app:1', archive))
  await store.close()
  return { outcome: { archive } }
})
