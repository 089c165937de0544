import { readPlatform, type Stage, type Step } from '../dockerfile/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { formatPlatform, type Platform } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import type { LayoutImage } from './bases/open-layouts.ts'
import type { ResolveBaseOptions } from './bases/resolve-base.ts'
import type { BasePlan, BuildPlan, ImagePlan } from './build-plan.ts'
import type { BuildWarning } from './build-warning.ts'
import type { ImportedCache } from './cache/imported-cache.ts'
import { StepCache } from './cache/step-cache.ts'
import type { BuildContext } from './context/build-context.ts'
import type { LayerPolicies } from './keys/step-parts.ts'
import type { BuildLockOptions } from './lock/image-lock.ts'
import { evaluateBuild } from './planning/evaluate-build.ts'
import { planStages } from './planning/plan-stages.ts'
import type { BuildStages, EvaluatedStages } from './planning/stage-source.ts'
import { warningsOf } from './planning/warnings-of.ts'
import { bindSession, type NoCache } from './session/bound-session.ts'
import { BuildSession } from './session/build-session.ts'
import { sourcesOf } from './stages/sources-of.ts'
import type { VerifyBase } from './verify-base.ts'

/** Options of {@link planBuild}. */
export interface PlanBuildOptions extends AbortOptions {
  /** Files that steps copy from. Without it, steps that copy from the context fail. */
  readonly context?: BuildContext | undefined
  /** Further contexts, by their names. */
  readonly contexts?: Readonly<Record<string, BuildContext>> | undefined
  /** Asked for bases that the store lacks. */
  readonly registry?: RegistryClient | undefined
  /** Platforms to build for; each gives an image. @defaultValue linux on the processor of this machine */
  readonly platforms?: readonly (string | Platform)[] | undefined
  /** Caches of other machines, from `importCache`. The build trusts them: their layers become part of the image. */
  readonly cacheFrom?: readonly ImportedCache[] | undefined
  /**
   * Images of OCI layouts on this disk, by the references that stages use for them. Only the caller can name a layout:
   * a Dockerfile cannot reach the disk.
   */
  readonly layouts?: Readonly<Record<string, LayoutImage>> | undefined
  /** `always` asks the registry for every base, `never` only the store. @defaultValue `'missing'` */
  readonly pull?: ResolveBaseOptions['pull']
  /**
   * Verifies each base of a registry or of a layout before it is used; the build ends with its error. `loadPolicy` of
   * `layerstore/trust` makes one. Images of the store were verified when they came there.
   */
  readonly verify?: VerifyBase | undefined
  /** Lock of the bases, and the receiver of the lock that `buildImage` makes. */
  readonly lock?: BuildLockOptions | undefined
  /** Steps that use no record: all, or those of the named stages. Their results are recorded all the same. */
  readonly noCache?: NoCache
  /** Policies that change the layers. */
  readonly policies?: LayerPolicies | undefined
  /** Name of the build in explanations, usually the name of the image. @defaultValue `'build'` */
  readonly name?: string | undefined
}

/**
 * Plans a build: evaluates the stages, resolves their bases, hashes what is copied, and looks up a record for each
 * step. Steps whose record is found are followed by their recorded layers, so that the keys of a whole cached build are
 * known. Of a base in a registry only manifest and config are read. Changes nothing.
 *
 * The plan is plain data. `runBuild` takes it as it is; the contexts, the store and the registry are remembered with
 * the object and do not travel with its JSON.
 *
 * @throws {@link FormatError} `ERR_INVALID_PLATFORM`; {@link BuildError}, with the step; the errors of the store, the
 * registry and the contexts.
 */
export async function planBuild(store: Store, stages: BuildStages, options: PlanBuildOptions = {}): Promise<BuildPlan> {
  const { signal, policies = {}, name = 'build' } = options
  const contexts = new Map<string, BuildContext>(Object.entries(options.contexts ?? {}))
  if (options.context) contexts.set('', options.context)
  const imported = options.cacheFrom ?? []
  const cache = new StepCache(store, imported)
  const { registry, pull, layouts, verify, lock } = options
  const session = new BuildSession({ store, registry, contexts, cache, policies, pull, layouts, verify, lock })
  await using _session = { [Symbol.asyncDispose]: () => session.close() }
  const images: ImagePlan[] = []
  const owned = new Set<AsyncDisposable>()
  const warnings = new Map<string, BuildWarning>()
  for (const wanted of platformsOf(options)) {
    const evaluated = await evaluateBuild(session, stages, wanted, signal)
    for (const [at, context] of Object.entries(evaluated.contexts ?? {})) contexts.set(at, context)
    for (const one of evaluated.owned ?? []) owned.add(one)
    images.push(await planImage(session, evaluated, { ...options, name }))
    for (const warning of await warningsOf(session, evaluated, signal)) warnings.set(JSON.stringify(warning), warning)
  }
  const plan: BuildPlan = { kind: 'build', version: 1, name, images, policies, warnings: [...warnings.values()] }
  return bindSession(plan, { session, noCache: options.noCache, owned: [...owned] })
}

/** The wanted platforms, each once; `undefined` for the default. Refused before anything is read. */
function platformsOf({ platforms }: PlanBuildOptions): ReadonlySet<string | undefined> {
  const texts = platforms?.map(platform => (typeof platform === 'string' ? platform : formatPlatform(platform)))
  return new Set(texts?.map(text => formatPlatform(readPlatform(text))) ?? [undefined])
}

async function planImage(
  session: BuildSession,
  evaluated: EvaluatedStages,
  { name, noCache, signal }: PlanBuildOptions & { name: string },
): Promise<ImagePlan> {
  const { platform, stages, proxies = [], sourceDateEpoch, dockerfile } = evaluated
  const useCache = usesCache(noCache)
  const steps = await planStages(session, stages, { name, platform, useCache, signal })
  return {
    platform,
    stages,
    bases: await basesOf(session, stages, signal),
    steps,
    proxies,
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
    ...(dockerfile ? { file: dockerfile.file } : {}),
  }
}

/** Returns whether a step may use a record. */
export function usesCache(noCache: NoCache): (step: Step, stage: Stage) => boolean {
  const all = noCache === true
  const names = Array.isArray(noCache) ? noCache.map(name => name.toLowerCase()) : []
  return (step, stage) => !all && !step.noCache && !(stage.name !== undefined && names.includes(stage.name))
}

async function basesOf(
  session: BuildSession,
  stages: readonly Stage[],
  signal: AbortSignal | undefined,
): Promise<BasePlan[]> {
  const read = imagesOf(stages)
  const plans: BasePlan[] = []
  for (const [platform, base] of await session.bases()) {
    const { reference, descriptor, index, layers } = base
    if (!read.has(JSON.stringify([reference, platform]))) continue
    const missing: number[] = []
    for (const { descriptor: layer } of layers) {
      if (!(await session.store.stat(layer.digest, { signal }))) missing.push(layer.size)
    }
    const missingBytes = missing.reduce((sum, size) => sum + size, 0)
    const { digest } = descriptor
    const place = { reference, platform, digest, ...(index === undefined ? {} : { index }) }
    plans.push({ ...place, missingLayers: missing.length, missingBytes })
  }
  return plans
}

/** The images that stages start from or read from, with their platforms. */
function imagesOf(stages: readonly Stage[]): Set<string> {
  const sources = stages.flatMap(({ base, steps }) => [base, ...steps.flatMap(sourcesOf)])
  return new Set(
    sources.flatMap(source => ('reference' in source ? [JSON.stringify([source.reference, source.platform])] : [])),
  )
}
