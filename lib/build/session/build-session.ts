import type { Digest } from '../../digest/index.ts'
import type { FileSource } from '../../dockerfile/index.ts'
import { BlobNotFoundError, BuildError } from '../../errors/index.ts'
import type { ImageLayer } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { SingleFlight } from '../../internal/concurrency/single-flight.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { type UnionView, UnionViews } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import { type FixedBase, type FixedBases, lockedBase } from '../bases/fixed-base.ts'
import { type LayoutImage, OpenLayouts } from '../bases/open-layouts.ts'
import { type ResolveBaseOptions, resolveBase } from '../bases/resolve-base.ts'
import type { ResolvedBase } from '../bases/resolved-base.ts'
import type { OnBuildProgress } from '../build-progress.ts'
import type { StepCache } from '../cache/step-cache.ts'
import type { BuildContext } from '../context/build-context.ts'
import { createMemoryTree } from '../context/memory-tree.ts'
import { openGitTree } from '../context/open-git-tree.ts'
import type { SourceTree } from '../context/source-tree.ts'
import { createViewTree } from '../context/view-tree.ts'
import { GitCheckouts } from '../git/git-checkouts.ts'
import type { LayerPolicies } from '../keys/step-parts.ts'
import { resolveLockedBase } from '../lock/resolve-locked-base.ts'
import type { NamedDockerfile } from '../stages/at-step.ts'
import { type BuildState, chainOf } from '../stages/build-state.ts'
import type { VerifyBase } from '../verify-base.ts'
import { fetchLayer, type LayerSource } from './fetch-layer.ts'
import { NotKnownYet } from './not-known-yet.ts'
import { runTask } from './run-task.ts'

/** Parts of a build session. */
export interface SessionParts {
  readonly store: Store
  readonly registry?: RegistryClient | undefined
  readonly contexts: ReadonlyMap<string, BuildContext>
  readonly cache: StepCache
  readonly policies: LayerPolicies
  readonly pull?: ResolveBaseOptions['pull']
  /** Images of layouts, by the references that stages use. */
  readonly layouts?: Readonly<Record<string, LayoutImage>> | undefined
  readonly verify?: VerifyBase | undefined
  readonly lock?: FixedBases | undefined
}

/** A tree that files are copied from, and the chain id that fixes its files; a context has none. */
export interface OpenedSource {
  readonly chain?: Digest | 'scratch' | undefined
  /** @throws {@link NotKnownYet} while the build is planned, if layers must be fetched first. */
  tree(): Promise<SourceTree>
}

/**
 * Objects that planning and running share: contexts, bases, views of layers. Each base is resolved once, and each stack
 * of layers is viewed once, for all steps.
 */
export class BuildSession {
  readonly store: Store
  readonly registry: RegistryClient | undefined
  readonly cache: StepCache
  readonly policies: LayerPolicies
  readonly contexts: ReadonlyMap<string, BuildContext>
  /** The Dockerfile of the build, for its errors; absent for stages of code. */
  dockerfile: NamedDockerfile | undefined
  /** Receives the progress of a running build. */
  onProgress: OnBuildProgress | undefined
  /** Digests of files that ADD downloaded, by their addresses. */
  readonly downloads = new Map<string, Digest>()
  /** Checked out git repositories. */
  readonly git = new GitCheckouts(openGitTree)
  readonly #layouts: OpenLayouts
  readonly #pull: ResolveBaseOptions['pull']
  readonly verify: VerifyBase | undefined
  readonly #lock: FixedBases
  readonly #bases = new Map<string, Promise<ResolvedBase>>()
  readonly #views: UnionViews
  readonly #sources = new Map<Digest, LayerSource>()
  readonly #fetches = new SingleFlight<void>()
  readonly #closings: Promise<void>[] = []

  constructor(parts: SessionParts) {
    this.store = parts.store
    this.#views = new UnionViews(parts.store)
    this.registry = parts.registry
    this.contexts = parts.contexts
    this.cache = parts.cache
    this.policies = parts.policies
    this.#pull = parts.pull
    this.verify = parts.verify
    this.#lock = parts.lock ?? {}
    this.#layouts = new OpenLayouts(parts.layouts ?? {})
  }

  /** Closes what a step has finished with, while other steps run; `close` waits for it and reports its failure. */
  closeMeanwhile(finished: AsyncDisposable): void {
    const closing = Promise.resolve(finished[Symbol.asyncDispose]())
    closing.catch(() => {})
    this.#closings.push(closing)
  }

  /** Closes git repositories and layouts. They are opened anew if they are needed again. */
  async close(): Promise<void> {
    try {
      await settleAll(this.#closings.splice(0))
    } finally {
      await this.git.close()
      await this.#layouts.close()
    }
  }

  /** Resolves a base; its documents are read, its layers are not. */
  base(reference: string, platform: string, signal?: AbortSignal): Promise<ResolvedBase> {
    const key = JSON.stringify([reference, platform])
    const known = this.#bases.get(key)
    if (known) return known
    const resolving = this.#resolve(reference, platform, signal)
    return keepUnlessFailed(this.#bases, key, resolving)
  }

  async #resolve(reference: string, platform: string, signal: AbortSignal | undefined): Promise<ResolvedBase> {
    const locked = lockedBase(this.#lock, reference, platform)
    if (this.#layouts.has(reference)) return this.#ofLayout(reference, platform, { locked, signal })
    const options = { registry: this.registry, verify: this.verify, pull: this.#pull, signal }
    const base = locked
      ? await resolveLockedBase(this.store, locked, options)
      : await resolveBase(this.store, reference, platform, options)
    const repositories = base.remoteLayers ?? []
    for (const { descriptor } of base.layers) this.noteLayer(descriptor.digest, { repositories })
    return base
  }

  async #ofLayout(
    reference: string,
    platform: string,
    { locked, signal }: AbortOptions & { readonly locked: FixedBase | undefined },
  ): Promise<ResolvedBase> {
    const { verify } = this
    const { image, blobs } = await this.#layouts.read(reference, platform, { locked, verify, signal })
    for (const { descriptor } of image.layers) this.noteLayer(descriptor.digest, { blobs })
    return image
  }

  /** The bases that have been resolved, each with the platform that was asked for. */
  async bases(): Promise<[platform: string, base: ResolvedBase][]> {
    const found: [string, ResolvedBase][] = []
    for (const [key, base] of this.#bases) found.push([(JSON.parse(key) as [string, string])[1], await base])
    return found
  }

  /** Notes where a layer can be fetched from. */
  noteLayer(digest: Digest, source: LayerSource): void {
    if (!this.#sources.has(digest)) this.#sources.set(digest, source)
  }

  /** Repositories that hold a layer which the store lacks. */
  repositoriesOf(digest: Digest): readonly Repository[] {
    const source = this.#sources.get(digest)
    return source && 'repositories' in source ? source.repositories : []
  }

  /** Opens a view of layers; `mayFetch` allows to fetch those that the store lacks. */
  async view(
    layers: readonly ImageLayer[],
    options: { mayFetch: boolean; signal?: AbortSignal | undefined },
  ): Promise<UnionView> {
    await this.assureLayers(layers, options)
    return this.#views.open(layers, { signal: options.signal })
  }

  /** Makes sure that the store has layers. */
  async assureLayers(
    layers: readonly ImageLayer[],
    { mayFetch, signal }: { mayFetch: boolean; signal?: AbortSignal | undefined },
  ): Promise<void> {
    const missing: ImageLayer[] = []
    for (const layer of layers) if (!(await this.store.stat(layer.descriptor.digest, { signal }))) missing.push(layer)
    if (missing.length === 0) return
    if (!mayFetch) throw new NotKnownYet(`${missing.length} layers must be fetched first`)
    await Promise.all(missing.map(layer => this.#fetch(layer, signal)))
  }

  async #fetch({ descriptor }: ImageLayer, signal: AbortSignal | undefined): Promise<void> {
    const { digest } = descriptor
    const source = this.#sources.get(digest)
    if (!source) throw new BlobNotFoundError(digest)
    const task = { task: 'fetch', place: digest, bytes: descriptor.size } as const
    const fetch = (stop: AbortSignal) =>
      runTask(this.onProgress, task, () => fetchLayer(this.store, this.registry, descriptor, source, stop))
    await this.#fetches.run(digest, fetch, signal)
  }

  /**
   * Opens what a step copies from.
   *
   * @param stageOf - State of a finished stage; throws {@link NotKnownYet} for one that is not finished.
   * @throws {@link BuildError} `ERR_BUILD_SOURCE_NOT_FOUND` for a context that the caller did not give.
   */
  async source(
    from: FileSource,
    stageOf: (stage: number) => BuildState | Promise<BuildState>,
    options: { mayFetch: boolean; signal?: AbortSignal | undefined },
  ): Promise<OpenedSource> {
    if ('context' in from) {
      const { tree } = this.context(from.context)
      return { tree: async () => tree }
    }
    if ('scratch' in from) return { chain: 'scratch', tree: async () => createMemoryTree({}, { name: 'scratch' }) }
    const isStage = 'stage' in from
    const { layers } = isStage
      ? await stageOf(from.stage)
      : await this.base(from.reference, from.platform, options.signal)
    const name = isStage ? `stage ${from.stage}` : `image ${from.reference}`
    return {
      chain: await chainOf({ layers }),
      tree: async () => createViewTree(await this.view(layers, options), name),
    }
  }

  /** Returns a context that the caller gave. */
  context(name: string): BuildContext {
    const context = this.contexts.get(name)
    if (context) return context
    const what = name === '' ? 'the build has no context' : `no context is named ${JSON.stringify(name)}`
    throw new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', `${what}: give one, or copy from a stage or an image`)
  }
}

/** Remembers work under a key. What failed or was aborted is done again by the next caller. */
function keepUnlessFailed<T>(map: Map<string, Promise<T>>, key: string, work: Promise<T>): Promise<T> {
  map.set(key, work)
  work.catch(() => map.delete(key))
  return work
}
