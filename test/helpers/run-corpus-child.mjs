// Builds cases of the corpus of commands as the user of this process: `node run-corpus-child.mjs JOB.json`. Prints a
// line of JSON for each: its name, what it made, and the steps that a second build made again.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineSandbox } from '../../lib/sandbox/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { describeBases } from '../build/corpus/describe-image.ts'
import { makeRunBases, runBases } from '../build/run-corpus/bases.ts'
import { buildCase, stepsMadeAgain } from '../build/run-corpus/build-case.ts'
import { runCorpus } from '../build/run-corpus/cases.ts'

const { directory, contexts, names } = JSON.parse(readFileSync(process.argv[2], 'utf8'))

async function main() {
  const store = createMemoryStore()
  await makeRunBases(store)
  await using sandbox = machineSandbox({ directory: join(directory, 'snapshots') })
  const { executor, snapshots } = sandbox
  const cacheMounts = join(directory, 'caches')
  const bench = { store, bases: await describeBases(store, runBases), contexts, executor, snapshots, cacheMounts }
  const waiting = runCorpus.filter(({ name }) => names.includes(name))
  const build = async () => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      const made = await buildCase(bench, entry).catch(error => ({ thrown: String(error.stack) }))
      const again = 'error' in made || 'thrown' in made ? [] : await stepsMadeAgain(bench, entry)
      process.stdout.write(`${JSON.stringify([entry.name, { made, again }])}\n`)
    }
  }
  await Promise.all([build(), build(), build()])
  await sandbox.remove?.(join(directory, 'snapshots'))
  await sandbox.remove?.(cacheMounts)
}

main().catch(error => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
