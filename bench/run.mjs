// npm run bench [-- --smoke | --only NAME | --peers | compare REF | …]: see bench/README.md.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openCorpora } from './corpora/open-corpora.mjs'
import { compareMicro, frozenCopy, withLibraryOf } from './harness/compare.mjs'
import { withScratch } from './harness/measure/scratch.mjs'
import { installPeers } from './harness/peers.mjs'
import { markdownOf } from './harness/report/markdown-table.mjs'
import { writeReadme, writeResult } from './harness/report/write-report.mjs'
import { runMicro } from './harness/run-micro.mjs'
import { runScenario } from './harness/run-scenario.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    local: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    keep: { type: 'string' },
    peers: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    library: { type: 'string', default: resolve(import.meta.dirname, '../dist') },
  },
})
const say = line => console.log(line)

/** Benchmarks that run only if they are named: a soak runs as long as it is told, and measures nothing. */
const BY_NAME = ['soak']

/** Finds benchmarks by name; micro benchmarks first, because they are short. */
function findBenchmarks() {
  const files = folder => readdirSync(join(import.meta.dirname, folder)).sort()
  const micro = files('micro').map(file => ({
    name: basename(file, '.bench.mjs'),
    micro: join(import.meta.dirname, 'micro', file),
  }))
  const macro = files('macro').map(file => ({
    name: file.replace(/(\.script)?\.mjs$/, ''),
    [file.endsWith('.script.mjs') ? 'script' : 'macro']: join(import.meta.dirname, 'macro', file),
  }))
  const all = [...micro, ...macro]
  const unknown = values.only?.filter(name => !all.some(one => one.name === name)) ?? []
  if (unknown.length > 0)
    throw new Error(`no benchmark named ${unknown}; there are ${all.map(({ name }) => name).join(', ')}`)
  return all.filter(({ name }) => (values.only ? values.only.includes(name) : values.smoke || !BY_NAME.includes(name)))
}

/** Runs a script, which prints its own figures and fails by its exit code; it takes no part in comparisons. */
function runScript(file, library) {
  const args = values.smoke ? [file, '--smoke'] : [file]
  execFileSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, LAYERSTORE_DIST: library } })
}

async function runOne({ micro, macro }, settings) {
  if (macro) return runScenario((await import(macro)).scenario, settings)
  if (Object.keys(settings.libraries).length > 1) return compareMicro(micro, settings)
  return runMicro(micro, { ...settings, library: Object.values(settings.libraries)[0] })
}

/** Runs all benchmarks. A failed one does not stop the others; the exit code shows that one failed. */
async function runAll(libraries, directory, { recorded }) {
  const corpora = openCorpora(values.keep ? resolve(values.keep) : join(directory, 'corpora'), {
    library: Object.values(libraries).at(-1),
    smoke: values.smoke,
  })
  const failed = []
  for (const benchmark of findBenchmarks()) {
    say(`\n## ${benchmark.name}`)
    try {
      if (benchmark.script) {
        runScript(benchmark.script, Object.values(libraries).at(-1))
        continue
      }
      const result = await withScratch(
        scratch =>
          runOne(benchmark, {
            libraries,
            corpora,
            scratch,
            smoke: values.smoke,
            maxRounds: Number(values.rounds ?? 99),
            say,
          }),
        directory,
      )
      if (recorded) writeResult(result, { local: values.local })
      say(`\n${markdownOf(result)}\n\n(${result.elapsedSeconds} s)`)
    } catch (error) {
      console.error(error)
      failed.push(benchmark.name)
    }
  }
  if (recorded && !values.local) writeReadme()
  if (failed.length > 0) throw new Error(`failed: ${failed.join(', ')}`)
}

async function main() {
  if (values.peers) return installPeers()
  if (values.report) return writeReadme()
  const [command, ref] = positionals
  if (command !== undefined && (command !== 'compare' || ref === undefined)) throw new Error('usage: compare REF')
  await withScratch(async directory => {
    if (command === undefined) return runAll({ here: resolve(values.library) }, directory, { recorded: !values.smoke })
    const here = frozenCopy(resolve(values.library), directory)
    return withLibraryOf(ref, directory, there => runAll({ [ref]: there, here }, directory, { recorded: false }))
  })
}

const started = performance.now()
try {
  await main()
} catch (error) {
  console.error(`bench: ${error.message}`)
  process.exitCode = 1
}
say(`\n${((performance.now() - started) / 1000).toFixed(1)} s in all`)
