import { layerstore } from '../contenders/layerstore.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { checkRegistry } from '../harness/checks/check-registry.mjs'
import { missing } from '../harness/find-program.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'

export const scenario = {
  name: 'push-cold',
  question: 'How long does a push of ten layers into an empty registry take, beside skopeo?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip('ten layers', reason)
    const app = await bench.corpora.app()
    await bench.compare({
      name: 'ten layers',
      job: 'push',
      bytes: app.bytes,
      writes: app.bytes,
      columns: ['seconds', 'speed', 'cpu', 'memory'],
      plot: 'seconds',
      rounds: 3,
      input: { layout: app.layout, name: app.name },
      // A new registry for each run: skopeo remembers where blobs are, and would mount what it pushed before.
      around: (input, run) =>
        withDockerRegistry(`${input.scratch}/registry`, host => run({ ...input, reference: `${host}/bench/app:1` })),
      entries: [
        { label: 'layerstore, wasm', contender: layerstore, options: { hasher: 'wasm' } },
        { label: 'layerstore, native', contender: layerstore, options: { hasher: 'native' } },
        { contender: skopeo },
      ],
      check: ({ reference }) => checkRegistry(reference, app),
    })
  },
}
