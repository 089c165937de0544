import { pigzAndTar } from '../contenders/gnu-tar.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { blobPath } from '../contenders/oci-layout.mjs'
import { umoci } from '../contenders/umoci.mjs'
import { contentsOf } from '../harness/checks/check-layer.mjs'

const CASE = 'ten layers of many small files'

export const scenario = {
  name: 'unpack',
  question: 'How long does it take to write the root filesystem of an image into a directory?',
  async measure(bench) {
    const { unpackImage } = await import(`${bench.library}/index.js`)
    if (!unpackImage) return bench.skip(CASE, 'this build of the library has no unpackImage yet')
    const app = await bench.corpora.app()
    const right = contentOf(await partsTree(bench))
    await bench.compare({
      name: CASE,
      job: 'unpack',
      bytes: app.layers.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0),
      columns: ['seconds', 'speed', 'cpu', 'memory'],
      plot: 'seconds',
      rounds: 3,
      input: {
        ...app,
        tag: app.name,
        layers: app.layers.map(({ descriptor }) => blobPath(app.layout, descriptor.digest)),
      },
      entries: [
        { label: 'layerstore, wasm', contender: layerstore, options: { hasher: 'wasm' } },
        { label: 'layerstore, native', contender: layerstore, options: { hasher: 'native' } },
        { contender: umoci },
        { contender: pigzAndTar },
      ],
      check: ({ directory }) => {
        if (contentOf(directory) !== right) throw new Error('the unpacked files are not those of the image')
      },
    })
  },
}

/** The ten parts of the tree, which the layers lay over each other. */
async function partsTree(bench) {
  const { directory } = await bench.corpora.manySmall()
  return Array.from({ length: 10 }, (_, i) => `${directory}/part-${i}`)
}

function contentOf(directories) {
  const found = [directories].flat().flatMap(directory => [...contentsOf(directory)])
  return JSON.stringify(found.map(entry => entry.join(' ')).sort())
}
