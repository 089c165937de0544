import { join } from 'node:path'
import { buildImage, dockerfileStages, openContext } from '../../../lib/build/index.ts'
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
  const { store, bases, executor, snapshots, cacheMounts } = bench
  const { context, dockerfile, args, target, times } = entry
  try {
    await using opened = await openContext(join(bench.contexts, context), { store })
    const stages = dockerfileStages(dockerfile, { buildArgs: args ?? {}, ...(target === undefined ? {} : { target }) })
    const { descriptor } = await buildImage(store, stages, {
      context: opened,
      platforms: ['linux/amd64'],
      executor,
      snapshots,
      cacheMounts,
      secrets: runSecrets,
      noCache: true,
      policies: { times: 'source' },
      compression: 'none',
    })
    return await describeRun(store, descriptor, { bases, times })
  } catch (error) {
    if (!LayerStoreError.is(error)) throw error
    return { error: /exit code \d+/.exec(error.message)?.[0] ?? true }
  }
}
