import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { bareNode } from '../contenders/bare-node.mjs'
import { gzipInflate, pigzInflate } from '../contenders/inflaters.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { blobPath } from '../contenders/oci-layout.mjs'

const CASE = 'one gzip layer'
const BOTH = 'inflate + diffId + digest'
const WASM = `${BOTH}, wasm`
const NATIVE = `${BOTH}, native`
const INFLATE = 'inflate alone'
const HASH = 'both hashes alone, wasm'

export const scenario = {
  name: 'inflate-digest',
  question: 'Do the decompression of a stored layer and both its digests overlap?',
  async measure(bench) {
    const { layout, layers } = await bench.corpora.big()
    const [{ descriptor, diffId, uncompressedSize }] = layers
    const file = blobPath(layout, descriptor.digest)
    const tar = join(bench.scratch, 'layer.tar')
    await pipeline(createReadStream(file), createGunzip({ chunkSize: 2 ** 20 }), createWriteStream(tar))
    await bench.compare({
      name: CASE,
      bytes: uncompressedSize,
      figure: 'act',
      columns: ['seconds', 'speed', 'cpu', 'memory'],
      plot: 'speed',
      job: 'inflate',
      rounds: 2,
      input: { layout, digest: descriptor.digest, file },
      entries: [
        { label: WASM, contender: layerstore, options: { hash: true, hasher: 'wasm' } },
        { label: NATIVE, contender: layerstore, options: { hash: true, hasher: 'native' } },
        { label: INFLATE, contender: layerstore, options: { hash: false } },
        { label: HASH, contender: bareNode, job: 'hash', options: { engine: 'wasm', files: [tar, file] } },
        { contender: gzipInflate, rounds: 1 },
        { contender: pigzInflate, rounds: 1 },
      ],
      check: outcome => checkOutcome(outcome, { digest: descriptor.digest, diffId, bytes: uncompressedSize }),
    })
  },
  claims: [
    {
      text: `${WASM}: share of the speed of the slower of its two halves`,
      of: figure => Math.max(figure(CASE, INFLATE), figure(CASE, HASH)) / figure(CASE, WASM),
      atLeast: 0.8,
    },
    {
      text: `${NATIVE}: share of the speed of inflating alone`,
      of: figure => figure(CASE, INFLATE) / figure(CASE, NATIVE),
      atLeast: 0.9,
    },
  ],
}

function checkOutcome({ diffId, bytes, digests }, right) {
  if (diffId && diffId !== right.diffId) throw new Error(`wrong diffId ${diffId}`)
  if (bytes && bytes !== right.bytes) throw new Error(`${bytes} bytes came out, not ${right.bytes}`)
  if (digests && String(digests) !== String([right.diffId, right.digest])) throw new Error(`wrong digests ${digests}`)
}
