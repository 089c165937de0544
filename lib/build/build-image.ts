import type { Store } from '../store/index.ts'
import type { CacheSource } from './cache/import-cache.ts'
import type { ImportedCache } from './cache/imported-cache.ts'
import type { BuildContext } from './context/build-context.ts'
import type { ContextSource } from './context/open-context.ts'
import type { PlanBuildOptions } from './plan-build.ts'
import type { BuildStages } from './planning/stage-source.ts'
import type { BuildResult, RunBuildOptions } from './run-build.ts'

/** Options of {@link buildImage}: those of the plan and those of the run. */
export interface BuildImageOptions
  extends Omit<PlanBuildOptions, 'context' | 'contexts' | 'cacheFrom'>,
    Omit<RunBuildOptions, 'store' | 'context' | 'contexts' | 'cacheFrom'> {
  /** Files that steps copy from: a directory, an archive, an image, files in memory, or a context that is open. */
  readonly context?: ContextSource | BuildContext | undefined
  /** Further contexts, by their names. */
  readonly contexts?: Readonly<Record<string, ContextSource | BuildContext>> | undefined
  /** Caches of other machines. Those that are not there yet are passed over. */
  readonly cacheFrom?: readonly (CacheSource | ImportedCache)[] | undefined
}

/**
 * Builds an image: opens the contexts and caches, plans the build and runs the plan, and closes what it opened.
 *
 * @example
 * ```ts
 * const stage = from('node:22-slim').workdir('/app').copy('dist', '.').cmd(['node', 'server.js'])
 * const { descriptor } = await buildImage(store, stage, { context: '.', names: ['app:1.0'] })
 * ```
 *
 * @throws as {@link openContext}, {@link importCache}, {@link planBuild} and {@link runBuild}.
 */
export async function buildImage(
  store: Store,
  stages: BuildStages,
  options: BuildImageOptions = {},
): Promise<BuildResult> {
  // PERF: the front door exports this function; a program that builds nothing does not load the code of builds.
  const { planBuild } = await import('./plan-build.ts')
  const { runBuild } = await import('./run-build.ts')
  const { boundSession } = await import('./session/bound-session.ts')
  const opened: AsyncDisposable[] = []
  try {
    const ready = await openAll(store, options, opened)
    const plan = await planBuild(store, stages, { ...options, ...ready, name: options.name ?? options.names?.[0] })
    opened.push(...(boundSession(plan)?.owned ?? []))
    return await runBuild(plan, { ...options, ...ready, store: undefined })
  } finally {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]()
  }
}

/** Opens contexts and caches; appends what must be closed to `opened`. */
async function openAll(store: Store, options: BuildImageOptions, opened: AsyncDisposable[]) {
  const { signal } = options
  const { openContext } = await import('./context/open-context.ts')
  const { importCache } = await import('./cache/import-cache.ts')
  const open = async (source: ContextSource | BuildContext, name: string): Promise<BuildContext> => {
    if (isOpen(source)) return source
    const context = await openContext(source, { store, signal, ...(name === '' ? {} : { name: `context ${name}` }) })
    opened.push(context)
    return context
  }
  const context = options.context === undefined ? undefined : await open(options.context, '')
  const contexts: Record<string, BuildContext> = {}
  for (const [name, source] of Object.entries(options.contexts ?? {})) contexts[name] = await open(source, name)
  const cacheFrom: ImportedCache[] = []
  for (const source of options.cacheFrom ?? []) {
    const cache = 'records' in source ? source : await importCache(source, { signal, optional: true })
    if (cache !== source) opened.push(cache)
    cacheFrom.push(cache)
  }
  return { context, contexts, cacheFrom }
}

function isOpen(source: ContextSource | BuildContext): source is BuildContext {
  return typeof source === 'object' && 'tree' in source
}
