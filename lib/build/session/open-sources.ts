import { LayerStoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import type { BuildWarning } from '../build-warning.ts'
import type { CacheSource } from '../cache/import-cache.ts'
import type { ImportedCache } from '../cache/imported-cache.ts'
import { placeOfCache } from '../cache/place-of-cache.ts'
import type { BuildContext } from '../context/build-context.ts'
import { keepContextFaults } from '../context/keep-context-faults.ts'
import { type ContextSource, openContext } from '../context/open-context.ts'
import type { VerifyBase } from '../verify-base.ts'

/** Contexts and caches of a build, open or still to be opened. */
export interface BuildSources {
  /** Files that steps copy from: a directory, an archive, an image, files in memory, or a context that is open. */
  readonly context?: ContextSource | BuildContext | undefined
  /** Further contexts, by their names. */
  readonly contexts?: Readonly<Record<string, ContextSource | BuildContext>> | undefined
  /** Caches of other machines. The build goes on without one that cannot be imported; a warning says so. */
  readonly cacheFrom?: readonly (CacheSource | ImportedCache)[] | undefined
}

/** Options of {@link openBuildSources}. */
export interface OpenBuildSourcesOptions extends AbortOptions, BuildSources {
  /** Asked for caches in a registry that name no client of their own. */
  readonly registry?: RegistryClient | undefined
  /** Verifies the caches that are imported here. One that is refused is not used, and a warning says so. */
  readonly verify?: VerifyBase | undefined
  /** Receives warnings; must not throw. */
  readonly onWarning?: ((warning: BuildWarning) => void) | undefined
}

/** Opened contexts and caches, for `planBuild` and `runBuild`. Disposing it closes what was opened here. */
export interface OpenedBuildSources extends AsyncDisposable {
  /** The context of the build. */
  readonly context: BuildContext | undefined
  /** Further contexts, by their names. */
  readonly contexts: Readonly<Record<string, BuildContext>>
  /** The caches that could be imported. */
  readonly cacheFrom: readonly ImportedCache[]
}

/**
 * Opens the contexts and caches of a build, which `buildImage` does by itself. What the caller has opened is passed
 * on and stays the caller's.
 *
 * @throws as {@link openContext}; {@link FormatError} `ERR_INVALID_REFERENCE`, `ERR_INVALID_ARGUMENT` for a cache.
 */
export async function openBuildSources(store: Store, options: OpenBuildSourcesOptions): Promise<OpenedBuildSources> {
  for (const source of [options.context, ...Object.values(options.contexts ?? {})]) keepContextFaults(source)
  const { signal } = options
  const opened: AsyncDisposable[] = []
  const close = async () => {
    for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
  }
  const open = async (source: ContextSource | BuildContext, name?: string): Promise<BuildContext> => {
    if (typeof source === 'object' && 'tree' in source) return source
    const context = await openContext(source, { store, signal, ...(name === undefined ? {} : { name }) })
    opened.push(context)
    return context
  }
  try {
    const context = options.context === undefined ? undefined : await open(options.context)
    const contexts: Record<string, BuildContext> = {}
    for (const [name, source] of Object.entries(options.contexts ?? {})) {
      contexts[name] = await open(source, `context ${name}`)
    }
    const cacheFrom: ImportedCache[] = []
    for (const source of options.cacheFrom ?? []) {
      const cache = 'records' in source ? source : await importIfAny(source, options)
      if (cache && cache !== source) opened.push(cache)
      if (cache) cacheFrom.push(cache)
    }
    return { context, contexts, cacheFrom, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Errors of the caller; any other is that of a place that has no cache now. */
const WRONG = ['ERR_INVALID_REFERENCE', 'ERR_INVALID_ARGUMENT']

/** Imports a cache. As in BuildKit, a cache that is missing or broken makes the build slower and nothing else. */
async function importIfAny(
  source: CacheSource,
  { registry, verify, onWarning, signal }: OpenBuildSourcesOptions,
): Promise<ImportedCache | undefined> {
  try {
    const withClient = 'reference' in source && registry ? { registry, ...source } : source
    const { importCache } = await import('../cache/import-cache.ts')
    return await importCache(withClient, { verify, signal })
  } catch (error) {
    signal?.throwIfAborted()
    if (!LayerStoreError.is(error) || WRONG.includes(error.code)) throw error
    const message = `the cache of ${placeOfCache(source)} was not imported: ${error.message} (${error.code})`
    onWarning?.({ code: 'CacheNotImported', message })
    return undefined
  }
}
