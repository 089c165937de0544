import { pigzAndTar } from '../contenders/gnu-tar.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { blobPath } from '../contenders/oci-layout.mjs'
import { umoci } from '../contenders/umoci.mjs'
import { amountOf, contentsOf } from '../harness/checks/contents-of.mjs'
import { processorCounts } from '../harness/measure/pinned.mjs'

const RUNTIME = 'a runtime of 500 MB in one layer'
const WHOLE = 'an image of 1 GB, 40,000 files in ten layers'
const OURS = 'layerstore, native'
const DEFAULT = 'layerstore, wasm'
const labelOf = processors => `layerstore, wasm, ${processors} processor${processors === 1 ? '' : 's'}`

export const scenario = {
  name: 'unpack',
  question: 'How long does it take to write the root filesystem of an image into a directory?',
  async measure(bench) {
    const trial = await trialOf(bench.corpora)
    await measureCase(bench, RUNTIME, await bench.corpora.runtime(), trial, 2)
    await measureCase(bench, WHOLE, await bench.corpora.whole(), trial, 2)
  },
  claims: [
    ...[RUNTIME, WHOLE].flatMap(name => [DEFAULT, OURS].flatMap(ours => claimsOf(name, ours))),
    {
      text: `${WHOLE}: speed of two processors over one`,
      of: figure => figure(WHOLE, labelOf(1)) / figure(WHOLE, labelOf(2)),
      atLeast: 1.6,
    },
  ],
}

function claimsOf(name, ours) {
  return [
    {
      text: `${name}: time of ${ours} over umoci's`,
      of: figure => figure(name, ours) / figure(name, umoci.name),
      atMost: 0.7,
    },
    {
      text: `${name}: time of ${ours} over that of pigz and tar`,
      of: figure => figure(name, ours) / figure(name, pigzAndTar.name),
      atMost: 1.3,
    },
  ]
}

/** Result that each contender must produce byte for byte before it is timed. */
async function trialOf(corpora) {
  return {
    input: inputOf(await corpora.tinyImage()),
    check: ({ directory }, { trees }) => {
      if (contentOf([directory]) !== contentOf(trees)) throw new Error('the unpacked files are not those of the image')
    },
  }
}

async function measureCase(bench, name, image, trial, rounds) {
  await bench.compare({
    name,
    job: 'unpack',
    bytes: inputOf(image).bytes,
    columns: ['seconds', 'speed', 'cpu', 'memory', 'loop'],
    plot: 'seconds',
    rounds,
    writes: inputOf(image).bytes,
    filesStay: true,
    input: inputOf(image),
    trial,
    entries: [
      { label: 'layerstore, wasm', contender: layerstore, options: { hasher: 'wasm' } },
      { label: 'layerstore, native', contender: layerstore, options: { hasher: 'native' } },
      ...processorCounts().map(processors => ({
        label: labelOf(processors),
        contender: layerstore,
        options: { hasher: 'wasm', processors },
      })),
      // umoci takes three times as long as the other contenders, so it runs once.
      { contender: umoci, rounds: 1 },
      { contender: pigzAndTar },
    ],
    check: ({ directory }) => {
      const { files, bytes } = amountOf(directory)
      if (files !== image.files || bytes !== image.fileBytes)
        throw new Error(`${files} files of ${bytes} bytes came out, not ${image.files} of ${image.fileBytes}`)
    },
  })
}

function inputOf(image) {
  const layers = image.layers.map(({ descriptor }) => blobPath(image.layout, descriptor.digest))
  const bytes = image.layers.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0)
  return { ...image, tag: image.name, layers, bytes }
}

function contentOf(directories) {
  const found = directories.flatMap(directory => [...contentsOf(directory)])
  return JSON.stringify(found.map(entry => entry.join(' ')).sort())
}
