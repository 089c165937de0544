import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { layerstore } from '../contenders/layerstore.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { contentOf } from '../corpora/content.mjs'
import { checkLayout } from '../harness/checks/check-layout.mjs'

const [SAVE, LOAD] = ['save', 'load']

export const scenario = {
  name: 'archive',
  question: 'What do save and load of one file cost, beside skopeo, and does their memory grow with the image?',
  async measure(bench) {
    const sizes = bench.smoke ? [2 ** 22, 2 ** 24] : [2 ** 26, 2 ** 30]
    for (const bytes of sizes) {
      const image = await makeImage(bench, bytes)
      await compareSave(bench, image, bytes)
      await compareLoad(bench, image, bytes)
    }
  },
  claims: [SAVE, LOAD].map(act => ({
    text: `peak memory of ${act} of 1 GiB over that of 64 MiB, wasm`,
    of: figure =>
      figure(`${act} 1024 MiB`, 'layerstore, wasm', 'peakBytes') /
      figure(`${act} 64 MiB`, 'layerstore, wasm', 'peakBytes'),
    atMost: 1.3,
  })),
}

const COLUMNS = { columns: ['seconds', 'speed', 'cpu', 'memory'], plot: 'seconds' }
/** The large image shows how memory grows; one run is enough for that. */
const roundsFor = bytes => (bytes >= 2 ** 30 ? 1 : 3)
const engines = more =>
  ['wasm', 'native'].map(hasher => ({
    label: `layerstore, ${hasher}`,
    contender: layerstore,
    options: { hasher, ...more },
  }))

function compareSave(bench, { layout, image }, bytes) {
  return bench.compare({
    ...COLUMNS,
    rounds: roundsFor(bytes),
    name: `${SAVE} ${bytes / 2 ** 20} MiB`,
    job: 'save',
    bytes,
    input: { layout },
    around: (input, run) => run({ ...input, archive: `${input.scratch}/app.tar` }),
    entries: [...engines(), { contender: skopeo }],
    check: ({ archive }) => checkLayout(unpack(archive), image),
  })
}

function compareLoad(bench, { archive, image }, bytes) {
  return bench.compare({
    ...COLUMNS,
    rounds: roundsFor(bytes),
    name: `${LOAD} ${bytes / 2 ** 20} MiB`,
    job: 'load',
    bytes,
    input: { archive },
    around: (input, run) => run({ ...input, target: `${input.scratch}/layout` }),
    entries: [
      ...engines(),
      { label: 'layerstore, wasm, from a pipe', contender: layerstore, options: { hasher: 'wasm', stream: true } },
      { contender: skopeo },
    ],
    check: ({ layout }) => checkLayout(layout, image),
  })
}

function unpack(archive) {
  const layout = `${archive}.unpacked`
  mkdirSync(layout)
  execFileSync('tar', ['-xf', archive, '-C', layout])
  return layout
}

/** The layer is gzip that compresses nothing: made fast, and skopeo leaves it as it is. */
async function makeImage({ library, scratch }, bytes) {
  const { composeImage, openStore, saveArchive, writeLayer } = await import(`${library}/index.js`)
  const [layout, archive] = [`${scratch}/store-${bytes}`, `${scratch}/app-${bytes}.tar`]
  const store = await openStore(layout, { hasher: 'native', durability: 'none' })
  const piece = contentOf('packed', 'archive', 2 ** 20)
  const content = () => Array.from({ length: bytes / piece.length }, () => piece)
  const layer = await writeLayer(store, [{ path: 'large', type: 'file', size: bytes, content }], {
    compression: 'gzip',
    level: 0,
    hasher: 'native',
  })
  const image = await composeImage(store, { layers: [layer] })
  await store.references.set('app:1', image.descriptor)
  await saveArchive(store, 'app:1', archive)
  await store.close()
  const blobs = [image.descriptor, image.manifest.config, ...image.manifest.layers]
  return { layout, archive, image: { digest: image.descriptor.digest, blobs } }
}
