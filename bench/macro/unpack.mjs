import { pigzAndTar } from '../contenders/gnu-tar.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { blobPath } from '../contenders/oci-layout.mjs'
import { umoci } from '../contenders/umoci.mjs'
import { contentsOf } from '../harness/checks/check-layer.mjs'

/** What is unpacked, and the trees that it is made of, whose content must come out. */
const CASES = [
  {
    name: 'a runtime of 500 MB in one layer',
    image: corpora => corpora.runtime(),
    trees: async corpora => [(await corpora.runtimeTree()).directory],
  },
  {
    name: 'an image of 1 GB, 40,000 files in ten layers',
    image: corpora => corpora.whole(),
    trees: async corpora => parts((await corpora.wholeTree()).directory),
  },
]

export const scenario = {
  name: 'unpack',
  question: 'How long does it take to write the root filesystem of an image into a directory?',
  async measure(bench) {
    for (const { name, image, trees } of CASES) {
      await measureCase(bench, name, await image(bench.corpora), contentOf(await trees(bench.corpora)))
    }
  },
}

async function measureCase(bench, name, image, right) {
  const { unpackImage } = await import(`${bench.library}/index.js`)
  if (!unpackImage) return bench.skip(name, 'this build of the library has no unpackImage yet')
  await bench.compare({
    name,
    job: 'unpack',
    bytes: image.layers.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0),
    columns: ['seconds', 'speed', 'cpu', 'memory'],
    plot: 'seconds',
    rounds: 3,
    input: {
      ...image,
      tag: image.name,
      layers: image.layers.map(({ descriptor }) => blobPath(image.layout, descriptor.digest)),
    },
    entries: [
      { label: 'layerstore, wasm', contender: layerstore, options: { hasher: 'wasm' } },
      { label: 'layerstore, native', contender: layerstore, options: { hasher: 'native' } },
      { contender: umoci },
      { contender: pigzAndTar },
    ],
    check: ({ directory }) => {
      if (contentOf([directory]) !== right) throw new Error('the unpacked files are not those of the image')
    },
  })
}

/** The ten parts of a tree, which the layers lay over each other. */
function parts(directory) {
  return Array.from({ length: 10 }, (_, i) => `${directory}/part-${i}`)
}

function contentOf(directories) {
  const found = directories.flatMap(directory => [...contentsOf(directory)])
  return JSON.stringify(found.map(entry => entry.join(' ')).sort())
}
