import { bareNode } from '../contenders/bare-node.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { blobPath } from '../contenders/oci-layout.mjs'
import { sha256sum } from '../contenders/sha256sum.mjs'
import { processorCounts } from '../harness/measure/pinned.mjs'

const WHOLE = 'the check of the whole store, by processors'
const labelOf = processors => `layerstore, wasm, ${processors} processor${processors === 1 ? '' : 's'}`

export const scenario = {
  name: 'verify',
  question: 'How fast does a store verify all its blobs against their digests?',
  async measure(bench) {
    const { layout, blobs, bytes } = await bench.corpora.app()
    const digests = blobs.map(({ digest }) => digest).sort()
    await bench.compare({
      name: 'a stored image of ten layers',
      job: 'verify',
      figure: 'act',
      bytes,
      columns: ['seconds', 'speed', 'cpu', 'memory'],
      plot: 'speed',
      input: { layout, files: digests.map(digest => blobPath(layout, digest)) },
      entries: [
        { label: 'layerstore, wasm', contender: layerstore, options: { hasher: 'wasm' } },
        { label: 'layerstore, native', contender: layerstore, options: { hasher: 'native' } },
        { label: 'bare hash-wasm loop', contender: bareNode, job: 'hash', options: { engine: 'wasm' } },
        { label: 'bare node:crypto loop', contender: bareNode, job: 'hash', options: { engine: 'native' } },
        { contender: sha256sum },
      ],
      check: outcome => {
        if (String(outcome.digests) !== String(digests)) throw new Error('other blobs were verified than are there')
      },
    })
    await bench.compare({
      name: WHOLE,
      job: 'check',
      figure: 'act',
      bytes,
      columns: ['seconds', 'speed', 'cpu', 'memory'],
      plot: 'speed',
      input: { layout },
      entries: processorCounts().map(processors => ({
        label: labelOf(processors),
        contender: layerstore,
        options: { hasher: 'wasm', processors },
      })),
      check: ({ sound, blobs: checked }) => {
        if (!sound || checked !== digests.length) throw new Error(`${checked} blobs of ${digests.length} were checked`)
      },
    })
  },
  claims: [
    {
      text: 'the check of the whole store: speed of two processors over one',
      of: figure => figure(WHOLE, labelOf(1)) / figure(WHOLE, labelOf(2)),
      atLeast: 1.6,
    },
  ],
}
