import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crane } from '../contenders/crane.mjs'
import { layerstoreAppend } from '../contenders/layerstore-append.mjs'
import { missing } from '../harness/find-program.mjs'
import { withCountedLink } from '../harness/servers/counted-link.mjs'
import { withDockerRegistry } from '../harness/servers/docker-registry.mjs'

const TEN = 'one file on a base of ten layers'
const ONE = 'one file on a base of one layer'
const OURS = layerstoreAppend.name

export const scenario = {
  name: 'append-remote',
  question: 'How long does a file on top of an image in a registry take, and how many bytes move?',
  async measure(bench) {
    const reason = missing('docker-registry')
    if (reason) return bench.skip(TEN, reason)
    const { app, big, registry } = bench.corpora
    const { directory } = await registry()
    await withDockerRegistry(directory, async host => {
      await compareOn(bench, host, TEN, 'bench/app', await app())
      await compareOn(bench, host, ONE, 'bench/big', await big())
    })
  },
  claims: [TEN, ONE].flatMap(name => [
    {
      text: `${name}: kB moved, requests and answers whole`,
      of: figure => figure(name, OURS, 'movedBytes') / 1e3,
      atMost: 20,
    },
    { text: `${name}: seconds of the whole process`, of: figure => figure(name, OURS), atMost: 0.5 },
  ]),
}

function compareOn(bench, registry, name, base, { bytes }) {
  return bench.compare({
    name,
    bytes,
    columns: ['seconds', 'cpu', 'memory', 'movedKb'],
    plot: 'seconds',
    rounds: 7,
    input: filesIn(bench.scratch),
    around: (input, run) =>
      withCountedLink(registry, (host, moved) => {
        // A new repository for each run: it holds no layer, so each has to be mounted.
        const target = `${host}/bench/on-top-${randomBytes(6).toString('hex')}:1`
        return run({ ...input, base: `${host}/${base}:1`, repository: base, target, registry, moved })
      }),
    entries: [{ contender: layerstoreAppend }, { contender: crane }],
    check: checkOnTop,
    figures: (_outcome, { movedAtEnd }) => ({ movedBytes: movedAtEnd }),
  })
}

/** The file to add, and the same file as a layer, which crane takes. */
function filesIn(scratch) {
  const directory = join(scratch, 'file')
  mkdirSync(join(directory, 'etc'), { recursive: true })
  const [file, layer] = [join(directory, 'etc/app.json'), join(scratch, 'layer.tar')]
  writeFileSync(file, '{"port":8080}\n')
  execFileSync('tar', ['-cf', layer, '-C', directory, 'etc/app.json'])
  return { file, layer }
}

/** Every layer of the base, and one more, is in the new repository, asked directly and not over the counted link. */
async function checkOnTop(_outcome, given) {
  given.movedAtEnd = given.moved()
  const [, repository] = /^[^/]+\/(.+):1$/.exec(given.target)
  const base = await manifestOf(given.registry, given.repository)
  const made = await manifestOf(given.registry, repository)
  const digests = made.layers.map(({ digest }) => digest)
  if (digests.length !== base.layers.length + 1) throw new Error(`${digests.length} layers in ${repository}`)
  if (base.layers.some(({ digest }, i) => digest !== digests[i])) throw new Error(`other base layers in ${repository}`)
  for (const { digest, size } of made.layers) {
    const answer = await fetch(`http://${given.registry}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })
    if (Number(answer.headers.get('content-length')) !== size) throw new Error(`the registry lacks ${digest}`)
  }
}

async function manifestOf(registry, repository) {
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
  const answer = await fetch(`http://${registry}/v2/${repository}/manifests/1`, { headers: { accept } })
  if (!answer.ok) throw new Error(`${repository}:1 is answered with ${answer.status}`)
  return answer.json()
}
