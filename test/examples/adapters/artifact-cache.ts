import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import {
  composeArtifact,
  createMemoryStore,
  createRegistryClient,
  LayerStoreError,
  parseReference,
  pushImage,
} from 'layerstore'
import { readArtifact } from 'layerstore/image'

const artifactType = 'application/vnd.example.build-cache'

/** A cache of build artefacts in a repository, shared by processes and machines. */
export function createArtifactCache(repository: string) {
  const registry = createRegistryClient()
  const at = parseReference(repository)
  const referenceOf = (key: string) => ({ ...at, tag: createHash('sha256').update(key).digest('hex') })
  return {
    /** Keeps the outputs of a task under the key of its inputs. */
    async save(key: string, outputs: Readonly<Record<string, Uint8Array>>) {
      await using store = createMemoryStore()
      const layers = Object.entries(outputs).map(([title, content]) => ({ title, content }))
      const artifact = await composeArtifact(store, { artifactType, layers, annotations: { key } })
      await pushImage(store, registry, artifact, referenceOf(key))
    },
    /** Finds the outputs of a task; `undefined` if no machine has run it. */
    async restore(key: string): Promise<Map<string, Uint8Array> | undefined> {
      try {
        const { layers } = await readArtifact(registry, referenceOf(key))
        const outputs = new Map<string, Uint8Array>()
        for (const { title, read } of layers) if (title) outputs.set(title, await buffer(read()))
        return outputs
      } catch (error) {
        if (LayerStoreError.is(error) && error.code === 'ERR_MANIFEST_NOT_FOUND') return undefined
        throw error
      }
    },
    close: () => registry.close(),
  }
}
