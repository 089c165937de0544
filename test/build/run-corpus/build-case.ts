import { join } from 'node:path'
import { type BuildResult, buildImage, dockerfileStages, openContext } from '../../../lib/build/index.ts'
import { LayerStoreError } from '../../../lib/errors/index.ts'
import type { Executor, SnapshotDriver } from '../../../lib/sandbox/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import type { DescribedBases } from '../corpus/describe-image.ts'
import { runSecrets } from './contexts.ts'
import { type DescribedFailure, type DescribedRun, describeRun } from './describe-run.ts'
import type { RunCase } from './run-case.ts'

/** Where and how cases are built. */
export interface CorpusBench {
  readonly store: Store
  readonly bases: DescribedBases
  /** Directory of the contexts. */
  readonly contexts: string
  readonly executor: Executor
  readonly snapshots: SnapshotDriver
  /** Directory for cache mounts. */
  readonly cacheMounts: string
}

/** Builds a case and describes the image, or the failure. */
export async function buildCase(bench: CorpusBench, entry: RunCase): Promise<DescribedRun | DescribedFailure> {
  try {
    const { descriptor } = await build(bench, entry, { noCache: true })
    return await describeRun(bench.store, descriptor, { bases: bench.bases, times: entry.times })
  } catch (error) {
    if (!LayerStoreError.is(error)) throw error
    return { error: /exit code \d+/.exec(error.message)?.[0] ?? true }
  }
}

/** Builds a case again. Resolves to the steps that were made, which are none if the cache has all. */
export async function stepsMadeAgain(bench: CorpusBench, entry: RunCase): Promise<string[]> {
  const { steps } = await build(bench, entry, { noCache: false })
  return steps.flatMap(({ outcome, title, reason }) => (outcome === 'made' ? [`${title}: ${reason}`] : []))
}

async function build(
  { store, contexts, executor, snapshots, cacheMounts }: CorpusBench,
  { context, dockerfile, args, target, times }: RunCase,
  { noCache }: { readonly noCache: boolean },
): Promise<BuildResult> {
  await using opened = await openContext(join(contexts, context), { store })
  const stages = dockerfileStages(dockerfile, { buildArgs: args ?? {}, ...(target === undefined ? {} : { target }) })
  return await buildImage(store, stages, {
    context: opened,
    platforms: ['linux/amd64'],
    executor,
    snapshots,
    cacheMounts,
    secrets: runSecrets,
    noCache,
    // With times of the build, builds that share a step would give it other layers.
    policies: { times: times ? 'source' : 0 },
    compression: 'none',
  })
}
