import { layerstore } from '../contenders/layerstore.mjs'
import { skopeo } from '../contenders/skopeo.mjs'
import { comparePulls } from '../harness/compare-pulls.mjs'
import { missing } from '../harness/find-program.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'
import { withShapedLink } from '../harness/servers/shaped-link.mjs'

const SLOW = 'one large layer, 50 MB/s for each connection'
const FAST = 'one large layer, connections without a limit'
const BYTES_PER_SECOND = 50e6
const [ONE, FOUR] = ['layerstore, wasm, one stream', 'layerstore, wasm, four ranges']

export const scenario = {
  name: 'pull-ranges',
  question: 'What do parallel ranges of one layer gain?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip(SLOW, reason)
    const { directory } = await bench.corpora.registry()
    const image = await bench.corpora.big()
    await withDockerRegistry(directory, async host => {
      const compareAt = (name, link) =>
        comparePulls(bench, {
          name,
          image,
          reference: `${link}/bench/big:1`,
          rounds: 3,
          bytes: image.bytes,
          writes: image.bytes,
          columns: ['seconds', 'speed', 'cpu', 'memory'],
          entries: [
            { label: ONE, contender: layerstore, options: { hasher: 'wasm' } },
            { label: FOUR, contender: layerstore, options: { hasher: 'wasm', parallel: 4 } },
            { contender: skopeo },
          ],
        })
      await withShapedLink(host, BYTES_PER_SECOND, link => compareAt(SLOW, link), { each: true })
      await compareAt(FAST, host)
    })
  },
  claims: [SLOW, FAST].map(name => ({
    text: `${name}: speed of four ranges over one stream`,
    of: figure => figure(name, ONE) / figure(name, FOUR),
    atLeast: 1.5,
  })),
}
