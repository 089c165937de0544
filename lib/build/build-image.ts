import type { Store } from '../store/index.ts'
import type { BuildWarning } from './build-warning.ts'
import { keepContextFaults } from './context/keep-context-faults.ts'
import type { PlanBuildOptions } from './plan-build.ts'
import type { BuildStages } from './planning/stage-source.ts'
import type { BuildResult, RunBuildOptions } from './run-build.ts'
import type { BuildSources } from './session/open-sources.ts'

/** Options of {@link buildImage}: those of the plan and those of the run. */
export interface BuildImageOptions
  extends BuildSources,
    Omit<PlanBuildOptions, keyof BuildSources>,
    Omit<RunBuildOptions, 'store' | keyof BuildSources> {}

/**
 * Builds an image: opens the contexts and caches, plans the build and runs the plan, and closes what it opened.
 *
 * @example
 * ```ts
 * const stage = from('node:22-slim').workdir('/app').copy('dist', '.').cmd(['node', 'server.js'])
 * const { descriptor } = await buildImage(store, stage, { context: '.', names: ['app:1.0'] })
 * ```
 *
 * @throws as `openBuildSources`, {@link planBuild} and {@link runBuild}.
 */
export async function buildImage(
  store: Store,
  stages: BuildStages,
  options: BuildImageOptions = {},
): Promise<BuildResult> {
  for (const source of [options.context, ...Object.values(options.contexts ?? {})]) keepContextFaults(source)
  // PERF: the front door exports this function; a program that builds nothing does not load the code of builds.
  const { planBuild } = await import('./plan-build.ts')
  const { runBuild } = await import('./run-build.ts')
  const { boundSession } = await import('./session/bound-session.ts')
  const { openBuildSources } = await import('./session/open-sources.ts')
  const { onProgress } = options
  const onWarning = (warning: BuildWarning) => onProgress?.({ kind: 'warning', ...warning })
  await using sources = await openBuildSources(store, { ...options, onWarning })
  const ready = { context: sources.context, contexts: sources.contexts, cacheFrom: sources.cacheFrom }
  const plan = await planBuild(store, stages, { ...options, ...ready, name: options.name ?? options.names?.[0] })
  try {
    const result = await runBuild(plan, { ...options, ...ready, store: undefined })
    const { lock, compression, level, signal } = options
    if (lock?.onLock) {
      const { makeImageLock } = await import('./lock/make-image-lock.ts')
      const { session } = boundSession(plan)!
      const { images } = result
      const { context } = sources
      await lock.onLock(await makeImageLock({ plan, session, images, context, lock, compression, level, signal }))
    }
    return result
  } finally {
    for (const one of boundSession(plan)?.owned ?? []) await one[Symbol.asyncDispose]()
  }
}
