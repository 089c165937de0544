// Takes the images of a file, or of the same file as a stream, into an empty store.
import { createReadStream } from 'node:fs'
import { load, report } from './report.mjs'

await report(async ({ library, target, archive, hasher, stream }, timed) => {
  const { loadArchive, openStore } = await load(library)
  const store = await openStore(target, { hasher })
  await timed(() => loadArchive(store, stream ? createReadStream(archive, { highWaterMark: 2 ** 20 }) : archive))
  await store.close()
  return { outcome: { layout: target } }
})
