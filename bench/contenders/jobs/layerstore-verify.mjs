// Reads every blob of a store again and proves its digest.
import { load, report } from './report.mjs'

await report(async ({ library, layout, hasher }, timed) => {
  const { openStore } = await load(library)
  const store = await openStore(layout, { hasher, readOnly: true })
  const digests = []
  await timed(async () => {
    for await (const { digest } of store.list()) {
      for await (const _ of store.read(digest, { verify: 'always' }));
      digests.push(digest)
    }
  })
  await store.close()
  return { outcome: { digests: digests.sort() } }
})
