import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { buildahBud } from '../contenders/builders/buildah-bud.mjs'
import { containerifyCopy } from '../contenders/builders/containerify-copy.mjs'
import { clearDockerEngine, dockerEngine } from '../contenders/builders/docker-engine.mjs'
import { layerstoreBuild } from '../contenders/builders/layerstore-build.mjs'
import { checkLayer } from '../harness/checks/check-layer.mjs'
import { missing } from '../harness/find-program.mjs'
import { withBaseImage } from '../harness/servers/base-image.mjs'

const [COLD, CHANGED, STEPS] = ['COPY of 40,000 files, no cache', 'one of 40,000 files changed', 'ten cached steps']
const OTHERS = [dockerEngine, buildahBud, containerifyCopy]
const OURS = layerstoreBuild.name

export const scenario = {
  name: 'build',
  question: 'How long does a build take: the first one, one after an edit, and one that has everything?',
  async measure(bench) {
    const run = registry => measureAll(bench, registry)
    if (missing('docker-registry')) await run(undefined)
    else await withBaseImage(bench.library, mkdtempSync(join(bench.scratch, 'base-')), run)
  },
  claims: [
    ...ratioAndTime(COLD, 0.7),
    ...ratioAndTime(CHANGED, 0.5, 1.5),
    ...ratioAndTime(STEPS, 0.5, 0.4),
    ...[COLD, CHANGED].map(name => ({
      text: `${name}: peak memory, MB`,
      of: figure => figure(name, OURS, 'peakBytes') / 1e6,
      atMost: 250,
    })),
  ],
}

function ratioAndTime(name, share, seconds) {
  const best = figure =>
    Math.min(...OTHERS.map(other => figure(name, other.name)).filter(value => Number.isFinite(value)))
  return [
    {
      text: `${name}: time over the best of the others`,
      of: figure => figure(name, OURS) / best(figure),
      atMost: share,
    },
    ...(seconds ? [{ text: `${name}: seconds`, of: figure => figure(name, OURS), atMost: seconds }] : []),
  ]
}

async function measureAll(bench, registry) {
  const { directory, files, links } = await bench.corpora.smallFiles()
  const place = mkdtempSync(join(bench.scratch, 'build-'))
  const context = join(place, 'context')
  cpSync(directory, join(context, 'tree'), { recursive: true, verbatimSymlinks: true })
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY tree /tree/\n')
  const steps = tenSteps(join(place, 'steps'))
  const labels = new Set()
  const labelled = (input, label) => {
    labels.add(label)
    return { ...input, label }
  }
  const common = { columns: ['seconds', 'cpu', 'memory'], plot: 'seconds' }
  try {
    let serial = 0
    await bench.compare({
      ...common,
      name: COLD,
      job: 'cold',
      entries: entriesFor('cold'),
      input: { context, registry, noCache: true, files, links },
      around: (input, run) => run(labelled({ ...input, state: join(input.scratch, 'state') }, `cold-${++serial}`)),
      check,
    })
    await bench.compare({
      ...common,
      name: CHANGED,
      job: 'changed',
      entries: entriesFor('changed').map(warmed),
      input: { context, registry, changed: middleFile(context), files, links },
      around: (input, run) => run(labelled({ ...input, states: join(place, 'changed') }, 'changed')),
      check,
    })
    await bench.compare({
      ...common,
      name: STEPS,
      job: 'steps',
      entries: entriesFor('steps').map(warmed),
      input: { context: steps, registry, files: 10, links: 0, steps: 10 },
      around: (input, run) => run(labelled({ ...input, states: join(place, 'ten') }, 'steps')),
      check,
    })
  } finally {
    clearDockerEngine(labels)
  }
}

/** A contender that takes many times as long needs only one run. */
function entriesFor(job) {
  const rounds = job === 'steps' ? 5 : 1
  return [{ contender: layerstoreBuild, rounds: 5, job }, ...OTHERS.map(contender => ({ contender, rounds, job }))]
}

/** A contender that has built the context once, and then gets a changed file before each run, if the case has one. */
function warmed(entry) {
  const { contender } = entry
  let edits = 0
  const run = async (job, given) => {
    const own = { ...given, state: join(given.states, contender.name.replaceAll(' ', '-')) }
    mkdirSync(own.state, { recursive: true })
    if (edits++ === 0 && !contender.hasNoCache) await contender.run(job, { ...own, changed: undefined })
    if (given.changed) writeFileSync(join(given.context, given.changed), `${contender.name} ${edits}\n`)
    return contender.run(job, own)
  }
  return { ...entry, contender: { ...contender, run } }
}

/** Every file is there, and the changed one with its content; layers that can be read are compared file by file. */
async function check({ layer, isWhole, paths, linksNotCounted, changed }, given) {
  if (layer) return checkOwn(layer(), isWhole, given)
  const wanted = given.files + (linksNotCounted ? 0 : given.links)
  if (paths !== wanted) throw new Error(`the image has ${paths} files, not ${wanted}`)
  const edited = given.changed && readFileSync(join(given.context, given.changed))
  if (edited && !edited.equals(changed)) throw new Error('the image has the file of before the edit')
}

async function checkOwn(layer, isWhole, { context, steps }) {
  if (steps && layer.layers !== steps) throw new Error(`the image has ${layer.layers} layers, not ${steps}`)
  if (steps) return
  if (isWhole) await checkLayer(layer, join(context, 'tree'))
  else await checkLayer(layer, context, 'tree')
}

/** A context of ten files, and a step for each. */
function tenSteps(context) {
  mkdirSync(context)
  const numbers = Array.from({ length: 10 }, (_, i) => i + 1)
  for (const i of numbers) writeFileSync(join(context, `f${i}`), `file ${i}\n`)
  writeFileSync(join(context, 'Dockerfile'), `FROM scratch\n${numbers.map(i => `COPY f${i} /tree/f${i}\n`).join('')}`)
  return context
}

/** Path of the file in the middle of a context, in the order of a walk. */
function middleFile(context) {
  const paths = readdirSync(join(context, 'tree'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(context, join(entry.parentPath, entry.name)))
    .sort()
  return paths[paths.length >> 1]
}
