// #region registry
import assert from 'node:assert/strict'
import {
  composeImage,
  createMemoryStore,
  createRegistryClient,
  createRegistryServer,
  fromFiles,
  pullImage,
  type Store,
  writeLayer,
} from 'layerstore'
import { createFaultyRegistry } from 'layerstore/testing'

/** Runs a test with a registry on a free port of the loopback, in memory and gone at the end. */
export async function withRegistry(test: (host: string, remote: Store) => Promise<void>) {
  await using remote = createMemoryStore()
  await using server = createRegistryServer(remote)
  const { url } = await server.listen()
  await test(new URL(url).host, remote)
}
// #endregion

// #region faults
/** A test: a pull survives a registry that drops the connection twice and then asks for patience. */
export async function pullSurvivesFaults() {
  await using remote = createMemoryStore()
  const layer = await writeLayer(remote, fromFiles({ 'data.bin': Buffer.alloc(300_000, 'data') }), {
    compression: 'none',
  })
  const image = await composeImage(remote, { layers: [layer] })
  await remote.references.set('app:1', image.descriptor)

  await using registry = await createFaultyRegistry({ store: remote })
  registry.misbehave({ kind: 'cut', after: 100_000 }, { path: /blobs/, times: 2 })
  registry.misbehave({ kind: 'too-many-requests', retryAfter: 0 }, { path: /blobs/ })

  await using client = createRegistryClient()
  await using local = createMemoryStore()
  const { digest } = await pullImage(client, local, `${registry.host}/app:1`)
  assert.equal(digest, image.descriptor.digest)
  assert.deepEqual(
    registry.seen.flatMap(request => request.fault ?? []),
    ['cut', 'cut', 'too-many-requests'],
  )
}
// #endregion
