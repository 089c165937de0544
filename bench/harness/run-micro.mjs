import { execFileSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { environmentOf } from './measure/environment.mjs'

/** Runs one micro benchmark in a fresh process; returns its result in the form of a scenario's result. */
export function runMicro(file, { library, smoke, scratch }) {
  const started = performance.now()
  const environment = environmentOf(scratch)
  const input = JSON.stringify({ file, library, smoke, scratch })
  const output = execFileSync(process.execPath, [join(import.meta.dirname, 'micro-process.mjs'), input], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  })
  const { name, question, cases } = JSON.parse(output)
  return {
    name,
    question,
    command: `npm run bench -- --only ${basename(file, '.bench.mjs')}`,
    environment,
    smoke,
    elapsedSeconds: Math.round((performance.now() - started) / 100) / 10,
    cases,
    claims: [],
  }
}
