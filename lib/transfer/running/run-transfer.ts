import type { Digest } from '../../digest/index.ts'
import { FormatError, type PlanChange, PlanOutdatedError } from '../../errors/index.ts'
import { Semaphore } from '../../internal/concurrency/semaphore.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { TransferTarget, UnverifiedLayer } from '../endpoints/transfer-target.ts'
import { type AnyPlan, isDocument, type PlanStep } from '../plan.ts'
import { assertImagesAgree, readConfig } from './assert-images-agree.ts'
import { BlobFlow } from './blob-flow.ts'
import { imageToVerify } from './image-to-verify.ts'
import { recheckSource, recheckSteps } from './plan-change.ts'
import { ProgressMeter } from './progress.ts'
import { recheckTags } from './recheck-tags.ts'
import type { RunOptions } from './run-options.ts'
import { runTogether } from './run-together.ts'

/** Source and target of a run. */
export interface TransferEnds {
  readonly source: TransferSource
  readonly target: TransferTarget
  /** Documents that were read during planning, by digest. */
  readonly documents: ReadonlyMap<string, Uint8Array>
  /** True if the plan was stored, or made with another source or target. */
  readonly isStored: boolean
}

/** Result of a copy. */
export interface CopyResult {
  /** Name at the target. */
  readonly name: string
  /** Digest that the name now refers to. */
  readonly digest: Digest
  /** Number of blobs and documents that passed through this process. */
  readonly blobsMoved: number
  /** Number of blobs that the registry mounted from another of its repositories. */
  readonly blobsMounted: number
  /** Bytes that passed through this process. */
  readonly bytesMoved: number
  /** Those of `bytesMoved` that were moved more than once. */
  readonly bytesMovedAgain: number
  /** Bytes that did not have to be moved. */
  readonly bytesSaved: number
  /** Layers that `verifyDiffIds` could not compare with the image config, because they are encrypted or absent. */
  readonly unverified: readonly UnverifiedLayer[]
  /** Statements of the plan that no longer held. */
  readonly changes: readonly PlanChange[]
}

const BUFFER_BYTES = 64 * 1024 * 1024
/** PERF: a config up to this size is read once, and used for the check and for the copy. */
const KNOWN_CONFIG_BYTES = 64 * 1024
/** Memory that one stream holds between socket and file. */
const STREAM_BYTES = 1024 * 1024
/** Memory that one range holds when several are fetched in parallel. */
const PART_BYTES = 4 * 1024 * 1024

/**
 * Runs a plan: moves the blobs, then the documents, children before parents, then sets the name. Rejects with the first
 * failure after all other transfers of this call have stopped.
 */
export async function runTransfer(plan: AnyPlan, ends: TransferEnds, options: RunOptions): Promise<CopyResult> {
  checkOptions(options)
  const { signal } = options
  const { source, target } = ends
  const label = `${plan.kind} ${target.label}`.slice(0, 200)
  const digests = plan.steps.map(step => step.descriptor.digest)
  await using _kept = await source.hold?.(label, digests, { signal })
  await using _taken = await target.hold?.(label, digests, { signal })
  const { steps, changes } = await stepsNow(plan, ends, options)
  const attached = steps.filter(({ tags = [] }) => tags.length > 0).map(({ descriptor }) => descriptor)
  const known = knownIn(plan, ends.documents)
  await options.verify?.(imageToVerify(source, plan.root, { index: plan.index, attached, known, signal }))
  const run = new TransferRun(plan, steps, ends, options)
  const blobs = steps.filter(step => run.isToMove(step) && !isDocument(step))
  blobs.sort((a, b) => b.descriptor.size - a.descriptor.size)
  // A readable target has the configs once the blobs have arrived; otherwise the configs are read at the source, first.
  if (!target.readDocument) await run.assertImagesAgree()
  await runTogether(blobs, options.concurrency ?? 4, signal, (step, either) => run.blob(step, either))
  if (target.readDocument) await run.assertImagesAgree()
  for (const step of steps) if (isDocument(step) && run.isToMove(step)) await run.document(step)
  // `await` keeps the leases of `hold` until the image has its name.
  return await run.finish(changes)
}

/** Documents of a plan: those whose text it states, and those that were read for it. */
function knownIn({ steps }: AnyPlan, documents: ReadonlyMap<string, Uint8Array>) {
  return (digest: string): Uint8Array | undefined => {
    const text = steps.find(({ descriptor }) => descriptor.digest === digest)?.content
    return text === undefined ? documents.get(digest) : Buffer.from(text)
  }
}

function checkOptions({ concurrency = 4, parallel = 1, bufferBytes = BUFFER_BYTES }: RunOptions): void {
  for (const [name, value] of Object.entries({ concurrency, parallel, bufferBytes })) {
    if (Number.isInteger(value) && value >= 1) continue
    throw new FormatError('ERR_INVALID_ARGUMENT', `${name} must be a whole number from 1 on, is ${value}`)
  }
}

/** Returns the steps with their current needs: blobs may have been deleted or added since the plan was made. */
async function stepsNow(
  plan: AnyPlan,
  ends: TransferEnds,
  { ifChanged, signal }: RunOptions,
): Promise<{ steps: readonly PlanStep[]; changes: readonly PlanChange[] }> {
  const { source, target, isStored } = ends
  const thoroughly = isStored || ifChanged === 'fail'
  if (!thoroughly && !target.needsAreCheap) return { steps: plan.steps, changes: [] }
  const moved = thoroughly ? await recheckSource(plan, source, { signal }) : []
  const planned = thoroughly ? await recheckTags(plan.steps, { ...ends, signal }) : plan.steps
  const { steps, changes } = await recheckSteps({ ...plan, steps: planned }, source, target, { signal })
  const all = [...moved, ...changes]
  if (ifChanged === 'fail' && all.length > 0) throw new PlanOutdatedError(all)
  return { steps, changes: all }
}

class TransferRun {
  readonly #plan: AnyPlan
  readonly #steps: readonly PlanStep[]
  readonly #source: TransferSource
  readonly #target: TransferTarget
  readonly #documents: Map<string, Uint8Array>
  readonly #options: RunOptions
  readonly #meter: ProgressMeter
  /** Memory that all blobs of the transfer may hold together, in bytes. */
  readonly #budget: Semaphore
  #blobsMoved = 0
  #blobsMounted = 0
  #bytesMoved = 0
  #bytesAgain = 0

  constructor(plan: AnyPlan, steps: readonly PlanStep[], ends: TransferEnds, options: RunOptions) {
    this.#plan = plan
    this.#steps = steps
    this.#source = ends.source
    this.#target = ends.target
    this.#documents = new Map(ends.documents)
    this.#options = options
    const size = steps.reduce((sum, step) => (this.isToMove(step) ? sum + step.descriptor.size : sum), 0)
    this.#meter = new ProgressMeter(options.onProgress, size)
    this.#budget = new Semaphore(options.bufferBytes ?? BUFFER_BYTES)
  }

  isToMove(step: PlanStep): boolean {
    if (step.need === 'skip') return false
    return step.need !== 'present' || (this.#isRoot(step) && this.#target.retakesRoot())
  }

  #isRoot({ descriptor }: PlanStep): boolean {
    return descriptor.digest === this.#plan.root.digest
  }

  async blob(step: PlanStep, signal: AbortSignal): Promise<void> {
    const { descriptor } = step
    const { digest, size } = descriptor
    const parallel = size >= 2 * PART_BYTES ? (this.#options.parallel ?? 1) : 1
    const bytes = Math.min(size, parallel > 1 ? parallel * PART_BYTES : STREAM_BYTES)
    const release = await this.#budget.acquire(signal, bytes)
    const known = this.#documents.get(digest)
    const flow = new BlobFlow({ descriptor, source: this.#source, meter: this.#meter, signal, known, parallel })
    try {
      const outcome = await this.#target.takeBlob(step, flow, { signal })
      if (outcome === 'done') this.#blobsMoved++
      if (outcome === 'mounted') this.#blobsMounted++
      this.#meter.end(digest, size, outcome)
    } finally {
      this.#bytesMoved += flow.moved
      this.#bytesAgain += flow.again
      flow.close()
      release()
    }
  }

  async document(step: PlanStep): Promise<void> {
    const { signal } = this.#options
    const { digest, size } = step.descriptor
    const bytes = await this.#documentBytes(step)
    this.#meter.start(digest, size, 0)
    const resend = async (missing: Digest) => this.#resend(missing)
    await this.#target.takeDocument(step, bytes, this.#isRoot(step), { signal, resend })
    if (step.need !== 'present') this.#blobsMoved++
    this.#bytesMoved += bytes.byteLength
    this.#meter.end(digest, size, 'done')
  }

  async #documentBytes({ descriptor, content }: PlanStep): Promise<Uint8Array> {
    if (content !== undefined) return Buffer.from(content)
    const { signal } = this.#options
    const known = this.#documents.get(descriptor.digest)
    if (known) return known
    const bytes = await this.#source.readDocument(descriptor, { signal })
    this.#documents.set(descriptor.digest, bytes)
    return bytes
  }

  /** Compares the config with the manifest of every image that moves, before the first document moves. */
  async assertImagesAgree(): Promise<void> {
    await assertImagesAgree(this.#steps, {
      manifest: step => this.#documentBytes(step),
      config: descriptor => this.#configBytes(descriptor),
    })
  }

  async #configBytes(descriptor: Descriptor): Promise<Uint8Array | undefined> {
    const { signal } = this.#options
    const known = this.#documents.get(descriptor.digest) ?? (await this.#target.readDocument?.(descriptor, { signal }))
    const bytes =
      known ?? (this.#passes(descriptor) ? await readConfig(this.#source, descriptor, { signal }) : undefined)
    if (bytes && bytes.byteLength <= KNOWN_CONFIG_BYTES) this.#documents.set(descriptor.digest, bytes)
    return bytes
  }

  /**
   * False for a config that the target registry has or mounts: it is not fetched from another registry for the check
   * alone.
   */
  #passes({ digest }: Descriptor): boolean {
    if (!this.#source.repository) return true
    const need = this.#steps.find(step => step.descriptor.digest === digest)?.need
    return need !== 'present' && need !== 'mount'
  }

  /** Sends a blob again that the target reported as present but lacks. */
  async #resend(digest: Digest): Promise<boolean> {
    const step = this.#steps.find(one => one.descriptor.digest === digest && one.need !== 'skip')
    if (!step) return false
    const { from: _, ...whole } = step
    const again = { ...whole, need: 'upload' as const }
    if (isDocument(step)) await this.document(again)
    else await this.blob(again, this.#options.signal ?? new AbortController().signal)
    return true
  }

  async finish(changes: readonly PlanChange[]): Promise<CopyResult> {
    const { root, bytesTotal, index } = this.#plan
    const unverified: UnverifiedLayer[] = []
    const name = await this.#target.finish(root, {
      steps: this.#steps,
      source: this.#source,
      index: index && { digest: index, bytes: this.#documents.get(index) },
      moved: this.#blobsMoved > 0,
      onUnverified: layer => unverified.push(layer),
      signal: this.#options.signal,
    })
    this.#meter.name(name, root.digest)
    const { repository } = this.#target
    const there = this.#steps.filter(({ need, content }) => need !== 'skip' && content === undefined)
    if (repository)
      await this.#source.arrived?.(
        there.map(({ descriptor }) => descriptor.digest),
        repository,
      )
    return {
      name,
      digest: root.digest,
      blobsMoved: this.#blobsMoved,
      blobsMounted: this.#blobsMounted,
      bytesMoved: this.#bytesMoved,
      bytesMovedAgain: this.#bytesAgain,
      bytesSaved: Math.max(0, bytesTotal - this.#bytesMoved),
      unverified,
      changes,
    }
  }
}
