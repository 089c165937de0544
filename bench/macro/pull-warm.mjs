import { layerstore } from '../contenders/layerstore.mjs'
import { cloneLayout } from '../contenders/oci-layout.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { checkLayout } from '../harness/checks/check-layout.mjs'
import { missing } from '../harness/find-program.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'

const ONE_NEW = 'one of ten layers is new'
const NOTHING_NEW = 'nothing is new'

export const scenario = {
  name: 'pull-warm',
  question: 'How long does a pull take when the store has nine of ten layers, or all?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip(ONE_NEW, reason)
    const { directory } = await bench.corpora.registry()
    const [app, next] = [await bench.corpora.app(), await bench.corpora.appNext()]
    await withDockerRegistry(directory, async host => {
      await compareOn(bench, ONE_NEW, app, next, `${host}/bench/app:2`)
      await compareOn(bench, NOTHING_NEW, app, app, `${host}/bench/app:1`)
    })
  },
}

function compareOn(bench, name, had, wanted, reference) {
  return bench.compare({
    name,
    job: 'pull',
    columns: ['seconds', 'cpu', 'memory', 'moved'],
    plot: 'seconds',
    input: { reference },
    around: (input, run) => {
      const layout = `${input.scratch}/layout`
      cloneLayout(had.layout, layout)
      return run({ ...input, layout })
    },
    entries: [
      { label: 'layerstore, wasm', contender: layerstore, options: { hasher: 'wasm' } },
      { label: 'layerstore, native', contender: layerstore, options: { hasher: 'native' } },
      { contender: skopeo },
    ],
    figures: ({ movedBytes }) => ({ movedBytes }),
    check: outcome => checkLayout(outcome.layout, wanted),
  })
}
