import type { BuildImageOptions, BuildResult, BuildWarning } from '../../../build/index.ts'
import type { Store } from '../../../store/index.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { annotationsOf } from '../../building/annotation-options.ts'
import { attestationsOf } from '../../building/attestation-options.ts'
import { createBuildDisplay } from '../../building/build-display.ts'
import {
  type BuildCommandOptions,
  buildArgsOf,
  cacheSourcesOf,
  cacheTargetsOf,
  labelsOf,
  listedPlatforms,
} from '../../building/build-options.ts'
import { callOf } from '../../building/call-option.ts'
import { namedContextsOf } from '../../building/context-options.ts'
import { formatBuildPlan, warningText } from '../../building/explain-step.ts'
import { lazySandbox } from '../../building/lazy-sandbox.ts'
import { lockOf } from '../../building/lock-option.ts'
import { type OpenedBuild, openBuildContext } from '../../building/open-build-context.ts'
import { outputsOf } from '../../building/output-options.ts'
import { executorOf, extraHostsOf, limitsOf } from '../../building/sandbox-options.ts'
import { secretsOf, sshAgentsOf } from '../../building/secret-options.ts'
import { writeResult } from '../../results/write-result.ts'
import { buildPlaces } from '../../session/build-places.ts'
import type { Session } from '../../session/session.ts'
import { verifierOf } from '../../signing/policy-of.ts'

/** The validated options. */
interface Building {
  readonly opened: OpenedBuild
  readonly text: string
  readonly images: Readonly<Record<string, string>>
  readonly buildArgs: Readonly<Record<string, string>>
  readonly build: BuildImageOptions
  /** True if an output has taken stdout. */
  readonly toStdout: boolean
}

/**
 * `build [CONTEXT] [-f FILE] [-t NAME…]`: builds an image from a Dockerfile. Prints its digest; progress goes to
 * stderr.
 */
export async function build(session: Session, place: string, options: BuildCommandOptions): Promise<void> {
  const call = callOf(options)
  const parsed = await parseOptions(session, options, place)
  await assertNames(parsed.build.names ?? [])
  const store = await session.store({ durability: 'batch' })
  const keepGitDirectory = /^(?:1|t|true)$/i.test(parsed.buildArgs.BUILDKIT_CONTEXT_KEEP_GIT_DIR ?? '')
  const opened = await openBuildContext(session, { context: place, file: options.file, keepGitDirectory }, store)
  await using _context = opened.context
  const text = await opened.readDockerfile()
  const building: Building = { ...parsed, opened, text, build: { ...parsed.build, context: opened.context } }
  if (call.method === 'targets') {
    const { listBuildTargets } = await import('./list-build-targets.ts')
    listBuildTargets(session, text, { file: opened.file, json: call.json })
  } else if (call.method === 'outline') {
    const { printOutline } = await import('./print-outline.ts')
    const { buildArgs, build } = building
    const { file } = opened
    const platform = build.platforms?.[0]
    printOutline(session, text, { file, buildArgs, target: options.target, platform, json: call.json })
  } else if (call.method === 'check') await check(session, building, { ...options, json: call.json })
  else if (options.plan) await showPlan(session, store, building, options)
  else await run(session, store, building, options)
}

async function parseOptions(
  session: Session,
  options: BuildCommandOptions,
  place: string,
): Promise<Omit<Building, 'opened' | 'text'>> {
  executorOf(options.sandbox)
  // The files are written last: a missing name must be reported before the build.
  if (options.iidfile !== undefined) notEmpty(options.iidfile, 'the file of --iidfile')
  if (options.metadataFile !== undefined) notEmpty(options.metadataFile, 'the file of --metadata-file')
  const { toStdout, annotations, ...outputs } = outputsOf(session, options)
  const { files: contexts, images, layouts } = await namedContextsOf(options.buildContext)
  const platforms = listedPlatforms(options.platform)
  const buildArgs = buildArgsOf(options.buildArg, session.terminal.env)
  const { target } = options
  const attestations = attestationsOf(options, { buildArgs, ...(target !== undefined && { target }) })
  return {
    images,
    toStdout,
    buildArgs,
    build: {
      ...(attestations && { attestations }),
      contexts,
      layouts,
      ...outputs,
      ...(platforms.length > 0 && { platforms }),
      labels: labelsOf('--label', options.label),
      ...(await annotationsOf(options.annotation, annotations)),
      noCache: options.cache === false || stagesIn(options.cacheFilter),
      ...(options.omitUnchanged && { policies: { unchanged: 'omit' } }),
      cacheFrom: cacheSourcesOf(options.cacheFrom),
      cacheTo: cacheTargetsOf(options.cacheTo),
      limits: limitsOf(options),
      extraHosts: extraHostsOf(options.addHost),
      pull: options.pull ? 'always' : 'missing',
      verify: await verifierOf(session, options),
      ...(await lockOf(options, { buildArgs, context: place })),
      concurrency: session.jobs,
      signal: session.signal,
    },
  }
}

/** Stages of `--no-cache-filter`, which may hold commas. */
function stagesIn(options: BuildCommandOptions['cacheFilter'] = true): readonly string[] | false {
  if (options === true) return false
  const names = options.flatMap(option => option.split(',')).filter(Boolean)
  return names.length > 0 && names
}

/** Reports an invalid name before the work starts, not after it. */
async function assertNames(names: readonly string[]): Promise<void> {
  const { parseReference } = await import('../../../oci/index.ts')
  for (const name of names) parseReference(name)
}

async function stagesOf({ opened, text, images, buildArgs }: Building, options: BuildCommandOptions) {
  const { dockerfileStages } = await import('../../../build/index.ts')
  const { target } = options
  return dockerfileStages(text, { file: opened.file, buildArgs, images, ...(target !== undefined && { target }) })
}

/** `--check`: prints what the rules find, and builds nothing. */
async function check(
  session: Session,
  building: Building,
  { target, json }: Pick<BuildCommandOptions, 'target'> & { json: boolean },
): Promise<void> {
  const { createIgnoreRules } = await import('../../../layer/index.ts')
  const { checkDockerfile } = await import('./lint.ts')
  const { opened, text, buildArgs, build } = building
  const patterns = opened.context.ignoreLines.map(({ pattern }) => pattern)
  const platform = build.platforms?.[0]
  checkDockerfile(session, text, {
    file: opened.file,
    strict: false,
    json,
    rules: {
      buildArgs,
      ignore: { patterns, ignores: createIgnoreRules(patterns).ignores },
      ...(target !== undefined && { target }),
      ...(typeof platform === 'string' && { platform }),
    },
  })
}

async function run(session: Session, store: Store, building: Building, options: BuildCommandOptions): Promise<void> {
  const { buildImage } = await import('../../../build/index.ts')
  // PERF: a build with a command most likely runs it; the code of the sandboxes is read while the build is planned.
  if (/^\s*RUN\b/im.test(building.text)) import('../../../sandbox/index.ts').catch(() => {})
  const { progress, explain = false } = options
  const platforms = (building.build.platforms?.length ?? 0) > 1
  const quiet = session.quiet || session.json
  const display = createBuildDisplay(session.terminal, { progress, explain, quiet, platforms })
  let result: BuildResult
  try {
    const registry = await session.registryIfAsked()
    const stages = await stagesOf(building, options)
    const onProgress = display.onProgress.bind(display)
    const places = buildPlaces(session.localDirectory)
    await using sandbox = lazySandbox(async () => {
      const { machineSandbox } = await import('../../../sandbox/index.ts')
      return machineSandbox({ directory: places.snapshots, executor: executorOf(options.sandbox) })
    })
    const { executor, snapshots } = sandbox
    const mounts = { ...(await mountsOf(session, options)), cacheMounts: places.cacheMounts }
    const running = { ...mounts, executor, snapshots, onProgress }
    result = await buildImage(store, stages, { ...building.build, registry, ...running })
  } finally {
    display.close()
  }
  session.advice = `the image ${result.descriptor.digest} is in the store`
  await writeFiles(result, options)
  session.advice = undefined
  if (building.toStdout) session.note(result.descriptor.digest)
  else session.result(result.descriptor.digest, resultOf(result))
}

/** Secrets and agents for the mounts of RUN. */
async function mountsOf({ terminal: { env } }: Session, { secret, ssh }: BuildCommandOptions) {
  return { secrets: await secretsOf(secret, env), sshAgents: await sshAgentsOf(ssh, env) }
}

function resultOf({ descriptor, names, images, steps }: BuildResult): object {
  const platforms = images.map(({ platform, descriptor }) => ({ platform, ...descriptor }))
  return { ...descriptor, names, images: platforms, steps }
}

/** `--iidfile` and `--metadata-file`, with the members that buildx writes. */
async function writeFiles(result: BuildResult, { iidfile, metadataFile }: BuildCommandOptions): Promise<void> {
  const { descriptor, names, images } = result
  if (iidfile !== undefined) await writeResult('--iidfile', iidfile, descriptor.digest)
  if (metadataFile === undefined) return
  const [first] = images
  const metadata = {
    ...(images.length === 1 && first && { 'containerimage.config.digest': first.manifest.config.digest }),
    'containerimage.descriptor': descriptor,
    'containerimage.digest': descriptor.digest,
    ...(names.length > 0 && { 'image.name': names.join(',') }),
  }
  await writeResult('--metadata-file', metadataFile, `${JSON.stringify(metadata, null, 2)}\n`)
}

async function showPlan(
  session: Session,
  store: Store,
  building: Building,
  options: BuildCommandOptions,
): Promise<void> {
  const { openBuildSources, planBuild } = await import('../../../build/index.ts')
  const registry = await session.registry()
  const onWarning = (warning: BuildWarning) => session.note(warningText(warning))
  await using sources = await openBuildSources(store, { ...building.build, registry, onWarning })
  const [name] = building.build.names ?? []
  const plan = await planBuild(store, await stagesOf(building, options), {
    ...building.build,
    context: sources.context,
    contexts: sources.contexts,
    cacheFrom: sources.cacheFrom,
    registry,
    ...(name !== undefined && { name }),
  })
  session.result(formatBuildPlan(plan, options.explain ?? false), plan)
}
