import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bareNode } from '../contenders/bare-node.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { sha256sum } from '../contenders/sha256sum.mjs'
import { contentOf } from '../corpora/content.mjs'
import { sha256Of } from '../harness/checks/sha256-of.mjs'

const ONE = 'one stream'
const TWO = 'two streams at once'
const BARE = 'bare hash-wasm loop'
const BARE_THREADS = 'two bare hash-wasm loops, a thread each'

export const scenario = {
  name: 'hash-stream',
  question: 'What does storing a stream cost over hashing it, and do two streams use two cores?',
  async measure(bench) {
    const bytes = bench.smoke ? 2 ** 22 : 2 ** 28
    const files = ['a', 'b'].map(name => writeRandom(join(bench.scratch, name), bytes))
    const digests = await Promise.all(files.map(sha256Of))
    await compareOn(bench, ONE, files.slice(0, 1), digests.slice(0, 1), bytes)
    const threads = {
      label: BARE_THREADS,
      contender: bareNode,
      job: 'hash',
      options: { engine: 'wasm', threads: true },
    }
    await compareOn(bench, TWO, files, digests, 2 * bytes, [threads])
  },
  claims: [
    {
      text: 'store.put, wasm, one stream: share of the speed of the bare hash-wasm loop',
      of: figure => figure(ONE, BARE) / figure(ONE, 'store.put, wasm'),
      atLeast: 0.9,
    },
    {
      text: 'store.put, wasm: speed of two streams over one',
      of: figure => (2 * figure(ONE, 'store.put, wasm')) / figure(TWO, 'store.put, wasm'),
      atLeast: 1.5,
    },
    {
      text: 'two bare loops on two threads: speed over one, which is what these cores can give',
      of: figure => (2 * figure(ONE, BARE)) / figure(TWO, BARE_THREADS),
      atLeast: 1.5,
    },
  ],
}

function compareOn(bench, name, files, digests, bytes, beside = []) {
  return bench.compare({
    name,
    bytes,
    writes: bytes,
    figure: 'act',
    rounds: 3,
    columns: ['seconds', 'speed', 'cpu', 'memory'],
    plot: 'speed',
    input: { files },
    entries: [
      { label: 'store.put, wasm', contender: layerstore, job: 'put', options: { hasher: 'wasm' } },
      { label: 'store.put, native', contender: layerstore, job: 'put', options: { hasher: 'native' } },
      { label: BARE, contender: bareNode, job: 'hash', options: { engine: 'wasm' } },
      { label: 'bare node:crypto loop', contender: bareNode, job: 'hash', options: { engine: 'native' } },
      ...beside,
      { contender: sha256sum, job: 'hash' },
    ],
    check: outcome => {
      if (String(outcome.digests) !== String(digests)) throw new Error(`wrong digests: ${outcome.digests}`)
    },
  })
}

function writeRandom(path, bytes) {
  const piece = contentOf('packed', path.at(-1), Math.min(bytes, 2 ** 24))
  for (let written = 0; written < bytes; written += piece.length) {
    piece.writeUInt32LE(written)
    writeFileSync(path, piece, { flag: written === 0 ? 'w' : 'a' })
  }
  return path
}
