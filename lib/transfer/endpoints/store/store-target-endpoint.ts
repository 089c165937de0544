import { type Digest, digestOf, isDigest, LenderFault, splitDigest } from '../../../digest/index.ts'
import { DigestMismatchError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { collectBytes } from '../../../internal/collect-bytes.ts'
import { LeaderFlight } from '../../../internal/concurrency/leader-flight.ts'
import { settleAll } from '../../../internal/settle-all.ts'
import type { Descriptor } from '../../../oci/index.ts'
import type { FetchedManifest } from '../../../registry/index.ts'
import {
  assertStore,
  type BlobInfo,
  findDocument,
  type IngestInfo,
  type Lease,
  type Store,
  storedName,
} from '../../../store/index.ts'
import type { PlanStep } from '../../plan.ts'
import type { TransferNode } from '../transfer-graph.ts'
import type {
  BlobFeed,
  BlobOutcome,
  DocumentContext,
  FinishContext,
  NeedsContext,
  StepNeed,
  TransferTarget,
} from '../transfer-target.ts'
import { checkDiffIds } from './check-diff-ids.ts'
import { LayerWatch } from './layer-watch.ts'
import { nameBeside, readTagged } from './read-tagged.ts'
import { recordDiffIds, recordSources } from './record-facts.ts'
import { withSameContent } from './same-content.ts'

/** Options of a store as a target. */
export interface StoreTargetOptions {
  /** Prove every layer against the diffID that its image config lists, before the image gets its name. */
  readonly verifyDiffIds?: boolean | undefined
  /** Keep names as given; see {@link SetReferenceOptions.verbatim}. */
  readonly verbatim?: boolean | undefined
}

/**
 * A store as a target of transfers, for one name or several.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`, `ERR_INVALID_ARGUMENT`.
 */
export function storeTargetEndpoint(
  store: Store,
  names: readonly string[],
  options: StoreTargetOptions & { readonly label?: string | undefined } = {},
): TransferTarget {
  assertStore(store, ['stat', 'put', 'ingest', 'references', 'leases', 'derived'])
  const kept = names.map(name => storedName(name, options))
  return new StoreTarget(store, kept, options)
}

/**
 * PERF: blobs up to this size are stored by one `put`. An ingest, which another process can wait for and resume, costs
 * five times as many system calls and would save at most these bytes. Two processes may both fetch the blob.
 */
const SMALL_BYTES = 256 * 1024

/** Number of blobs looked up at once; a store in a bucket makes a request for each. */
const LOOKS_AT_ONCE = 32

/** Small blobs that are being fetched, by store. */
const underWay = new WeakMap<Store, LeaderFlight<Digest, BlobOutcome>>()

class StoreTarget implements TransferTarget {
  readonly label: string
  readonly needsAreCheap = true
  readonly #store: Store
  readonly #names: readonly string[]
  readonly #options: StoreTargetOptions
  readonly #watch: LayerWatch | undefined
  readonly #flights: LeaderFlight<Digest, BlobOutcome>
  #lease: Lease | undefined

  constructor(
    store: Store,
    names: readonly string[],
    options: StoreTargetOptions & { readonly label?: string | undefined },
  ) {
    this.label = options.label ?? `store:${names[0]}`
    this.#store = store
    this.#names = names
    this.#options = options
    this.#watch = options.verifyDiffIds ? new LayerWatch(store) : undefined
    this.#flights = underWay.get(store) ?? new LeaderFlight()
    underWay.set(store, this.#flights)
  }

  current(options?: AbortOptions): Promise<Descriptor | undefined> {
    return this.#store.references.get(this.#names[0]!, options)
  }

  async readDocument(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    options: AbortOptions = {},
  ): Promise<Uint8Array | undefined> {
    const { digest, size } = descriptor
    const isThere = (await this.#look(digest, options.signal))?.size === size
    const stored = isThere && (await findDocument(this.#store, { mediaType: '', digest, size }, options))
    if (stored) return stored
    const kept = await this.#store.derived.get('facts', documentKey(digest), options)
    return kept?.byteLength === size && (await digestOf(kept)) === digest ? kept : undefined
  }

  tagged(tag: string, options?: AbortOptions): Promise<FetchedManifest | undefined> {
    return readTagged(this.#store, this.#names[0]!, tag, options)
  }

  async needs(
    nodes: readonly TransferNode[],
    { documents, source, signal }: NeedsContext,
  ): Promise<readonly StepNeed[]> {
    const steps: PlanStep[] = []
    // PERF: a store checks its directory once for all blobs that are looked up together.
    for (let i = 0; i < nodes.length; i += LOOKS_AT_ONCE) {
      signal?.throwIfAborted()
      const needs = nodes.slice(i, i + LOOKS_AT_ONCE).map(async node => {
        return { ...node, ...(await this.#need(node, source.places ?? [], signal)) }
      })
      steps.push(...(await settleAll(needs)))
    }
    return withSameContent(this.#store, steps, documents, signal)
  }

  async #need(node: TransferNode, places: readonly string[], signal: AbortSignal | undefined): Promise<StepNeed> {
    const { digest, size } = node.descriptor
    const stored = isDigest(digest) ? await this.#look(digest, signal) : undefined
    if (stored?.size === size) return { need: 'present', reason: 'already in the store' }
    if (stored) return { need: 'fetch', reason: `the stored blob has ${stored.size} bytes, not ${size}` }
    if (node.kind === 'blob') return { need: 'skip', reason: 'foreign layer: registries do not hold it' }
    if (node.content !== undefined) return { need: 'make', reason: 'new index of the chosen platforms' }
    const begun = size > SMALL_BYTES ? await this.#begun(digest, signal) : undefined
    if (begun?.busy || this.#flights.has(digest)) return { need: 'await', reason: 'in flight elsewhere' }
    const [from, ...others] = places
    const place = from === undefined ? {} : { from }
    const mirror = others.length > 0 ? `; fetch from ${from}` : ''
    if (begun && begun.offset > 0 && begun.offset <= size) {
      return { need: 'resume', reason: `resume at ${begun.offset}${mirror}`, offset: begun.offset, ...place }
    }
    return { need: 'fetch', reason: `not in the store${mirror}`, ...place }
  }

  async #begun(digest: Digest, signal: AbortSignal | undefined): Promise<IngestInfo | undefined> {
    const { algorithm } = splitDigest(digest)
    return this.#store.statIngest?.(digest, { algorithm, signal })
  }

  async hold(label: string, digests: readonly Digest[], options?: AbortOptions): Promise<AsyncDisposable> {
    this.#lease = await this.#store.leases.hold({ label, digests, ...options })
    return this.#lease
  }

  /** Looks a blob up. PERF: what the lease of this transfer knows costs no request to a bucket. */
  async #look(digest: Digest, signal: AbortSignal | undefined): Promise<BlobInfo | undefined> {
    const known = this.#lease?.known?.(digest)
    if (known !== undefined) return known === 'absent' ? undefined : known
    return this.#store.stat(digest, { signal })
  }

  async takeBlob({ descriptor }: PlanStep, feed: BlobFeed, { signal }: AbortOptions): Promise<BlobOutcome> {
    for (;;) {
      let begun = 0
      try {
        if (descriptor.size <= SMALL_BYTES) return await this.#takeSmall(descriptor, feed, signal)
        return await this.#ingest(descriptor, feed, signal, offset => {
          begun = offset
        })
      } catch (error) {
        // The store has dropped the wrong bytes by now. If the ingest was resumed, the wrong bytes may come from the
        // earlier transfer, so the same source gets another chance.
        const again = error instanceof DigestMismatchError && (feed.distrust() || begun > 0)
        if (!again) throw error
      }
    }
  }

  /** Single-flight within this process: one call fetches the blob, the other calls wait. */
  async #takeSmall(descriptor: Descriptor, feed: BlobFeed, signal: AbortSignal | undefined): Promise<BlobOutcome> {
    let outcome: BlobOutcome = 'present'
    await this.#flights.run(
      descriptor.digest,
      async () => {
        outcome = await this.#put(descriptor, feed, signal)
        return outcome
      },
      signal,
    )
    return outcome
  }

  async #put(descriptor: Descriptor, feed: BlobFeed, signal: AbortSignal | undefined): Promise<BlobOutcome> {
    const { digest, size } = descriptor
    if ((await this.#look(digest, signal))?.size === size) return 'present'
    const source = feed.open(0)
    const watched = this.#watch?.begin(source, descriptor, { signal })
    try {
      // `put` gets the blob only after every byte has arrived.
      const bytes = await collectBytes(watched?.content ?? source, SMALL_BYTES, 'bytes of a blob')
      await this.#store.put(bytes, { digest, size, signal })
    } catch (error) {
      if (!watched || !(await this.#watch?.refuses(watched, descriptor, error))) throw error
      return this.#put(descriptor, feed, signal)
    }
    if (watched) await this.#watch?.keep(watched, descriptor, { signal })
    return 'done'
  }

  async #ingest(
    descriptor: Descriptor,
    feed: BlobFeed,
    signal: AbortSignal | undefined,
    onBegun: (offset: number) => void,
  ): Promise<BlobOutcome> {
    const { digest, size } = descriptor
    const { algorithm } = splitDigest(digest)
    await using writer = await this.#store.ingest(digest, { wait: true, algorithm, size, signal })
    // The previous holder of the ingest may have committed the blob.
    if ((await this.#store.stat(digest, { signal }))?.size === size) {
      await writer.abort()
      return 'present'
    }
    // The ingest has more bytes than the blob: an earlier transfer expected another size.
    if (writer.offset > size) return this.#restart(writer, () => this.#ingest(descriptor, feed, signal, onBegun))
    onBegun(writer.offset)
    // The writer and the watch finish each chunk before they ask for the next, so the source may reuse its memory.
    // The watch needs the bytes in this thread.
    const lender = this.#watch ? undefined : writer.lender
    const source = feed.open(writer.offset, { borrow: true, lender })
    const watched = writer.offset === 0 ? this.#watch?.begin(source, descriptor, { signal }) : undefined
    try {
      for await (const chunk of watched?.content ?? source) await writer.write(chunk)
    } catch (error) {
      if (error instanceof LenderFault) throw error.reason
      if (!watched || !(await this.#watch?.refuses(watched, descriptor, error))) throw error
      await writer[Symbol.asyncDispose]()
      return this.#ingest(descriptor, feed, signal, onBegun)
    }
    await writer.commit({ digest, size, signal })
    if (watched) await this.#watch?.keep(watched, descriptor, { signal })
    return 'done'
  }

  async #restart(writer: { abort(): Promise<void> }, again: () => Promise<BlobOutcome>): Promise<BlobOutcome> {
    await writer.abort()
    return again()
  }

  async takeDocument(
    { descriptor: { digest, size } }: PlanStep,
    bytes: Uint8Array,
    _isRoot: boolean,
    { signal }: DocumentContext,
  ): Promise<void> {
    await this.#store.put(bytes, { digest, size, signal })
  }

  retakesRoot(): boolean {
    return false
  }

  async finish(root: Descriptor, context: FinishContext): Promise<string> {
    const { steps, source, index, moved, signal, onUnverified } = context
    const unverified = this.#options.verifyDiffIds ? await checkDiffIds(this.#store, steps, signal) : []
    for (const layer of unverified) onUnverified?.(layer)
    await this.#nameAttached(steps, signal)
    const kept: string[] = []
    const { verbatim } = this.#options
    for (const name of this.#names)
      kept.push(await this.#store.references.set(name, root, { verbatim, signal, anyConfig: true }))
    if (index?.bytes) await this.#keepIndex(index.digest, index.bytes)
    if (source.repository) await recordSources(this.#store, steps, source.repository)
    if (moved) await recordDiffIds(this.#store, steps)
    return kept[0]!
  }

  /** Sets the tags of attached manifests, in the repository of each name. */
  async #nameAttached(steps: readonly PlanStep[], signal: AbortSignal | undefined): Promise<void> {
    const { verbatim } = this.#options
    for (const { descriptor, tags = [] } of steps) {
      const names = new Set(tags.flatMap(tag => this.#names.map(name => nameBeside(name, tag, verbatim))))
      for (const name of names)
        await this.#store.references.set(name, descriptor, { verbatim, signal, anyConfig: true })
    }
  }

  /**
   * Keeps the index that one platform was chosen from as a fact: it is no part of the image, but the next plan then
   * needs no request for it.
   */
  async #keepIndex(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (await this.#store.stat(digest)) return
    await this.#store.derived.set('facts', documentKey(digest), bytes)
  }
}

function documentKey(digest: Digest): string {
  return `document:${digest}`
}
