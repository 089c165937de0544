import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { alternate } from './measure/alternate.mjs'
import { reserveMemory } from './measure/reserve-memory.mjs'
import { withScratch } from './measure/scratch.mjs'
import { summarize } from './measure/statistics.mjs'

/**
 * Context of a scenario: corpora, and `compare`, which measures contenders side by side. Every run is checked before it
 * counts; a `trial` is run first on a small input, checked thoroughly and not counted. `writes` reserves that much
 * memory of the machine before a run; with `filesStay` no written file is removed before the end. `views` show other
 * columns of the same samples in separate tables.
 *
 * @param maxRounds - Maximum number of rounds, for a quick look.
 * @param libraries - Builds of this library by name. With several, `compare` runs this library only, once with each
 * build: this compares two commits.
 */
export function createBench({ libraries, corpora, scratch, smoke, maxRounds, say }) {
  const cases = []
  const [library] = Object.values(libraries)
  mkdirSync(scratch, { recursive: true })
  return {
    smoke,
    library,
    corpora,
    scratch,
    cases,
    async compare(spec) {
      const release = spec.writes && !smoke ? reserveMemory(scratch, spec.writes) : undefined
      const entries = entriesOf(spec, libraries)
      const lineup = []
      for (const entry of entries) {
        const { skipped, sample } = await tryOut(spec, entry, scratch, smoke)
        say(`  ${spec.name}: ${entry.label}: ${skipped ? `skipped, ${skipped}` : 'checked'}`)
        lineup.push({ ...entry, skipped, sample })
      }
      const able = lineup.filter(({ skipped }) => !skipped)
      const rounds = smoke ? 1 : Math.min(spec.rounds ?? 5, maxRounds)
      const samples = await alternate(able, rounds, entry => sampleOrReason(spec, entry, scratch), {
        roundsOf: entry => (entry.skipped ? 0 : (entry.rounds ?? rounds)),
        taken: spec.trial && !smoke ? undefined : able.map(({ sample }) => sample),
      })
      const result = resultOf(spec, lineup, new Map(able.map((entry, i) => [entry, samples[i]])))
      cases.push(result, ...viewsOf(spec, result))
      release?.()
    },
    /** Records a case that cannot be measured here, with the reason. */
    skip(name, reason) {
      say(`  ${name}: skipped, ${reason}`)
      cases.push({ name, skipped: reason, contenders: [] })
    },
  }
}

function entriesOf({ entries }, libraries) {
  const names = Object.keys(libraries)
  const all = entries.map(entry => ({ ...entry, label: entry.label ?? entry.contender.name }))
  if (names.length === 1) return all.map(entry => ({ ...entry, library: libraries[names[0]] }))
  const own = all.filter(({ contender }) => contender.own)
  return own.flatMap(entry =>
    names.map(name => ({ ...entry, label: `${entry.label} @ ${name}`, library: libraries[name] })),
  )
}

/** Runs each contender once. A contender that fails or gives a wrong result is excluded from the comparison. */
async function tryOut(spec, entry, scratch, smoke) {
  const reason = entry.contender.available(entry)
  if (reason) return { skipped: reason }
  const trial = spec.trial ?? spec
  const input = smoke ? spec.input : trial.input
  try {
    return { sample: await sampleOf(spec, input, trial.check, entry, scratch) }
  } catch (error) {
    return { skipped: failureOf(entry, error) }
  }
}

/** Takes a sample; a contender that fails in a later round is excluded from the comparison. */
async function sampleOrReason(spec, entry, scratch) {
  try {
    return await sampleOf(spec, spec.input, spec.check, entry, scratch)
  } catch (error) {
    entry.skipped = failureOf(entry, error)
    return undefined
  }
}

/** A failure of another contender becomes a row of the table; a failure of this library ends the scenario. */
function failureOf({ contender }, error) {
  if (contender.own) throw error
  return `failed: ${error.message.trim().split('\n').at(-1).slice(0, 200)}`
}

function sampleOf(spec, input, check, { contender, library, job, options }, scratch) {
  const around = spec.around ?? ((given, run) => run(given))
  const inScratch = spec.filesStay ? withoutRemoval : withScratch
  return inScratch(
    directory =>
      around({ ...input, ...options, library, scratch: directory }, async given => {
        const { outcome, ...measured } = await contender.run(job ?? spec.job, given)
        await check(outcome, given)
        const seconds = (spec.figure === 'act' ? measured.actSeconds : undefined) ?? measured.wallSeconds
        const bytes = given.bytes ?? spec.bytes
        const speed = bytes === undefined ? {} : { bytesPerSecond: bytes / seconds }
        return { seconds, ...speed, ...measured, ...spec.figures?.(outcome, given) }
      }),
    join(scratch, 'runs'),
  )
}

/**
 * Runs an act without removing its directory before the scenario ends. ext4 does not reuse the inode of a file removed
 * within the last minutes, and scans past all of them for each new file: after the removal of an earlier sample,
 * writing a tree takes six times as long.
 */
function withoutRemoval(act, parent) {
  mkdirSync(parent, { recursive: true })
  return act(mkdtempSync(join(parent, 'layerstore-bench-')))
}

/** Derives further cases with other columns of the same samples; they are not plotted. */
function viewsOf({ views = [] }, { contenders, ...result }) {
  const without = contenders.map(({ samples: _, ...contender }) => contender)
  return views.map(({ name, columns }) => ({ ...result, name, columns, plot: false, contenders: without }))
}

function resultOf({ name, job, bytes, figure = 'wall', columns, plot }, lineup, samples) {
  const contenders = lineup.map(entry => {
    const { label, contender, skipped } = entry
    const own = contender.own ?? false
    if (skipped) return { label, own, skipped }
    const taken = samples.get(entry)
    return { label, own, version: contender.version(), summary: summarize(taken), samples: taken }
  })
  return { name, job, bytes, figure, columns, plot, contenders }
}
