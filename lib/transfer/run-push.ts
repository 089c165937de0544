import type { Digest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { SingleFlight } from '../internal/single-flight.ts'
import type { RegistryClient } from '../registry/index.ts'
import { type Descriptor, parseReference, type Reference } from '../spec/index.ts'
import { readDocument, type Store } from '../store/index.ts'
import { type Parties, partiesOf } from './bound-parties.ts'
import type { PlanStep, PushPlan } from './plan.ts'
import { type OnProgress, ProgressMeter } from './progress.ts'
import { recordSources } from './record-facts.ts'
import { runTogether } from './run-together.ts'

/** How to run a plan. */
export interface RunPushOptions extends AbortOptions {
  /** Registry client to use. @defaultValue the one the plan was made with */
  readonly registry?: RegistryClient | undefined
  /** Store to read. @defaultValue the one the plan was made with */
  readonly store?: Store | undefined
  /** Blobs moved at once. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** Receives news. */
  readonly onProgress?: OnProgress | undefined
}

/** What a push did. */
export interface PushResult {
  /** Where the image is now. */
  readonly reference: string
  /** Digest of its manifest or index. */
  readonly digest: Digest
  /** Blobs and documents uploaded by this call. */
  readonly blobsUploaded: number
  /** Bytes uploaded by this call, documents included. */
  readonly bytesUploaded: number
  /** Blobs that the registry took over from another repository. */
  readonly blobsMounted: number
  /** Bytes that need not be uploaded. */
  readonly bytesSaved: number
}

/**
 * Runs a plan: uploads what the registry lacks, largest first, then the documents, children before their parents, and
 * the tag last. Blobs are verified while they are sent; a corrupt one never becomes part of the registry.
 *
 * A blob that another push of this client is sending to the same repository is waited for, not sent twice.
 *
 * @throws {@link RegistryError}, {@link BlobNotFoundError}, {@link BlobCorruptError}: the first failure, when all other
 * transfers of this call have stopped.
 */
export async function runPush(plan: PushPlan, options: RunPushOptions = {}): Promise<PushResult> {
  const parties = partiesOf(plan, options)
  const run = new PushRun(plan, parties, options)
  const digests = plan.steps.map(step => step.descriptor.digest)
  const label = `push ${plan.name}`.slice(0, 200)
  await using _lease = await parties.store.leases.hold({ label, digests, signal: options.signal })
  const blobs = plan.steps.filter(step => (step.need === 'upload' || step.need === 'mount') && !isDocument(step))
  blobs.sort((a, b) => b.descriptor.size - a.descriptor.size)
  await runTogether(blobs, options.concurrency ?? 4, options.signal, (step, signal) => run.blob(step, signal))
  for (const step of plan.steps) if (isDocument(step)) await run.document(step)
  await recordSources(parties.store, plan)
  return run.result()
}

function isDocument(step: PlanStep): boolean {
  return step.kind === 'manifest' || step.kind === 'index'
}

/** Uploads under way, by client; they live and die with it. */
const underWay = new WeakMap<RegistryClient, SingleFlight<string, void>>()

function flightsOf(registry: RegistryClient): SingleFlight<string, void> {
  const known = underWay.get(registry) ?? new SingleFlight<string, void>()
  underWay.set(registry, known)
  return known
}

class PushRun {
  readonly #plan: PushPlan
  readonly #parties: Parties
  readonly #reference: Reference
  readonly #signal: AbortSignal | undefined
  readonly #meter: ProgressMeter
  #blobsUploaded = 0
  #blobsMounted = 0
  #bytesUploaded = 0

  constructor(plan: PushPlan, parties: Parties, options: RunPushOptions) {
    if (plan.kind !== 'push' || plan.version !== 1) {
      throw new FormatError('ERR_INVALID_ARGUMENT', 'not a push plan of version 1')
    }
    this.#plan = plan
    this.#parties = parties
    this.#reference = parseReference(plan.reference)
    this.#signal = options.signal
    this.#meter = new ProgressMeter(options.onProgress, plan.bytesToUpload)
  }

  async blob(step: PlanStep, signal: AbortSignal): Promise<void> {
    const { registry, repository } = this.#reference
    const key = `${registry}/${repository}@${step.descriptor.digest}`
    const flights = flightsOf(this.#parties.registry)
    const sentByUs = await flights.run(key, () => this.#move(step, signal), signal)
    if (!sentByUs) this.#meter.end(step.descriptor.digest, step.descriptor.size, 'present')
  }

  async #move({ descriptor, from }: PlanStep, signal: AbortSignal): Promise<void> {
    const { registry } = this.#parties
    if (from !== undefined && (await registry.mountBlob(this.#reference, descriptor.digest, from, { signal }))) {
      this.#blobsMounted++
      this.#meter.end(descriptor.digest, descriptor.size, 'mounted')
      return
    }
    await this.#upload(descriptor, signal)
  }

  async #upload(descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    const { digest, size } = descriptor
    let sent = 0
    this.#meter.start(digest, size, 0)
    const open = () => {
      this.#meter.add(digest, size, -sent)
      sent = 0
      return this.#counted(descriptor, signal, bytes => {
        sent += bytes
      })
    }
    await this.#parties.registry.pushBlob(this.#reference, descriptor, open, { signal })
    this.#blobsUploaded++
    this.#meter.end(digest, size, 'done')
  }

  async *#counted({ digest, size }: Descriptor, signal: AbortSignal, count: (bytes: number) => void) {
    for await (const chunk of this.#parties.store.read(digest, { signal })) {
      count(chunk.byteLength)
      this.#bytesUploaded += chunk.byteLength
      this.#meter.add(digest, size, chunk.byteLength)
      yield chunk
    }
  }

  /** The root is sent even if the registry has it: that is what moves the tag. */
  async document({ descriptor, need }: PlanStep): Promise<void> {
    const { store, registry } = this.#parties
    const isRoot = descriptor.digest === this.#plan.root.digest
    const tag = isRoot ? this.#reference.tag : undefined
    if (need === 'present' && tag === undefined) return
    const bytes = await readDocument(store, descriptor, { signal: this.#signal })
    this.#meter.start(descriptor.digest, descriptor.size, 0)
    await registry.pushManifest(this.#reference, { descriptor, bytes }, tag, { signal: this.#signal })
    if (need !== 'present') this.#blobsUploaded++
    this.#bytesUploaded += bytes.byteLength
    this.#meter.end(descriptor.digest, descriptor.size, 'done')
  }

  result(): PushResult {
    const { root, reference, bytesTotal } = this.#plan
    this.#meter.name(reference, root.digest)
    return {
      reference,
      digest: root.digest,
      blobsUploaded: this.#blobsUploaded,
      bytesUploaded: this.#bytesUploaded,
      blobsMounted: this.#blobsMounted,
      bytesSaved: Math.max(0, bytesTotal - this.#bytesUploaded),
    }
  }
}
