import { bareStart, commandLine } from '../contenders/command-line.mjs'
import { cloneLayout } from '../contenders/oci-layout.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { comparePulls } from '../harness/compare-pulls.mjs'
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
      const whole = [{ contender: commandLine }, { contender: bareStart }]
      await compareOn(bench, NOTHING_NEW, app, app, `${host}/bench/app:1`, whole)
    })
  },
  claims: [
    {
      text: `${NOTHING_NEW}: time of the command line over that of a Node without a program`,
      of: figure => figure(NOTHING_NEW, commandLine.name) / figure(NOTHING_NEW, bareStart.name),
      atMost: 1.9,
    },
  ],
}

function compareOn(bench, name, had, image, reference, others = []) {
  return comparePulls(bench, {
    name,
    image,
    reference,
    columns: ['seconds', 'cpu', 'memory', 'moved'],
    prepare: layout => cloneLayout(had.layout, layout),
    beside: [...others, { contender: skopeo }],
    figures: ({ movedBytes }) => ({ movedBytes }),
  })
}
