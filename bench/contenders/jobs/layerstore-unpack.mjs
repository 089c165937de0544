// Writes the root filesystem of a stored image into a directory.
import { load, report } from './report.mjs'

await report(async ({ library, layout, name, scratch, hasher }) => {
  const { openStore, readImage, unpackImage } = await load(library)
  const store = await openStore(layout, { hasher, readOnly: true })
  const directory = `${scratch}/rootfs`
  await unpackImage(
    store,
    await readImage(store, name, { platform: { os: 'linux', architecture: 'amd64' } }),
    directory,
    { hasher },
  )
  await store.close()
  return { outcome: { directory } }
})
