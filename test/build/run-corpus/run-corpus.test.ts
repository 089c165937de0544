import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bubblewrap,
  chroot,
  copyingSnapshots,
  type Executor,
  overlaySnapshots,
  runc,
  type SnapshotDriver,
} from '../../../lib/sandbox/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { sweep } from '../../helpers/sweep.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { writeContext } from '../corpus/contexts.ts'
import { describeBases } from '../corpus/describe-image.ts'
import { makeRunBases, runBases } from './bases.ts'
import { buildCase, type CorpusBench, stepsMadeAgain } from './build-case.ts'
import { buildInChild } from './build-in-child.ts'
import { runCorpus } from './cases.ts'
import { runContexts } from './contexts.ts'
import { runDifferences } from './differences.ts'
import { expectedOf, recorded } from './expected.ts'
import type { RunCase } from './run-case.ts'

interface Way {
  readonly name: string
  readonly executor: Executor
  readonly snapshots: (directory: string) => SnapshotDriver
  readonly cases: readonly RunCase[]
}

const runcIsThere = needsProgram('runc')
const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

test('the corpus has at least 150 builds with commands, each with a recorded result', () => {
  expect(runCorpus.length).toBeGreaterThanOrEqual(150)
  expect(new Set(runCorpus.map(({ name }) => name)).size).toBe(runCorpus.length)
  expect(Object.keys(recorded)).toEqual(runCorpus.map(({ name }) => name))
  expect(
    [...runDifferences('bubblewrap').keys()].filter(start => !runCorpus.some(({ name }) => name.startsWith(start))),
  ).toEqual([])
})

/**
 * Builds that change names or attributes of files with several names: on an overlay, as in the engine, a name that is
 * changed becomes a file of its own; on a copy all names change. And a change that ends where it began is none there.
 */
const keepsLinks = (name: string) => /^(links|renames 7|bases 21|modes and owners (4|12)|contents 15)\b/.test(name)

/** Builds whose results executors disagreed about once. */
const showsExecutor = (name: string) => /^(forms 14|users (1|21)|tmpfs mounts (6|7)|bases (5|27)):/.test(name)

/** Other ways to run a build. */
const ways: readonly Way[] = [
  {
    name: 'bubblewrap on copies',
    executor: bubblewrap(),
    snapshots: directory => copyingSnapshots({ directory }),
    cases: runCorpus.filter(({ name }, i) => i % sweep(16, 24) === 1 && !keepsLinks(name)),
  },
  {
    name: 'runc on overlays',
    executor: runc(),
    snapshots: directory => overlaySnapshots({ directory }),
    cases: runCorpus.filter(({ name }, i) => i % sweep(16, 40) === 2 || showsExecutor(name)),
  },
  {
    name: 'chroot on overlays',
    executor: chroot(),
    snapshots: directory => overlaySnapshots({ directory }),
    cases: runCorpus.filter(({ name }, i) => i % sweep(16, 40) === 3 || showsExecutor(name)),
  },
]

describe.runIf(able)('builds of root with bubblewrap on overlays', () => {
  const cases = runCorpus.filter((_, i) => i % sweep(1, 4) === 0)
  let directory: ReturnType<typeof temporaryDirectory>
  let builds: Awaited<ReturnType<typeof buildInChild>>
  beforeAll(async () => {
    directory = temporaryDirectory('run-corpus')
    builds = await buildInChild(directory.path, { uid: 0, gid: 0 }, cases)
  }, 600_000)
  afterAll(() => directory?.[Symbol.dispose]())

  test.each(cases)('equal the Docker Engine, and are cached: $name', entry => {
    expect(builds.get(entry.name)).toEqual({ made: expectedOf(entry, 'bubblewrap'), again: [] })
  })
})

describe.runIf(able).each(ways.filter(({ executor }) => executor.name !== 'runc' || runcIsThere))(
  'builds with $name',
  ({ executor, snapshots, cases }) => {
    let directory: ReturnType<typeof temporaryDirectory>
    let bench: CorpusBench

    beforeAll(async () => {
      directory = temporaryDirectory('run-corpus')
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
        executor,
        snapshots: snapshots(at('snapshots')),
        cacheMounts: at('caches'),
      }
    })

    afterAll(() => directory?.[Symbol.dispose]())

    test.concurrent.each(cases)('equal the Docker Engine, and are cached: $name', { timeout: 600_000 }, async entry => {
      const made = await buildCase(bench, entry)
      expect(made).toEqual(expectedOf(entry, executor.name))
      if (!('error' in made)) expect(await stepsMadeAgain(bench, entry)).toEqual([])
    })
  },
)
