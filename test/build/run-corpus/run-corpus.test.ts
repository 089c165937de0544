import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bubblewrap, overlaySnapshots } from '../../../lib/sandbox/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { sweep } from '../../helpers/sweep.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { writeContext } from '../corpus/contexts.ts'
import { describeBases } from '../corpus/describe-image.ts'
import { makeRunBases, runBases } from './bases.ts'
import { buildCase, type CorpusBench } from './build-case.ts'
import { runCorpus } from './cases.ts'
import { runContexts } from './contexts.ts'
import type { DescribedFailure, DescribedRun } from './describe-run.ts'
import { runDifferences } from './differences.ts'
import type { RunCase } from './run-case.ts'

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

/** What the Docker Engine makes of the corpus; record.ts says how it was recorded. */
const recorded: Record<string, DescribedRun | DescribedFailure> = Object.fromEntries(
  readFileSync(new URL('recorded.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line)),
)

test('the corpus has at least 150 builds with commands, each with a recorded result', () => {
  expect(runCorpus.length).toBeGreaterThanOrEqual(150)
  expect(new Set(runCorpus.map(({ name }) => name)).size).toBe(runCorpus.length)
  expect(Object.keys(recorded)).toEqual(runCorpus.map(({ name }) => name))
  expect([...runDifferences.keys()].filter(start => !runCorpus.some(({ name }) => name.startsWith(start)))).toEqual([])
})

describe.runIf(able).concurrent('a build with commands equals that of the Docker Engine', () => {
  const directory = temporaryDirectory('run-corpus')
  let bench: CorpusBench

  beforeAll(async () => {
    const at = (name: string) => join(directory.path, name)
    const store = createMemoryStore()
    await makeRunBases(store)
    for (const [name, files] of Object.entries(runContexts)) {
      mkdirSync(join(at('contexts'), name), { recursive: true })
      writeContext(join(at('contexts'), name), files)
    }
    bench = {
      store,
      bases: await describeBases(store, runBases),
      contexts: at('contexts'),
      executor: bubblewrap(),
      snapshots: overlaySnapshots({ directory: at('snapshots') }),
      cacheMounts: at('caches'),
    }
  })

  afterAll(() => directory[Symbol.dispose]())

  test.each(runCorpus.filter((_, i) => i % sweep(1, 4) === 0))('$name', async entry => {
    expect(await buildCase(bench, entry)).toEqual(expectedOf(entry))
  })
})

/** The engine's result, or what this library makes instead for a reason. */
function expectedOf({ name }: RunCase): DescribedRun | DescribedFailure {
  const engine = recorded[name]!
  const ours = runDifferences.get(name.slice(0, name.indexOf(':') + 1))
  if (ours === undefined) return engine
  if (typeof ours !== 'function') return ours
  if ('error' in engine) throw new Error(`${name} fails in the engine; there is nothing to change`)
  return ours(engine)
}
