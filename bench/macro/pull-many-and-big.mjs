import { layerstore } from '../contenders/layerstore.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { contentOf } from '../corpora/content.mjs'
import { checkLayout } from '../harness/checks/check-layout.mjs'
import { missing } from '../harness/find-program.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'

const CASE = 'a thousand small blobs and a big one'
const [WASM, NATIVE] = ['layerstore, wasm', 'layerstore, native']
const SMALL_BYTES = 10_000
const MIB = 2 ** 20

export const scenario = {
  name: 'pull-many-and-big',
  question: 'Do a thousand small blobs and one of a gigabyte delay each other in one pull?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip(CASE, reason)
    const shape = bench.smoke ? { small: 20, bigBytes: 4 * MIB } : { small: 999, bigBytes: 1024 * MIB }
    await withDockerRegistry(`${bench.scratch}/registry`, async host => {
      const reference = `${host}/bench/mixed:1`
      const image = await pushImage(bench, reference, shape)
      await bench.compare({
        name: CASE,
        job: 'pull',
        bytes: shape.bigBytes + shape.small * SMALL_BYTES,
        rounds: 2,
        writes: shape.bigBytes,
        filesStay: true,
        columns: ['seconds', 'speed', 'cpu', 'memory'],
        plot: 'seconds',
        input: { reference },
        around: (input, run) => run({ ...input, layout: `${input.scratch}/layout` }),
        entries: [
          { label: WASM, contender: layerstore, options: { hasher: 'wasm' } },
          { label: NATIVE, contender: layerstore, options: { hasher: 'native' } },
          { contender: skopeo, options: { preserve: true } },
        ],
        check: ({ layout }) => checkLayout(layout, image),
      })
    })
  },
  claims: [
    {
      text: "time with native over skopeo's",
      of: figure => figure(CASE, NATIVE) / figure(CASE, skopeo.name),
      atMost: 1.1,
    },
    { text: 'peak memory with wasm, MB', of: figure => figure(CASE, WASM, 'peakBytes') / 1e6, atMost: 150 },
  ],
}

/** An image may have a thousand layers: the big one is one of them, and the config is the thousandth small blob. */
async function pushImage({ library, scratch }, reference, { small, bigBytes }) {
  const { composeImage, createRegistryClient, openStore, planPush, runPush, writeLayer } = await import(
    `${library}/index.js`
  )
  const store = await openStore(`${scratch}/store`, { hasher: 'native', durability: 'none' })
  const write = entry => writeLayer(store, [{ type: 'file', ...entry }], { compression: 'none', hasher: 'native' })
  const piece = contentOf('packed', 'pull-many-and-big', MIB)
  const content = () => Array.from({ length: bigBytes / MIB }, () => piece)
  const layers = [await write({ path: 'big', size: bigBytes, content })]
  for (let i = 0; i < small; i++) {
    layers.push(await write({ path: `small-${i}`, content: contentOf('packed', `small-${i}`, SMALL_BYTES - 1536) }))
  }
  const image = await composeImage(store, { layers })
  await store.references.set('mixed:1', image.descriptor)
  const registry = createRegistryClient()
  await runPush(await planPush(store, registry, 'mixed:1', reference))
  await registry.close()
  await store.close()
  return { digest: image.descriptor.digest, blobs: [image.descriptor, image.manifest.config, ...image.manifest.layers] }
}
