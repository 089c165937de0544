import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { dockerRegistryOnBucket, environmentFor, layerstoreOnBucket } from '../contenders/bucket-registries.mjs'
import { plainDownload } from '../contenders/plain-download.mjs'
import { runJob } from '../contenders/run-job.mjs'
import { randomImage } from '../corpora/random-image.mjs'
import { checkLayout } from '../harness/checks/check-layout.mjs'
import { comparePulls, NATIVE, WASM } from '../harness/compare-pulls.mjs'
import { missingCephRgw, withCephRgw } from '../harness/servers/ceph-rgw.mjs'
import { withLayerstoreServer } from '../harness/servers/layerstore-server.mjs'

const ACTS = 'four acts, one after the other'
const COLD = 'cold pull by presigned addresses'
const PLAIN = plainDownload.name

export const scenario = {
  name: 'bucket',
  question: 'What does a registry over a bucket cost, beside docker-registry on the same bucket and a disk?',
  async measure(bench) {
    const reason = missingCephRgw()
    if (reason) return bench.skip(ACTS, reason)
    await withCephRgw(join(bench.scratch, 'ceph'), async engine => {
      await compareActs(bench, engine)
      await compareColdPulls(bench, engine)
    })
  },
  claims: [NATIVE, WASM].map(label => ({
    text: `${COLD}: speed of ${label} over that of a plain download`,
    of: figure => figure(COLD, label, 'bytesPerSecond') / figure(COLD, PLAIN, 'bytesPerSecond'),
    atLeast: 0.8,
  })),
}

const ROWS = [
  { label: 'layerstore serve, bucket', contender: layerstoreOnBucket, isShort: true },
  { label: 'layerstore serve, bucket, redirects', contender: layerstoreOnBucket, options: { redirects: true } },
  { label: 'layerstore serve, disk', contender: layerstoreOnBucket, options: { disk: true }, isShort: true },
  { label: 'docker-registry, bucket', contender: dockerRegistryOnBucket },
  {
    label: 'docker-registry, bucket, redirects',
    contender: dockerRegistryOnBucket,
    options: { redirects: true },
    isShort: true,
  },
]

/** Two images of ten layers that share five. */
function compareActs(bench, engine) {
  const unit = bench.smoke ? 50_000 : 2_000_000
  const small = Array.from({ length: 9 }, () => unit)
  const app = randomImage(join(bench.scratch, 'app'), [...small, 10 * unit])
  const next = randomImage(join(bench.scratch, 'next'), small.slice(4), app.layers.slice(0, 5))
  const facts = ({ layers: _, ...image }) => image
  return bench.compare({
    name: ACTS,
    bytes: app.bytes,
    columns: ['seconds', 'cpu', 'memory'],
    views: [
      { name: 'seconds of each act', columns: ['pushSeconds', 'pullSeconds', 'warmSeconds', 'collectSeconds'] },
      {
        name: 'requests to the bucket in each act',
        columns: ['pushRequests', 'pullRequests', 'warmRequests', 'collectRequests'],
      },
    ],
    plot: 'seconds',
    rounds: 2,
    input: { engine, app: facts(app), next: facts(next) },
    around: async (given, run) => {
      const bucket = `acts-${randomUUID().slice(0, 8)}`
      await engine.makeBucket(bucket)
      return run({ ...given, bucket })
    },
    // A short run leaves out two rows that run no other code: an act takes a second even with tiny images.
    entries: bench.smoke ? ROWS.filter(({ isShort }) => isShort) : ROWS,
    // The acts check their results while their server runs.
    check: () => {},
  })
}

/** A server that redirects gives 16 layers of 16 MB; the plain download has the addresses already. */
async function compareColdPulls(bench, engine) {
  const { library, scratch } = bench
  const sizes = Array.from({ length: 16 }, () => (bench.smoke ? 100_000 : 16_000_000))
  const image = randomImage(join(scratch, 'large'), sizes)
  await engine.makeBucket('cold')
  const options = { library, hasher: 'wasm', redirects: true, env: environmentFor(engine) }
  await withLayerstoreServer(
    's3://cold/bench',
    async host => {
      const reference = `${host}/bench/large:1`
      await runJob('layerstore-push', { library, layout: image.layout, name: image.name, reference, hasher: 'native' })
      const addresses = await addressesOf(host, image)
      await comparePulls(bench, {
        name: COLD,
        image,
        reference,
        bytes: image.bytes,
        writes: image.bytes,
        figure: 'act',
        columns: ['seconds', 'speed', 'cpu', 'memory'],
        rounds: 3,
        input: { addresses },
        beside: [{ contender: plainDownload }],
        // The plain download takes the layers and no names.
        check: ({ layout }, given) =>
          given.hasher ? checkLayout(layout, image) : checkLayout(layout, { blobs: image.layers }, { named: false }),
      })
    },
    options,
  )
}

/** The addresses to which the server redirects; an answer without one fails the scenario. */
function addressesOf(host, { layers }) {
  return Promise.all(
    layers.map(async ({ digest }) => {
      const answer = await fetch(`http://${host}/v2/bench/large/blobs/${digest}`, { redirect: 'manual' })
      if (answer.status !== 307) throw new Error(`a blob is answered with ${answer.status}, not with an address`)
      return { digest, address: answer.headers.get('location') }
    }),
  )
}
