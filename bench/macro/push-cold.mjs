import { layerstore } from '../contenders/layerstore.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { ofToday, toolsOfToday } from '../contenders/tools-of-today.mjs'
import { checkRegistry } from '../harness/checks/check-registry.mjs'
import { missing } from '../harness/find-program.mjs'
import { processorCounts } from '../harness/measure/pinned.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'

const APP = 'ten layers'
const SCALING = 'ten layers, by processors'

export const scenario = {
  name: 'push-cold',
  question: 'How long does a push of ten layers into an empty registry take, beside skopeo?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip(APP, reason)
    const app = await bench.corpora.app()
    const hashers = options =>
      ['wasm', 'native'].map(hasher => ({
        label: labelOf(hasher, options),
        contender: layerstore,
        options: { hasher, ...options },
      }))
    await compareOn(bench, APP, app, [
      ...hashers(),
      { contender: skopeo },
      ...toolsOfToday.map(contender => ({ contender })),
    ])
    const counts = processorCounts()
    await compareOn(
      bench,
      SCALING,
      app,
      counts.flatMap(processors => hashers({ processors })),
    )
  },
  claims: [
    {
      text: `${APP}: time with native over that of crane of today`,
      of: figure => figure(APP, 'layerstore, native') / figure(APP, ofToday('crane').name),
      atMost: 1.1,
    },
  ],
}

function labelOf(hasher, { processors } = {}) {
  const suffix = processors === undefined ? '' : `, ${processors} processor${processors === 1 ? '' : 's'}`
  return `layerstore, ${hasher}${suffix}`
}

function compareOn(bench, name, app, entries) {
  return bench.compare({
    name,
    job: 'push',
    bytes: app.bytes,
    writes: app.bytes,
    columns: ['seconds', 'speed', 'cpu', 'memory', 'loop'],
    plot: 'seconds',
    rounds: 3,
    input: { layout: app.layout, name: app.name, digest: app.digest },
    // A new registry for each run: skopeo remembers where blobs are, and would mount what it pushed before.
    around: (input, run) =>
      withDockerRegistry(`${input.scratch}/registry`, host => run({ ...input, reference: `${host}/bench/app:1` })),
    entries,
    check: ({ reference }) => checkRegistry(reference, app),
  })
}
