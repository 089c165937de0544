import {
  composeImage,
  createMemoryStore,
  createRegistryClient,
  type Digest,
  fromDirectory,
  LayerStoreError,
  parseReference,
  pushImage,
  writeLayer,
} from 'layerstore'

/** Result of the task: the cache of a monorepo tool keeps it under the hash of the inputs. */
export interface TaskResult {
  /** Digest of the inputs: two checkouts with equal files have the same one, whatever their times and owners. */
  readonly inputs: Digest
  /** Digest of the image. */
  readonly digest: Digest
  readonly pushed: boolean
}

/** Makes an image of a package of a monorepo, and pushes it only if the registry does not have it. */
export async function imageTask(directory: string, repository: string, tag: string): Promise<TaskResult> {
  await using store = createMemoryStore()
  await using registry = createRegistryClient()
  const layer = await writeLayer(store, fromDirectory(directory, { at: '/app', ignore: ['**/*.log'] }))
  const { descriptor } = await composeImage(store, { layers: [layer], config: { Cmd: ['/app/run'] } })
  const result = { inputs: layer.diffId, digest: descriptor.digest }
  const reference = { ...parseReference(repository), tag }
  try {
    if ((await registry.resolve(reference)).digest === descriptor.digest) return { ...result, pushed: false }
  } catch (error) {
    if (!LayerStoreError.is(error) || error.code !== 'ERR_MANIFEST_NOT_FOUND') throw error
  }
  await pushImage(store, registry, { descriptor }, reference)
  return { ...result, pushed: true }
}
