import { bareNode } from '../contenders/bare-node.mjs'
import { layerstore } from '../contenders/layerstore.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { ofToday, toolsOfToday } from '../contenders/tools-of-today.mjs'
import { comparePulls, NATIVE, WASM } from '../harness/compare-pulls.mjs'
import { missing } from '../harness/find-program.mjs'
import { processorCounts } from '../harness/measure/pinned.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'
import { withShapedLink } from '../harness/servers/shaped-link.mjs'

const APP = 'ten layers'
const BIG = 'one large layer'
const SHAPED = 'ten layers over 1 Gbit/s'
const LINK = 125e6
const SCALING = 'ten layers, by processors'
const [CRANE, SKOPEO] = [ofToday('crane').name, ofToday('skopeo').name]
const FLOOR = 'bare node:http, unchecked'

export const scenario = {
  name: 'pull-cold',
  question: 'How long does a pull into an empty store take, beside skopeo into an OCI layout?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip(APP, reason)
    const { directory } = await bench.corpora.registry()
    const [app, big] = [await bench.corpora.app(), await bench.corpora.big()]
    await withDockerRegistry(directory, async host => {
      await compareOn(bench, APP, app, `${host}/bench/app:1`, 5)
      await compareOn(bench, SCALING, app, `${host}/bench/app:1`, 3, byProcessors())
      await compareOn(bench, BIG, big, `${host}/bench/big:1`, 3)
      await withShapedLink(host, LINK, link => compareOn(bench, SHAPED, app, `${link}/bench/app:1`, 3))
    })
  },
  claims: [
    {
      text: `${APP}: time with native over that of crane of today`,
      of: figure => figure(APP, NATIVE) / figure(APP, CRANE),
      atMost: 1.25,
    },
    {
      text: `${APP}: time with native over that of skopeo of today`,
      of: figure => figure(APP, NATIVE) / figure(APP, SKOPEO),
      atMost: 0.8,
    },
    {
      text: `${APP}: time with wasm over that of skopeo of today`,
      of: figure => figure(APP, WASM) / figure(APP, SKOPEO),
      atMost: 1.05,
    },
    {
      text: `${SCALING}: speed of two processors over one, wasm`,
      of: figure => figure(SCALING, on(1, WASM)) / figure(SCALING, on(2, WASM)),
      atLeast: 1.6,
    },
    {
      text: `${APP}: delay of the event loop with wasm, p99 in ms`,
      of: figure => figure(APP, WASM, 'loopP99'),
      atMost: 20,
    },
    ...[APP, BIG].flatMap(name => [
      {
        text: `${name}: time with wasm over skopeo's`,
        of: figure => figure(name, WASM) / figure(name, skopeo.name),
        atMost: 1.1,
      },
      {
        text: `${name}: time with native over skopeo's`,
        of: figure => figure(name, NATIVE) / figure(name, skopeo.name),
        atMost: 0.8,
      },
      { text: `${name}: peak memory with wasm, MB`, of: figure => figure(name, WASM, 'peakBytes') / 1e6, atMost: 150 },
    ]),
    {
      text: `${SHAPED}: share of the link with wasm, without Node's start`,
      of: figure => rateOf(figure, WASM) / LINK,
      atLeast: 0.95,
    },
    {
      text: `${SHAPED}: share of the speed of a bare reader`,
      of: figure => rateOf(figure, WASM) / rateOf(figure, FLOOR),
      atLeast: 0.95,
    },
  ],
}

function rateOf(figure, label) {
  return (figure(SHAPED, label, 'bytesPerSecond') * figure(SHAPED, label)) / figure(SHAPED, label, 'actSeconds')
}

function on(processors, label) {
  return `${label}, ${processors} processor${processors === 1 ? '' : 's'}`
}

/** The same job with 1, 2 and more processors; the registry may use all. */
function byProcessors() {
  return processorCounts().flatMap(processors => [
    ...['wasm', 'native'].map(hasher => ({
      label: on(processors, `layerstore, ${hasher}`),
      contender: layerstore,
      options: { hasher, processors },
    })),
    { label: on(processors, CRANE), contender: ofToday('crane'), options: { processors } },
  ])
}

function compareOn(bench, name, image, reference, rounds, entries) {
  const digests = image.blobs.map(({ digest }) => ({ digest, manifest: digest === image.digest }))
  return comparePulls(bench, {
    name,
    image,
    reference,
    rounds,
    bytes: image.bytes,
    writes: image.bytes,
    columns: ['seconds', 'speed', 'cpu', 'memory', 'loop'],
    input: { digests },
    ...(entries && { entries }),
    beside: [
      { contender: skopeo },
      ...toolsOfToday.map(contender => ({ contender })),
      { label: FLOOR, contender: bareNode, options: { unnamed: true } },
    ],
  })
}
