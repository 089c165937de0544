import type { Digest } from '../../digest/index.ts'
import type { CopyStep, FetchStep, RunStep, Step, WorkdirStep } from '../../dockerfile/index.ts'
import { withoutCredentials } from '../../internal/without-credentials.ts'
import { type InputList, listInputs } from '../cache/input-list.ts'
import type { CachedStep } from '../cache/step-cache.ts'
import type { FileCopyInput, FileCopyPlan } from '../copy/file-copy.ts'
import { type KeyPart, keyOf } from '../keys/key-part.ts'
import {
  commitParts,
  copyParts,
  inputBatchesPart,
  mountedPart,
  mountedTreePart,
  runParts,
  type StepPlace,
  sourceParts,
  workdirParts,
} from '../keys/step-parts.ts'
import type { BuildSession, OpenedSource } from '../session/build-session.ts'
import { NotKnownYet } from '../session/not-known-yet.ts'
import { chainOf } from '../stages/build-state.ts'
import { planCopyOf } from './plan-copy-of.ts'
import type { StepFrame } from './step-frame.ts'

/** A step that makes a layer. */
export type LayerStep = Exclude<Step, { kind: 'config' }>

/** A step with its key, and its record if there is one. */
export interface KeyedStep {
  /** Content key. */
  readonly key: Digest
  readonly definition?: Digest | undefined
  readonly parts: readonly KeyPart[]
  /** The files that the step reads; absent if a record was found. */
  readonly inputs?: InputList | undefined
  readonly found?: CachedStep | undefined
  /** The copy, if the step is one and its sources were read. */
  readonly copy?: FileCopyPlan | undefined
}

/**
 * Computes the key of a step and looks for its record.
 *
 * @throws {@link NotKnownYet} in a plan, if the key depends on something that only the run may do.
 */
export async function keyStep(session: BuildSession, step: LayerStep, frame: StepFrame): Promise<KeyedStep> {
  const place = {
    parent: await chainOf(frame.state),
    platform: frame.platform,
    policies: session.policies,
  }
  switch (step.kind) {
    case 'workdir':
      return keyWorkdir(session, step, place, frame)
    case 'run':
      return keyRun(session, step, place, frame)
    default:
      return keyCopy(session, step, place, frame)
  }
}

async function keyWorkdir(
  session: BuildSession,
  step: WorkdirStep,
  place: StepPlace,
  frame: StepFrame,
): Promise<KeyedStep> {
  const parts = workdirParts(step, place)
  const key = await keyOf(parts)
  return { key, parts, found: await find(session, key, frame) }
}

async function keyRun(session: BuildSession, step: RunStep, place: StepPlace, frame: StepFrame): Promise<KeyedStep> {
  const parts = runParts(step, place)
  const inputs: FileCopyInput[] = []
  for (const mount of step.mounts) {
    if (mount.type !== 'bind') continue
    const source = await session.source(mount.from, frame.stageOf, frame)
    if (source.chain) {
      parts.push(mountedTreePart(mount.target, mount.source, source.chain))
      continue
    }
    const files = { ...EMPTY_COPY, sources: [mount.source], destination: '/' } as const
    const copy = await planCopyOf(session, files, source, frame)
    const read = await copy.inputs({ signal: frame.signal })
    inputs.push(...read)
    parts.push(await mountedPart(mount.target, read))
  }
  const key = await keyOf(parts)
  return {
    key,
    parts,
    found: await find(session, key, frame),
    inputs: inputs.length > 0 ? await listInputs([inputs]) : undefined,
  }
}

const EMPTY_COPY = {
  kind: 'copy',
  text: '',
  title: '',
  from: { context: '' },
  files: [],
  remotes: [],
} as const satisfies Partial<CopyStep>

/**
 * Files of a stage or an image are fixed by its layers: the definition key answers without reading them. Files of a
 * context are read, by their digests.
 */
async function keyCopy(
  session: BuildSession,
  step: CopyStep | FetchStep,
  place: StepPlace,
  frame: StepFrame,
): Promise<KeyedStep> {
  const common = copyParts(step, place)
  const source =
    step.kind === 'copy' && step.sources.length > 0 ? await session.source(step.from, frame.stageOf, frame) : undefined
  const fixed = await fixedParts(session, step, source, frame)
  const definition = fixed && (await keyOf([...common, ...fixed]))
  const known = definition && (await find(session, definition, frame))
  if (known) return { key: known.record.key, definition, parts: known.record.parts, found: known }
  const reading = await readingOf(session, step, source, frame)
  const read = () => normalised(reading.copy.inputBatches({ signal: frame.signal }), step, session)
  reading.part ??= await inputBatchesPart(read())
  const parts = [...common, reading.part]
  const key = await keyOf(parts)
  const found = await find(session, key, frame)
  if (!found) reading.list ??= await listInputs(read())
  return { key, definition, parts, inputs: found ? undefined : reading.list, copy: reading.copy, found }
}

/** A copy whose sources are found, and what is known of the files that it reads. */
interface CopyReading {
  readonly copy: FileCopyPlan
  part?: KeyPart
  /** PERF: made for a step without a record only, and kept as text: there are tens of thousands of files. */
  list?: InputList
}

/** The parts that fix all files of a copy without reading them; `undefined` for those of a context or an address. */
async function fixedParts(
  session: BuildSession,
  step: CopyStep | FetchStep,
  source: OpenedSource | undefined,
  frame: StepFrame,
): Promise<KeyPart[] | undefined> {
  const repositories = step.remotes.filter(remote => 'git' in remote)
  if (repositories.length < step.remotes.length || (source && source.chain === undefined)) return undefined
  if (!source && repositories.length === 0) return undefined
  const commits: string[] = []
  for (const remote of repositories) {
    const known = frame.mayFetch ? session.git.commit(remote, frame) : session.git.knownCommit(remote)
    if (!known) throw new NotKnownYet(`the repository ${withoutCredentials(remote.git)} must be asked first`)
    commits.push((await known).commit)
  }
  return [...sourceParts(step, source?.chain ?? 'scratch'), ...commitParts(commits)]
}

/** Plans the files of a copy. PERF: for a context once for plan and run, because the files are the same in both. */
async function readingOf(
  session: BuildSession,
  step: CopyStep | FetchStep,
  source: OpenedSource | undefined,
  frame: StepFrame,
): Promise<CopyReading> {
  const known = readings.get(session)?.get(step)
  if (known) return known
  const reading: CopyReading = { copy: await planCopyOf(session, step, source, frame) }
  if (source?.chain !== undefined || step.remotes.length > 0) return reading
  const all = readings.get(session) ?? new WeakMap()
  readings.set(session, all.set(step, reading))
  return reading
}

const readings = new WeakMap<BuildSession, WeakMap<CopyStep | FetchStep, CopyReading>>()

/** The inputs as the policies of the build leave them. */
function normalised(
  batches: AsyncIterable<readonly FileCopyInput[]>,
  step: CopyStep | FetchStep,
  { policies }: BuildSession,
): AsyncIterable<readonly FileCopyInput[]> {
  const modes = policies.modes === 'normal' && step.chmod === undefined
  const owners = policies.owners === 'root' && step.chown === undefined
  if (!modes && !owners) return batches
  const normal = (input: FileCopyInput): FileCopyInput => ({
    ...input,
    ...(modes ? { mode: normalMode(input) } : {}),
    ...(owners && input.owner !== undefined ? { owner: '0:0' } : {}),
  })
  return (async function* () {
    for await (const batch of batches) yield batch.map(normal)
  })()
}

function normalMode({ type, mode }: FileCopyInput): number {
  if (type === 'symlink') return 0o777
  return type === 'directory' || (type === 'file' && (mode & 0o100) !== 0) ? 0o755 : 0o644
}

async function find(session: BuildSession, key: Digest, frame: StepFrame): Promise<CachedStep | undefined> {
  return frame.useCache ? session.cache.find(key, frame) : undefined
}
