import { BuildError, FormatError } from '../errors/index.ts'
import type { Image } from '../image/index.ts'
import { defaultCreated } from '../image/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { canonicalJson } from '../internal/canonical-json.ts'
import { Semaphore } from '../internal/concurrency/semaphore.ts'
import { settleAll } from '../internal/settle-all.ts'
import { type Descriptor, MediaType, parsePlatform } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import { KeyedMutex, type Lease, type Store } from '../store/index.ts'
import type { LayoutImage } from './bases/open-layouts.ts'
import type { BuildPlan, ImagePlan } from './build-plan.ts'
import type { BuildStepResult, OnBuildProgress } from './build-progress.ts'
import type { ImportedCache } from './cache/imported-cache.ts'
import { placeOfCache } from './cache/place-of-cache.ts'
import { StepCache } from './cache/step-cache.ts'
import type { BuildContext } from './context/build-context.ts'
import { putBuiltImage } from './images/put-built-image.ts'
import type { CacheTarget } from './outputs/export-cache.ts'
import { type BuildOutputs, type GivenOutputs, giveOutputs } from './outputs/give-outputs.ts'
import { usesCache } from './plan-build.ts'
import type { BuildAttestations } from './provenance/provenance-options.ts'
import { assertExecutor } from './running/assert-executor.ts'
import { type MakingSteps, runStages } from './running/run-stages.ts'
import { boundSession, type NoCache } from './session/bound-session.ts'
import { BuildSession } from './session/build-session.ts'
import { runTask } from './session/run-task.ts'
import type { LayerSettings } from './steps/make-step.ts'
import type { RunSettings } from './steps/run-entries.ts'
import type { VerifyBase } from './verify-base.ts'

/** Options of {@link runBuild}. */
export interface RunBuildOptions extends AbortOptions, BuildOutputs, LayerSettings, Omit<RunSettings, 'proxies'> {
  /** Labels, set last; they win over those of the stages and are in no history. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Annotations of each manifest. */
  readonly annotations?: PlatformAnnotations | undefined
  /** Annotations of the index. Only a build for several platforms has one. */
  readonly indexAnnotations?: Readonly<Record<string, string>> | undefined
  /** Annotations of the descriptor of the index: in the entries of its names, and in archives. */
  readonly indexDescriptorAnnotations?: Readonly<Record<string, string>> | undefined
  /** Annotations of the descriptor of each manifest in the index. */
  readonly descriptorAnnotations?: PlatformAnnotations | undefined
  /**
   * Time of the image and of the new entries of its history, RFC 3339. No part of any key. @defaultValue
   * `SOURCE_DATE_EPOCH` of the Dockerfile, else of the environment, else the start of 1970
   */
  readonly created?: string | undefined
  /** Steps that are made at once, over all stages and platforms. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** Places that the cache of this build is written to. */
  readonly cacheTo?: readonly CacheTarget[] | undefined
  /**
   * Statements that each image gets beside it in an index: provenance and SBOM, as BuildKit stores them. The result is
   * an index then, also for one platform. @defaultValue none
   */
  readonly attestations?: BuildAttestations | undefined
  /** Receives progress. */
  readonly onProgress?: OnBuildProgress | undefined
  /** For a plan that was stored: the store. @defaultValue the store that the plan was made with */
  readonly store?: Store | undefined
  /** For a plan that was stored, and for pushes: the registry. @defaultValue that of the plan */
  readonly registry?: RegistryClient | undefined
  /** For a plan that was stored: the context. */
  readonly context?: BuildContext | undefined
  /** For a plan that was stored: the named contexts, those of files in memory among them. */
  readonly contexts?: Readonly<Record<string, BuildContext>> | undefined
  /** For a plan that was stored: caches of other machines. */
  readonly cacheFrom?: readonly ImportedCache[] | undefined
  /** For a plan that was stored: images of layouts, by the references that stages use. */
  readonly layouts?: Readonly<Record<string, LayoutImage>> | undefined
  /** For a plan that was stored: verifies its bases, as for `planBuild`. Refused if the plan was made without it. */
  readonly verify?: VerifyBase | undefined
  /** For a plan that was stored: steps that use no record. */
  readonly noCache?: NoCache
}

/** Annotations for every platform, or a function that returns those of one, as `os/architecture[/variant]`. */
export type PlatformAnnotations =
  | Readonly<Record<string, string>>
  | ((platform: string) => Readonly<Record<string, string>>)

/** A finished build. */
export interface BuildResult extends GivenOutputs {
  /** The image: a manifest for one platform, an index for several. */
  readonly descriptor: Descriptor
  /** The image of each platform. */
  readonly images: readonly BuiltImage[]
  /** Results of all steps. */
  readonly steps: readonly BuildStepResult[]
}

/** The image of one platform. */
export interface BuiltImage extends Image {
  /** Platform, as `os/architecture[/variant]`. */
  readonly platform: string
}

/**
 * Runs a build. A stored plan keeps the bases that it names by their digests. Keys are computed anew: a step whose
 * record appeared since the plan is not made, one whose record is gone is. Stages run side by side; each layer is made
 * in one pass and is recorded when it is complete, so an aborted or failed build loses only the steps that were
 * running.
 *
 * Layers of a base in a registry are fetched only if a step reads them. Names are set last, when all is in the store.
 * With equal stages, files and options the image has the same digest on every machine with the same version of Node.
 *
 * @throws {@link BuildError} with the step, the error of the cause kept: `ERR_BUILD_STEP`, `ERR_BUILD_RUN`,
 * `ERR_BUILD_LIMIT`, `ERR_BUILD_NO_EXECUTOR` before anything is built, `ERR_BUILD_FETCH`, `ERR_BUILD_SOURCE_NOT_FOUND`,
 * `ERR_BUILD_COPY_CONFLICT`, `ERR_BUILD_UNKNOWN_ACCOUNT`, `ERR_BUILD_UNSUPPORTED`; the errors of outputs unchanged.
 */
export async function runBuild(plan: BuildPlan, options: RunBuildOptions = {}): Promise<BuildResult> {
  if (plan.kind !== 'build' || plan.version !== 1) {
    throw new BuildError('ERR_BUILD_INVALID_STEP', 'not a build plan of version 1')
  }
  assertIndexFor(plan, options)
  const { session, noCache } = sessionOf(plan, options)
  const { signal, onProgress } = options
  // PERF: the programs of an executor start side by side with the lease, which waits for the disk.
  const probing = assertExecutor(plan, { ...options, dockerfile: session.dockerfile })
  probing.catch(() => {})
  const startedOn = new Date().toISOString()
  await using _session = { [Symbol.asyncDispose]: () => session.close() }
  session.onProgress = onProgress
  for (const warning of plan.warnings ?? []) onProgress?.({ kind: 'warning', ...warning })
  await using lease = await session.store.leases.hold({ label: `build ${plan.name}`.slice(0, 200), signal })
  await probing
  const shared = {
    lease,
    slots: new Semaphore(Math.max(1, options.concurrency ?? 4)),
    making: { made: new Map(), mutex: new KeyedMutex() },
  }
  const built = await settleAll(
    plan.images.map(image => buildOne(session, plan, image, { ...options, ...shared, noCache })),
  )
  const images = built.map(({ image }) => image)
  const attested = await attest(session, plan, images, { ...options, startedOn })
  const isOne = images.length === 1 && attested.length === 0
  const descriptor = isOne ? images[0]!.descriptor : await putIndex(session.store, images, attested, options)
  await lease.add(descriptor.digest)
  const records = built.flatMap(one => [...one.records.values()])
  const outputs = await giveOutputs(
    session,
    { descriptor, images },
    { ...options, registry: options.registry ?? session.registry },
  )
  for (const target of options.cacheTo ?? []) {
    const task = { task: 'cache', place: placeOfCache(target) } as const
    const registry = options.registry ?? session.registry
    const { exportCache } = await import('./outputs/export-cache.ts')
    await runTask(onProgress, task, () => exportCache(session, records, target, { registry, signal }))
  }
  return { descriptor, images, steps: built.flatMap(({ steps }) => steps), ...outputs }
}

interface OneOptions extends RunBuildOptions {
  readonly lease: Lease
  readonly slots: Semaphore
  readonly making: MakingSteps
}

async function buildOne(session: BuildSession, plan: BuildPlan, image: ImagePlan, options: OneOptions) {
  const { platform, stages, proxies, sourceDateEpoch } = image
  const { signal, lease, slots, making, onProgress, compression, level, labels, annotations } = options
  const ran = await runStages(session, stages, {
    name: plan.name,
    platform,
    useCache: usesCache(options.noCache),
    layers: { compression, level },
    run: { ...options, proxies },
    slots,
    lease,
    making,
    onProgress,
    signal,
  })
  const created =
    options.created ??
    defaultCreated(sourceDateEpoch === undefined ? process.env : { SOURCE_DATE_EPOCH: sourceDateEpoch })
  const onBuild = stages.at(-1)?.onBuild ?? []
  const put = await putBuiltImage(
    session.store,
    ran.state,
    { created, labels, annotations: annotationsFor(annotations, platform), onBuild },
    { signal },
  )
  await session.cache.remember(`${plan.name} ${platform}`, ran.records)
  return { image: { ...put, platform }, steps: ran.steps, records: ran.records }
}

/**
 * Adds the wanted statements. The times of a provenance are those of the images if the caller or SOURCE_DATE_EPOCH set
 * them, so that equal builds stay equal.
 */
async function attest(
  session: BuildSession,
  plan: BuildPlan,
  images: readonly BuiltImage[],
  { attestations, names = [], push = [], created, labels, startedOn, signal }: RunBuildOptions & { startedOn: string },
): Promise<Descriptor[]> {
  if (!attestations?.provenance && !attestations?.sbom) return []
  const { attestImages } = await import('./provenance/attest-images.ts')
  const epoch = plan.images[0]?.sourceDateEpoch ?? process.env.SOURCE_DATE_EPOCH
  const fixed = created ?? (epoch ? defaultCreated({ SOURCE_DATE_EPOCH: epoch }) : undefined)
  const times = { startedOn: fixed ?? startedOn, finishedOn: fixed ?? new Date().toISOString() }
  const all = [...new Set([...names, ...push])]
  return attestImages(session, { ...attestations, images, plans: plan.images, names: all, labels, ...times, signal })
}

/** Several platforms give an index, and so do statements. */
async function putIndex(
  store: Store,
  images: readonly BuiltImage[],
  attested: readonly Descriptor[],
  { indexAnnotations, indexDescriptorAnnotations, descriptorAnnotations, signal }: RunBuildOptions,
): Promise<Descriptor> {
  const manifests = images.map(({ descriptor, platform }) => ({
    ...descriptor,
    platform: parsePlatform(platform),
    ...whereAny(annotationsFor(descriptorAnnotations, platform)),
  }))
  const index = {
    schemaVersion: 2,
    mediaType: MediaType.OciIndex,
    manifests: [...manifests, ...attested],
    ...whereAny(indexAnnotations),
  }
  const info = await store.put(canonicalJson(index), { signal })
  return { mediaType: MediaType.OciIndex, ...info, ...whereAny(indexDescriptorAnnotations) }
}

function annotationsFor(annotations: PlatformAnnotations = {}, platform: string): Readonly<Record<string, string>> {
  return typeof annotations === 'function' ? annotations(platform) : annotations
}

function whereAny(annotations: Readonly<Record<string, string>> = {}) {
  return Object.keys(annotations).length > 0 ? { annotations } : {}
}

/** Annotations of an index that is not made would be lost without a word. */
function assertIndexFor(plan: BuildPlan, options: RunBuildOptions): void {
  const { indexAnnotations, indexDescriptorAnnotations, descriptorAnnotations, attestations } = options
  const hasIndex = plan.images.length !== 1 || attestations?.provenance || attestations?.sbom
  if (hasIndex || !(indexAnnotations ?? indexDescriptorAnnotations ?? descriptorAnnotations)) return
  throw new FormatError('ERR_INVALID_ARGUMENT', 'annotations of an index need a build for several platforms')
}

/** SAFETY: the bases of this plan are chosen already; a policy that comes now would be obeyed by none of them. */
function assertVerified(session: BuildSession, { verify }: RunBuildOptions): void {
  if (verify === undefined || verify === session.verify) return
  throw new FormatError('ERR_INVALID_ARGUMENT', 'give verify to planBuild, which chooses the bases')
}

function sessionOf(plan: BuildPlan, options: RunBuildOptions): { session: BuildSession; noCache: NoCache } {
  const known = boundSession(plan)
  if (known && options.store === undefined) {
    assertVerified(known.session, options)
    return known
  }
  const { store, registry, noCache } = options
  if (!store) throw new BuildError('ERR_BUILD_INVALID_STEP', 'a stored plan needs the option store')
  const contexts = new Map<string, BuildContext>(Object.entries(options.contexts ?? {}))
  if (options.context) contexts.set('', options.context)
  const cache = new StepCache(store, options.cacheFrom ?? [])
  const { layouts, verify } = options
  const { policies, images } = plan
  // The build reads the bases by the digests of the plan. A tag may have moved since.
  const lock = { locked: { bases: images.flatMap(({ bases }) => bases) } }
  const session = new BuildSession({ store, registry, contexts, cache, layouts, verify, policies, lock })
  const file = plan.images[0]?.file
  session.dockerfile = file === undefined ? undefined : { file }
  return { session, noCache }
}
