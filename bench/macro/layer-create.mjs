import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { bareNode } from '../contenders/bare-node.mjs'
import { buildah } from '../contenders/buildah.mjs'
import { containerify } from '../contenders/containerify.mjs'
import { tarAndGzip, tarAndPigz } from '../contenders/gnu-tar.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { nodeTar } from '../contenders/node-tar.mjs'
import { umoci } from '../contenders/umoci.mjs'
import { checkLayer, gzipSizes } from '../harness/checks/check-layer.mjs'
import { missing } from '../harness/find-program.mjs'
import { withBaseImage } from '../harness/servers/base-image.mjs'

const SMALL = 'many small files'
const LARGE = 'one large file'
const OURS = 'layerstore, wasm'
const NATIVE = 'layerstore, native'
const PLAIN = 'tar-stream + one createGzip'

export const scenario = {
  name: 'layer-create',
  question: 'How fast does a directory become a gzip layer of level 6 with both digests, and how small is it?',
  async measure(bench) {
    const trial = await bench.corpora.tiny()
    const run = registry => compareAll(bench, trial, registry)
    if (missing('docker-registry')) await run(undefined)
    else await withBaseImage(bench.library, mkdtempSync(join(bench.scratch, 'base-')), run)
  },
  claims: [
    ...[SMALL, LARGE].flatMap(name => [
      {
        text: `${name}: speed over single-threaded createGzip`,
        of: figure => figure(name, PLAIN) / figure(name, OURS),
        atLeast: 1.8,
      },
      {
        text: `${name}: time over tar + pigz -p2`,
        of: figure => figure(name, OURS) / figure(name, tarAndPigz.name),
        atMost: 0.9,
      },
      {
        text: `${name}: time with native over tar + pigz -p2`,
        of: figure => figure(name, NATIVE) / figure(name, tarAndPigz.name),
        atMost: 0.9,
      },
      {
        text: `${name}: size over that of createGzip`,
        of: figure => figure(name, OURS, 'layerBytes') / figure(name, PLAIN, 'layerBytes'),
        atMost: 1.01,
      },
      { text: `${name}: peak memory, MB`, of: figure => figure(name, OURS, 'peakBytes') / 1e6, atMost: 200 },
    ]),
    {
      text: `${SMALL}: speed over containerify`,
      of: figure => figure(SMALL, containerify.name) / figure(SMALL, OURS),
      atLeast: 2,
    },
    {
      text: `${SMALL}: speed over umoci repack`,
      of: figure => figure(SMALL, umoci.name) / figure(SMALL, OURS),
      atLeast: 1,
    },
    {
      text: `${SMALL}: speed over buildah`,
      of: figure => figure(SMALL, buildah.name) / figure(SMALL, OURS),
      atLeast: 1,
    },
  ],
}

async function compareAll(bench, trial, registry) {
  const ours = hasher => ({ label: `layerstore, ${hasher}`, contender: layerstore, options: { hasher } })
  // The contenders of other projects create no index of the files and their digests.
  const bare = {
    label: `${OURS}, no index`,
    contender: layerstore,
    options: { hasher: 'wasm', index: false },
    rounds: 1,
  }
  // A contender that takes many times as long needs only one run.
  const plain = { label: PLAIN, contender: bareNode, rounds: 1 }
  const pigz = { contender: tarAndPigz }
  const tools = [tarAndGzip, nodeTar, containerify, umoci, buildah].map(contender => ({ contender, rounds: 1 }))
  const common = {
    job: 'layer',
    columns: ['seconds', 'speed', 'cpu', 'memory', 'ratio'],
    plot: 'seconds',
    trial: {
      input: { directory: trial.directory, level: 6, registry },
      check: async (outcome, given) => {
        await checkLayer(outcome, given.directory)
        outcome.sizes = await gzipSizes(outcome.file)
      },
    },
  }
  const small = await bench.corpora.smallFiles()
  await compareOn(bench, common, SMALL, small, registry, [ours('wasm'), ours('native'), bare, plain, pigz, ...tools])
  const large = await bench.corpora.fewLarge()
  await compareOn(bench, { ...common, rounds: 2 }, LARGE, large, registry, [ours('wasm'), ours('native'), plain, pigz])
}

function compareOn(bench, common, name, { directory, bytes }, registry, entries) {
  return bench.compare({
    rounds: 3,
    ...common,
    name,
    bytes,
    entries,
    input: { directory, level: 6, registry },
    // The whole content was checked on the small tree; here what was made must have the right amount in it.
    check: async outcome => {
      outcome.sizes = await gzipSizes(outcome.file)
      if (outcome.sizes.tarBytes < bytes) throw new Error(`${outcome.sizes.tarBytes} bytes of tar are too few`)
    },
    figures: ({ sizes }) => ({ ...sizes, ratio: sizes.layerBytes / sizes.tarBytes }),
  })
}
