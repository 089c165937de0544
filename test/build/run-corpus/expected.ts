import { readFileSync } from 'node:fs'
import type { DescribedFailure, DescribedRun } from './describe-run.ts'
import { runDifferences } from './differences.ts'
import type { RunCase } from './run-case.ts'

/** What the Docker Engine makes of the corpus; record.ts says how it was recorded. */
export const recorded: Readonly<Record<string, DescribedRun | DescribedFailure>> = Object.fromEntries(
  readFileSync(new URL('recorded.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line)),
)

/** The engine's result of a build, or what this library makes instead for a reason. */
export function expectedOf({ name }: RunCase, executor: string): DescribedRun | DescribedFailure {
  const engine = recorded[name]!
  const ours = runDifferences(executor).get(name.slice(0, name.indexOf(':') + 1))
  if (ours === undefined) return engine
  if (typeof ours !== 'function') return ours
  if ('error' in engine) throw new Error(`${name} fails in the engine; there is nothing to change`)
  return ours(engine)
}
