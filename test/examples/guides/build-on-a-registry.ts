// #region publish
import {
  composeImage,
  composeIndex,
  createMemoryStore,
  createRegistryClient,
  fromDirectory,
  planPush,
  pushImage,
  readImage,
  rebaseImage,
  runPush,
  type Store,
  saveArchive,
  writeLayer,
} from 'layerstore'

/** Puts a directory on a base of a registry and pushes the result. Of the base, manifest and config are fetched. */
export async function publish(directory: string, base: string, target: string) {
  await using store = createMemoryStore()
  await using registry = createRegistryClient()
  const image = await composeImage(store, {
    base: await readImage(registry, base, { platform: 'linux/amd64' }),
    layers: [await writeLayer(store, fromDirectory(directory, { at: '/app' }))],
  })
  const plan = await planPush(store, registry, image, target)
  console.table(plan.steps.map(({ kind, need, reason }) => ({ kind, need, reason })))
  return await runPush(plan)
}
// #endregion

// #region platforms
/** Publishes one name for several platforms, from one directory of build results for each. */
export async function publishAll(directories: Readonly<Record<string, string>>, base: string, target: string) {
  await using store = createMemoryStore()
  await using registry = createRegistryClient()
  const images = []
  for (const [platform, directory] of Object.entries(directories)) {
    const below = await readImage(registry, base, { platform })
    const layer = await writeLayer(store, fromDirectory(directory, { at: '/app' }))
    images.push(await composeImage(store, { base: below, layers: [layer] }))
  }
  return await pushImage(store, registry, await composeIndex(store, { images }), target)
}
// #endregion

// #region rebase
/** Moves an image of a registry to a patched base. No layer is read or sent. */
export async function patch(image: string, from: string, onto: string, target: string) {
  await using store = createMemoryStore()
  await using registry = createRegistryClient()
  const rebased = await rebaseImage(store, await readImage(registry, image), {
    from: await readImage(registry, from),
    onto: await readImage(registry, onto),
  })
  return await pushImage(store, registry, rebased, target)
}
// #endregion

// #region delta
/** Writes what a machine without a network lacks of the next version. */
export async function writeDelta(store: Store, have: string, next: string, file: string) {
  const { bytes } = await saveArchive(store, next, file, { have: [have], format: 'docker' })
  return bytes
}
// #endregion
