import { contentOf } from '../corpora/content.mjs'
import { comparePulls, WASM } from '../harness/compare-pulls.mjs'
import { missing } from '../harness/find-program.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'

export const scenario = {
  name: 'pull-memory',
  question: 'Does the memory of a pull grow with the layer?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip('one layer', reason)
    const sizes = bench.smoke ? [2 ** 22, 2 ** 24] : [2 ** 26, 2 ** 30]
    for (const bytes of sizes) {
      await withDockerRegistry(`${bench.scratch}/registry-${bytes}`, async host => {
        const image = await pushImage(bench, `${host}/bench/large:1`, bytes)
        await compareOn(bench, image, `${host}/bench/large:1`, bytes)
      })
    }
  },
  claims: [
    {
      text: 'peak memory of a layer of 1 GiB over that of 64 MiB, wasm',
      of: figure => figure('1024 MiB', WASM, 'peakBytes') / figure('64 MiB', WASM, 'peakBytes'),
      atMost: 1.3,
    },
  ],
}

function compareOn(bench, image, reference, bytes) {
  return comparePulls(bench, {
    name: `${bytes / 2 ** 20} MiB`,
    image,
    reference,
    bytes,
    rounds: 1,
    columns: ['seconds', 'speed', 'cpu', 'memory'],
    plot: 'memory',
  })
}

/** The layer is stored as it is: a large blob on the wire without minutes of compressing. */
async function pushImage({ library, scratch }, reference, bytes) {
  const { composeImage, createRegistryClient, openStore, planPush, runPush, writeLayer } = await import(
    `${library}/index.js`
  )
  const store = await openStore(`${scratch}/store-${bytes}`, { hasher: 'native', durability: 'none' })
  const piece = contentOf('packed', 'pull-memory', 2 ** 20)
  const content = () => Array.from({ length: bytes / piece.length }, () => piece)
  const entry = { path: 'large', type: 'file', size: bytes, content }
  const layer = await writeLayer(store, [entry], { compression: 'none', hasher: 'native' })
  const image = await composeImage(store, { layers: [layer] })
  await store.references.set('large:1', image.descriptor)
  const registry = createRegistryClient()
  await runPush(await planPush(store, registry, 'large:1', reference))
  await registry.close()
  await store.close()
  const blobs = [image.descriptor, image.manifest.config, ...image.manifest.layers]
  return { digest: image.descriptor.digest, blobs }
}
