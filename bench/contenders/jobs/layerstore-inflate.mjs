// Opens a stored gzip layer: inflates it and proves its digest and its diffId on the way; or only inflates it.
import { createReadStream } from 'node:fs'
import { load, report } from './report.mjs'

await report(async ({ library, layout, digest, hasher, hash }, timed) => {
  const { decompress, digestOf, openStore } = await load(library)
  if (!hash) {
    const file = `${layout}/blobs/${digest.replace(':', '/')}`
    const bytes = await timed(() => count(decompress(createReadStream(file, { highWaterMark: 2 ** 20 }))))
    return { outcome: { bytes } }
  }
  const store = await openStore(layout, { hasher, readOnly: true })
  const diffId = await timed(() => digestOf(decompress(store.read(digest, { verify: 'always' })), { hasher }))
  await store.close()
  return { outcome: { diffId } }
})

async function count(chunks) {
  let bytes = 0
  for await (const chunk of chunks) bytes += chunk.byteLength
  return bytes
}
