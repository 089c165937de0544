// #region publish
import { composeImage, type Files, fromFiles, LayerStoreError, openStore, writeLayer } from 'layerstore'

/** Makes an image in a store that other processes use, and moves the name only if no other process moved it. */
export async function publish(directory: string, name: string, files: Files): Promise<'published' | 'outrun'> {
  await using store = await openStore(directory, {
    durability: 'batch', // one sync of all blobs before the name is set
    onEvent: event => console.error(event), // this process has waited two seconds for another one
  })
  // No collection removes a blob that any process stores while this lease is held.
  await using _lease = await store.leases.hold({ label: `publish ${name}` })
  const before = await store.references.get(name)
  const layer = await writeLayer(store, fromFiles(files))
  const image = await composeImage(store, { layers: [layer] })
  try {
    await store.references.set(name, image.descriptor, { expected: before?.digest ?? null })
    return 'published'
  } catch (error) {
    if (LayerStoreError.is(error) && error.code === 'ERR_REFERENCE_CONFLICT') return 'outrun'
    throw error
  }
}
// #endregion
