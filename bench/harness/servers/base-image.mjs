import { join } from 'node:path'
import { withDockerRegistry } from './docker-registry.mjs'

/** Runs an act with a registry that holds an image of one small file as `bench/base:1`, for tools that need a base. */
export async function withBaseImage(library, directory, act) {
  const { composeImage, createRegistryClient, openStore, planPush, runPush, writeLayer } = await import(
    `${library}/index.js`
  )
  const store = await openStore(join(directory, 'store'), { durability: 'none' })
  const layer = await writeLayer(store, [{ path: 'etc/base', type: 'file', content: 'base\n' }])
  const image = await composeImage(store, { layers: [layer] })
  await store.references.set('base:1', image.descriptor)
  return withDockerRegistry(join(directory, 'registry'), async host => {
    const registry = createRegistryClient()
    await runPush(await planPush(store, registry, 'base:1', `${host}/bench/base:1`))
    await registry.close()
    await store.close()
    return act(host)
  })
}
