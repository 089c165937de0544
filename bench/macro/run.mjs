import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layerstore } from '../contenders/layerstore.mjs'
import { buildahRun } from '../contenders/runners/buildah-run.mjs'
import { clearDockerRun, dockerRun } from '../contenders/runners/docker-run.mjs'
import { layerstoreRun } from '../contenders/runners/layerstore-run.mjs'
import { BASE } from '../contenders/runners/names.mjs'
import { amountOf } from '../harness/checks/contents-of.mjs'
import { missing } from '../harness/find-program.mjs'

const STEP = 'RUN true on a warm base, per step'
const STEPS = 'a Dockerfile of ten steps, no cache'
const SNAPSHOT = 'a base of one layer for the first RUN'
const OURS = layerstoreRun.name
const OTHERS = [dockerRun, buildahRun]
/** Steps of a build; the cost of one is the difference between the two builds over the difference of steps. */
const [FEW, MANY] = [1, 11]

export const scenario = {
  name: 'run',
  question: 'What does a RUN cost beside its command?',
  async measure(bench) {
    const reason = reasonToSkip()
    if (reason) return bench.skip(STEP, reason)
    const place = mkdtempSync(join(bench.scratch, 'run-'))
    try {
      await measureBuilds(bench, place)
      await measureSnapshot(bench)
    } finally {
      clearDockerRun()
    }
  },
  claims: [
    { text: `${STEP}: seconds`, of: figure => figure(STEP, OURS), atMost: 0.15 },
    ...OTHERS.flatMap(({ name }) => [
      {
        text: `${STEP}: time over that of ${name}`,
        of: figure => figure(STEP, OURS) / figure(STEP, name),
        atMost: 0.5,
      },
      {
        text: `${STEPS}: time over that of ${name}`,
        of: figure => figure(STEPS, OURS) / figure(STEPS, name),
        atMost: 0.8,
      },
    ]),
    {
      text: `${SNAPSHOT}: time of the snapshot over that of unpack`,
      of: figure => figure(SNAPSHOT, 'snapshot') / figure(SNAPSHOT, 'unpack'),
      atMost: 1.05,
    },
  ],
}

function reasonToSkip() {
  if (process.getuid?.() !== 0) return 'needs root'
  return missing('bwrap') ?? missing('busybox')
}

async function measureBuilds(bench, place) {
  const { directory } = await bench.corpora.tiny()
  const contexts = join(place, 'contexts')
  const context = (name, steps) => {
    mkdirSync(join(contexts, name), { recursive: true })
    writeFileSync(join(contexts, name, 'file'), 'file\n')
    writeFileSync(join(contexts, name, 'Dockerfile'), [`FROM ${BASE}`, ...steps, ''].join('\n'))
    return join(contexts, name)
  }
  const trues = count => [...Array(count - 1).fill('RUN true'), 'RUN echo end >/end']
  const input = {
    baseTar: makeBase(directory, join(place, 'base')),
    states: join(place, 'states'),
    few: context('few', trues(FEW)),
    many: context('many', trues(MANY)),
    ten: context('ten', TEN),
  }
  mkdirSync(input.states)
  const rounds = 5
  const common = { rounds, columns: ['seconds', 'cpu'], plot: 'seconds', input, check: checkEnd }
  const entries = act =>
    [layerstoreRun, ...OTHERS].map(contender => ({ contender: { ...contender, run: act(contender) } }))
  await bench.compare({ ...common, name: STEP, job: 'step', entries: entries(stepCost) })
  await bench.compare({ ...common, name: STEPS, job: 'ten', entries: entries(wholeBuild) })
}

const TEN = [
  'RUN mkdir -p /srv/app && echo one >/srv/app/one',
  'WORKDIR /srv/app',
  'COPY file package',
  'RUN cat package one >two',
  'RUN rm one && mkdir node_modules && for i in 1 2 3 4 5 6 7 8 9; do echo $i >node_modules/$i; done',
  'COPY file .',
  'RUN cp -r node_modules /srv/copy',
  'RUN rm -r node_modules',
  'RUN chmod 755 file && ln -s file link',
  'RUN echo end >/end',
]

/** A root filesystem with a shell and the files of a corpus. */
function makeBase(files, root) {
  mkdirSync(join(root, 'bin'), { recursive: true })
  cpSync(files, join(root, 'usr'), { recursive: true })
  cpSync('/bin/busybox', join(root, 'bin', 'busybox'))
  const applets = ['cat', 'chmod', 'cp', 'echo', 'ln', 'mkdir', 'rm', 'sh', 'true']
  for (const name of applets) symlinkSync('busybox', join(root, 'bin', name))
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', `${root}.tar`, '.'])
  return `${root}.tar`
}

function builderOf(contender, given) {
  return contender.builder({ ...given, state: join(given.states, contender.name.replaceAll(' ', '-')) })
}

/** What one more step costs. */
function stepCost(contender) {
  return async (_job, given) => {
    const { build, read } = builderOf(contender, given)
    const [few, many] = [await build(given.few), await build(given.many)]
    const each = name => (many[name] - few[name]) / (MANY - FEW)
    return { wallSeconds: each('wallSeconds'), cpuSeconds: each('cpuSeconds'), outcome: read('end') }
  }
}

function wholeBuild(contender) {
  return async (_job, given) => {
    const { build, read } = builderOf(contender, given)
    const { stdout: _, ...measured } = await build(given.ten)
    return { ...measured, outcome: read('end') }
  }
}

function checkEnd(outcome) {
  if (outcome !== 'end\n') throw new Error('the image lacks what its last step wrote')
}

/** The first RUN on a base unpacks it; `unpack` writes the same files. */
async function measureSnapshot(bench) {
  const image = await bench.corpora.runtime()
  const bytes = image.layers.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0)
  await bench.compare({
    name: SNAPSHOT,
    job: 'snapshot',
    bytes,
    columns: ['seconds', 'speed', 'cpu', 'memory'],
    plot: 'seconds',
    // Even: each run of a series takes longer than the one before, and only pairs in reverse order balance that.
    rounds: 4,
    writes: bytes,
    filesStay: true,
    input: { ...image, bytes },
    entries: [
      { label: 'snapshot', contender: layerstore, options: { hasher: 'wasm' } },
      { label: 'unpack', contender: layerstore, job: 'unpack', options: { hasher: 'wasm' } },
    ],
    check({ directory }) {
      const { files } = amountOf(directory)
      if (files !== image.files) throw new Error(`${files} files came out, not ${image.files}`)
    },
  })
}
