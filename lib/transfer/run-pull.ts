import type { Digest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { RegistryClient } from '../registry/index.ts'
import { type Descriptor, parseReference, type Reference } from '../spec/index.ts'
import type { BlobWriter, Store } from '../store/index.ts'
import { type Parties, partiesOf } from './bound-parties.ts'
import type { PlanStep, PullPlan } from './plan.ts'
import { type OnProgress, ProgressMeter } from './progress.ts'
import { recordDiffIds, recordSources } from './record-facts.ts'
import { runTogether } from './run-together.ts'

/** How to run a plan. */
export interface RunPullOptions extends AbortOptions {
  /** Registry client to use. @defaultValue the one the plan was made with */
  readonly registry?: RegistryClient | undefined
  /** Store to fill. @defaultValue the one the plan was made with */
  readonly store?: Store | undefined
  /** Blobs moved at once. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** Receives news. */
  readonly onProgress?: OnProgress | undefined
}

/** What a pull did. */
export interface PullResult {
  /** Name in the store. */
  readonly name: string
  /** What the name stands for now. */
  readonly digest: Digest
  /** Blobs fetched by this call. */
  readonly blobsFetched: number
  /** Bytes fetched by this call, documents included. */
  readonly bytesFetched: number
  /** Bytes that need not be fetched: already there, brought by another pull meanwhile, or kept from a broken one. */
  readonly bytesSaved: number
}

/**
 * Runs a plan: fetches what the store lacks, largest first, then the documents, then sets the name. When it resolves, the
 * image is complete and every byte that came was verified; until then the name stands for what it stood for before.
 *
 * A blob that another pull is fetching into the same store is waited for, not fetched twice. After a failure or an
 * abort no blob is visible that is not whole; what had arrived of the others is kept for the next try.
 *
 * @throws {@link RegistryError}, {@link DigestMismatchError}, {@link SizeMismatchError}, {@link StoreError}: the first
 * failure, when all other transfers of this call have stopped.
 */
export async function runPull(plan: PullPlan, options: RunPullOptions = {}): Promise<PullResult> {
  const parties = partiesOf(plan, options)
  const run = new PullRun(plan, parties, options)
  const { signal } = options
  const digests = plan.steps.map(step => step.descriptor.digest)
  await using _lease = await parties.store.leases.hold({ label: `pull ${plan.name}`.slice(0, 200), digests, signal })
  const steps = await stepsNow(plan, parties.store, signal)
  const blobs = steps.filter(step => step.need === 'fetch' && !isDocument(step))
  // Largest first: the longest transfer must not be the last to start.
  blobs.sort((a, b) => b.descriptor.size - a.descriptor.size)
  await runTogether(blobs, options.concurrency ?? 4, options.signal, (step, signal) => run.blob(step, signal))
  for (const step of steps) if (step.need === 'fetch' && isDocument(step)) await run.document(step)
  return run.finish()
}

/** What was there when the plan was made may have been collected since. */
async function stepsNow(plan: PullPlan, store: Store, signal: AbortSignal | undefined): Promise<PlanStep[]> {
  const isThere = async ({ digest, size }: Descriptor) => (await store.stat(digest, { signal }))?.size === size
  return Promise.all(
    plan.steps.map(async step =>
      step.need === 'present' && !(await isThere(step.descriptor)) ? { ...step, need: 'fetch' as const } : step,
    ),
  )
}

function isDocument(step: PlanStep): boolean {
  return step.kind === 'manifest' || step.kind === 'index'
}

class PullRun {
  readonly #plan: PullPlan
  readonly #parties: Parties
  readonly #repository: Reference
  readonly #signal: AbortSignal | undefined
  readonly #meter: ProgressMeter
  #blobsFetched = 0
  #bytesFetched = 0

  constructor(plan: PullPlan, parties: Parties, options: RunPullOptions) {
    if (plan.kind !== 'pull' || plan.version !== 1) {
      throw new FormatError('ERR_INVALID_ARGUMENT', 'not a pull plan of version 1')
    }
    this.#plan = plan
    this.#parties = parties
    this.#repository = parseReference(plan.reference)
    this.#signal = options.signal
    this.#meter = new ProgressMeter(options.onProgress, plan.bytesToFetch)
  }

  async blob({ descriptor }: PlanStep, signal: AbortSignal): Promise<void> {
    const { store } = this.#parties
    const algorithm = descriptor.digest.slice(0, descriptor.digest.indexOf(':')) as 'sha256'
    const { digest, size } = descriptor
    await using writer = await store.ingest(digest, { wait: true, algorithm, size, signal })
    // Whoever held the ingest before may have committed it.
    if ((await store.stat(descriptor.digest, { signal }))?.size === descriptor.size) {
      await writer.abort()
      this.#meter.end(descriptor.digest, descriptor.size, 'present')
      return
    }
    await this.#fill(writer, descriptor, signal)
  }

  async #fill(writer: BlobWriter, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    const { digest, size } = descriptor
    const known = this.#parties.documents?.get(digest)
    const { offset } = writer
    this.#meter.start(digest, size, offset)
    const source = known
      ? [known.subarray(offset)]
      : this.#parties.registry.fetchBlob(this.#repository, descriptor, { offset, signal })
    for await (const chunk of source) {
      await writer.write(chunk)
      this.#bytesFetched += chunk.byteLength
      this.#meter.add(digest, size, chunk.byteLength)
    }
    await writer.commit({ digest, size, signal })
    this.#blobsFetched++
    this.#meter.end(digest, size, 'done')
  }

  async document({ descriptor }: PlanStep): Promise<void> {
    const { store, registry, documents } = this.#parties
    const { digest, size } = descriptor
    const { tag: _, ...repository } = this.#repository
    const known = documents?.get(digest)
    const bytes = known ?? (await registry.fetchManifest({ ...repository, digest }, { signal: this.#signal })).bytes
    this.#meter.start(digest, size, 0)
    await store.put(bytes, { digest, size, signal: this.#signal })
    this.#blobsFetched++
    this.#bytesFetched += bytes.byteLength
    this.#meter.end(digest, size, 'done')
  }

  async finish(): Promise<PullResult> {
    const { root, name, bytesTotal } = this.#plan
    const kept = await this.#parties.store.references.set(name, root, { signal: this.#signal })
    this.#meter.name(kept, root.digest)
    await recordSources(this.#parties.store, this.#plan)
    if (this.#blobsFetched > 0) await recordDiffIds(this.#parties.store, this.#plan)
    return {
      name: kept,
      digest: root.digest,
      blobsFetched: this.#blobsFetched,
      bytesFetched: this.#bytesFetched,
      bytesSaved: Math.max(0, bytesTotal - this.#bytesFetched),
    }
  }
}
