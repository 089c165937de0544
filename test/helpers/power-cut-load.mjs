// Stores, names and deletes small images until it is killed, and prints what was acknowledged.
import { openStore } from '../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'

const [directory, durability] = process.argv.slice(2)
const say = text => new Promise(resolve => process.stdout.write(`${text}\n`, resolve))
const type = kind => `application/vnd.oci.image.${kind}`
const store = await openStore(directory, { durability })
const put = async (bytes, mediaType) => {
  const blob = { mediaType, ...(await store.put(bytes)) }
  await say(`blob ${blob.digest}`)
  return blob
}
for (let i = 0; ; i++) {
  const layers = await Promise.all(
    [1, 2, 3].map(n => put(Buffer.alloc(1 + ((i * n) % 7) * 40_000, `layer ${i} ${n}`), type('layer.v1.tar'))),
  )
  // Resumed once, so that the cut also hits an ingest with a saved state.
  const part = await store.ingest(`config ${i}`)
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }
  const bytes = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs, n: i }))
  await part.write(bytes.subarray(0, 10))
  await part[Symbol.asyncDispose]()
  const writer = await store.ingest(`config ${i}`)
  await writer.write(bytes.subarray(writer.offset))
  const config = { mediaType: type('config.v1+json'), ...(await writer.commit()) }
  await say(`blob ${config.digest}`)
  const manifest = { schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers }
  const image = await put(Buffer.from(JSON.stringify(manifest)), manifest.mediaType)
  await store.references.set(`app:${i}`, image)
  await say(`name app:${i} ${image.digest}`)
  if (i % 5 !== 4) continue
  // Collects blobs without a name at once: names must leave the disk before their blobs.
  await say(`doing app:${i - 4}`)
  await store.references.delete(`app:${i - 4}`)
  await say(`gone app:${i - 4}`)
  const plan = await planCollection(store, { graceMs: 0, force: true })
  await runCollection(store, plan)
  await say('collected')
}
