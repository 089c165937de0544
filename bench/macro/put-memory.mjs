import { createHash } from 'node:crypto'
import { generated } from '../contenders/generated.mjs'
import { layerstore } from '../contenders/layerstore.mjs'

export const scenario = {
  name: 'put-memory',
  question: 'Does the memory of store.put grow with the blob?',
  async measure(bench) {
    const sizes = bench.smoke ? [2 ** 24, 2 ** 26] : [5e7, 5e9]
    for (const bytes of sizes) {
      await bench.compare({
        name: nameOf(bytes),
        job: 'put',
        bytes,
        figure: 'act',
        rounds: 1,
        columns: ['seconds', 'speed', 'cpu', 'memory'],
        plot: 'memory',
        input: { generate: bytes },
        // A digest of so much takes long to check: the content is checked on a smaller blob, here the size.
        trial: { input: { generate: 2 ** 20 * 3 + 5 }, check: checkDigest },
        entries: ['wasm', 'native'].map(hasher => ({
          label: `layerstore, ${hasher}`,
          contender: layerstore,
          options: { hasher },
        })),
        check: ({ sizes: [size] }) => {
          if (size !== bytes) throw new Error(`${size} bytes were stored, not ${bytes}`)
        },
      })
    }
  },
  claims: [
    {
      text: 'peak memory of a blob of 5 GB over that of 50 MB, wasm',
      of: figure =>
        figure('5.0 GB', 'layerstore, wasm', 'peakBytes') / figure('50 MB', 'layerstore, wasm', 'peakBytes'),
      atMost: 1.3,
    },
  ],
}

function checkDigest({ digests: [digest] }, { generate }) {
  const hash = createHash('sha256')
  for (const chunk of generated(generate)) hash.update(chunk)
  const right = `sha256:${hash.digest('hex')}`
  if (digest !== right) throw new Error(`wrong digest ${digest}, not ${right}`)
}

function nameOf(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`
}
