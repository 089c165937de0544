import type { Digest } from '../../../digest/index.ts'
import { DigestMismatchError, FormatError, RegistryError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { assertOptionalTexts } from '../../../internal/assert-kind.ts'
import { LeaderFlight } from '../../../internal/concurrency/leader-flight.ts'
import {
  asReference,
  type Descriptor,
  formatReference,
  isTag,
  parseImageDocument,
  type Reference,
  type Repository,
  successorsOf,
} from '../../../oci/index.ts'
import {
  assertRegistryClient,
  type FetchedManifest,
  type PushedBlob,
  type RegistryClient,
} from '../../../registry/index.ts'
import type { PlanStep } from '../../plan.ts'
import type { TransferNode } from '../transfer-graph.ts'
import type {
  BlobFeed,
  BlobOutcome,
  DocumentContext,
  NeedsContext,
  StepNeed,
  TransferTarget,
} from '../transfer-target.ts'
import { fetchIfAny } from './fetch-if-any.ts'
import { needsOfRegistry } from './needs-of-registry.ts'
import type { RegistryTargetOptions } from './registry-target-options.ts'

/**
 * A repository in a registry as a target of transfers, for one tag or several.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`; `ERR_INVALID_ARGUMENT` for an invalid tag, and for an
 * argument of a wrong kind.
 */
export function registryTargetEndpoint(
  registry: RegistryClient,
  reference: string | Reference,
  options: RegistryTargetOptions = {},
): TransferTarget {
  assertRegistryClient(registry)
  const ref = asReference(reference)
  assertOptionalTexts('tags', options.tags)
  assertOptionalTexts('mountFrom', options.mountFrom)
  for (const tag of options.tags ?? []) {
    if (!isTag(tag)) throw new FormatError('ERR_INVALID_ARGUMENT', `not a tag: ${JSON.stringify(tag.slice(0, 160))}`)
  }
  return new RegistryTarget(registry, ref, options)
}

/** Running uploads of each client; the weak map drops them with the client. */
const underWay = new WeakMap<RegistryClient, LeaderFlight<string, void>>()

class RegistryTarget implements TransferTarget {
  readonly label: string
  readonly repository: Repository
  readonly needsAreCheap = false
  readonly #registry: RegistryClient
  readonly #reference: Reference
  readonly #tags: readonly string[]
  readonly #options: RegistryTargetOptions
  readonly #flights: LeaderFlight<string, void>
  /** Blobs that the registry reported as mounted. */
  readonly #mounted = new Set<Digest>()

  constructor(registry: RegistryClient, reference: Reference, options: RegistryTargetOptions) {
    this.label = `docker://${formatReference(reference)}`
    this.repository = { registry: reference.registry, repository: reference.repository }
    this.#registry = registry
    this.#reference = reference
    this.#tags = [...new Set([...(reference.tag === undefined ? [] : [reference.tag]), ...(options.tags ?? [])])]
    this.#options = options
    this.#flights = underWay.get(registry) ?? new LeaderFlight<string, void>()
    underWay.set(registry, this.#flights)
  }

  async needs(nodes: readonly TransferNode[], context: NeedsContext): Promise<readonly StepNeed[]> {
    this.#checkPinned(context.root)
    const { turns } = this.#options
    const isFlying = async (digest: Digest) =>
      this.#flights.has(this.#flightOf(digest)) || ((await turns?.isBusy(this.repository, digest)) ?? false)
    return needsOfRegistry(
      { ...this.#options, registry: this.#registry, to: this.repository, isFlying },
      nodes,
      context,
    )
  }

  tagged(tag: string, options?: AbortOptions): Promise<FetchedManifest | undefined> {
    return fetchIfAny(this.#registry, { ...this.repository, tag }, options)
  }

  #checkPinned({ digest: actual }: Descriptor): void {
    const { digest: expected } = this.#reference
    if (expected === undefined || expected === actual) return
    throw new DigestMismatchError({ expected, actual, what: `image for ${formatReference(this.#reference)}` })
  }

  async takeBlob(step: PlanStep, feed: BlobFeed, { signal }: AbortOptions): Promise<BlobOutcome> {
    const from = step.need === 'mount' ? step.from : undefined
    const { digest } = feed.descriptor
    let outcome: BlobOutcome = 'present'
    await this.#flights.run(
      this.#flightOf(digest),
      async () => {
        outcome = await this.#inTurn(feed.descriptor, signal, () => this.#upload(feed, from, signal))
        if (outcome === 'mounted') this.#mounted.add(digest)
      },
      signal,
    )
    return outcome
  }

  /**
   * Waits for the push lock of the blob: without it, another process that pushes from the same store would resume the
   * upload that this process is sending.
   */
  async #inTurn(blob: Descriptor, signal: AbortSignal | undefined, upload: () => Promise<PushedBlob | 'present'>) {
    const turn = await this.#options.turns?.take(this.repository, blob, signal)
    try {
      const there = turn?.waited && (await this.#registry.statBlob(this.repository, blob.digest, { signal }))
      if (there && there.size === blob.size) return 'present'
      const outcome = await upload()
      return outcome === 'uploaded' ? 'done' : outcome
    } finally {
      await turn?.end()
    }
  }

  async #upload(
    feed: BlobFeed,
    from: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<PushedBlob | 'present'> {
    const { chunkBytes, uploads } = this.#options
    const { digest, size } = feed.descriptor
    // A blob that is sent again after a mount was not mounted: the registry was wrong, so no further mount is tried.
    const mayMount = !this.#mounted.has(digest)
    if (mayMount && from !== undefined) {
      if (await this.#registry.mountBlob(this.repository, digest, from, { signal })) return 'mounted'
      // The plan did not ask for a layer that it expected to be mounted.
      if ((await this.#registry.statBlob(this.repository, digest, { signal }))?.size === size) return 'present'
    }
    const mount = mayMount && from === undefined
    const openAt = (offset: number) => feed.openChecked(offset)
    const openLent = (offset: number) => feed.openChecked(offset, { lend: true })
    const options = { chunkBytes, uploads, mount, signal, openAt, openLent }
    const send = () => this.#registry.pushBlob(this.repository, feed.descriptor, () => feed.openChecked(0), options)
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof DigestMismatchError) || !feed.distrust()) throw error
      return await send()
    }
  }

  #flightOf(digest: Digest): string {
    return `${this.repository.registry}/${this.repository.repository}@${digest}`
  }

  async takeDocument(step: PlanStep, bytes: Uint8Array, isRoot: boolean, context: DocumentContext): Promise<void> {
    const manifest = { descriptor: step.descriptor, bytes }
    const tags = isRoot ? this.#tags : (step.tags ?? [])
    const put = () => this.#registry.pushManifest(this.repository, manifest, tags, { signal: context.signal })
    try {
      await put()
    } catch (error) {
      if (!(await this.#heal(error, manifest, context))) throw error
      await put()
    }
  }

  /**
   * Sends missing blobs again. A registry may lose a blob after the plan was made, or may report a blob that it does
   * not have. It then rejects the manifest, with or without the digests of the missing blobs; without them, every child
   * is checked. Resolves to true if a blob was sent again.
   */
  async #heal(
    error: unknown,
    { descriptor, bytes }: { descriptor: Descriptor; bytes: Uint8Array },
    context: DocumentContext,
  ): Promise<boolean> {
    if (!(error instanceof RegistryError)) return false
    const missing = error.errors.filter(({ code }) => code === 'MANIFEST_BLOB_UNKNOWN' || code === 'BLOB_UNKNOWN')
    if (missing.length === 0) return false
    const children = successorsOf(parseImageDocument(bytes, descriptor.mediaType))
    const named = children.filter(({ digest }) => missing.some(one => one.digest === digest))
    let healed = false
    for (const { digest, size } of named.length > 0 ? named : children) {
      const there = await this.#registry.statBlob(this.repository, digest, { signal: context.signal })
      // If the error names a blob, that blob is missing, even if a cache in front of the registry still answers HEAD.
      if (named.length === 0 && there?.size === size) continue
      healed = (await context.resend(digest)) || healed
    }
    return healed
  }

  retakesRoot(): boolean {
    return this.#tags.length > 0
  }

  async finish(): Promise<string> {
    return formatReference(this.#reference)
  }
}
