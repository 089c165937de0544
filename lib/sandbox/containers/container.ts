import type { AbortOptions } from '../../internal/abort.ts'
import { keepFault } from '../../internal/byte-source.ts'
import { writeLayer } from '../../layer/index.ts'
import { exportImage, openUnionView } from '../../rootfs/index.ts'
import type { ProcessExit } from '../executors/executor.ts'
import type { ContainerHome } from './home/container-home.ts'
import { type ContainerInfo, describeContainer } from './home/container-info.ts'
import { type ContainerChange, listChanges } from './running/container-changes.ts'
import { type StartOptions, startProcess } from './running/start-process.ts'
import { withStack } from './running/with-stack.ts'

/** A container that exists. Any number of these objects, in any process, may be the same container. */
export class Container implements AsyncDisposable {
  /** Identifier. */
  readonly id: string
  readonly #home: ContainerHome

  /** @internal */
  constructor(home: ContainerHome, id: string) {
    this.#home = home
    this.id = id
  }

  /** Ends what this object has started to open and run containers; the container stays. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#home[Symbol.asyncDispose]()
  }

  /** @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND` if it was removed. */
  async info(): Promise<ContainerInfo> {
    return describeContainer(this.#home, await this.#home.record(this.id))
  }

  /**
   * Runs the process of the container to its end. What earlier runs have written is there. An aborted call kills the
   * process and rejects with the reason of the signal; what it wrote stays.
   *
   * @throws {@link SandboxError} `ERR_CONTAINER_RUNNING`, `ERR_CONTAINER_NOT_FOUND`, and those of `Executor.run`; the
   * errors of `readImage`, `resolveUser` and of the snapshots.
   */
  async start(options: StartOptions = {}): Promise<ProcessExit> {
    keepFault(options.stdin)
    const lock = await this.#home.claim(this.id)
    try {
      return await startProcess(this.#home, await this.#home.record(this.id), options)
    } finally {
      await lock.release()
    }
  }

  /**
   * Resolves to what was changed in the files of the image, sorted by path. Of a container that runs it is the state of
   * a moment, and may be inconsistent.
   *
   * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`; the errors of the snapshots.
   */
  async changes({ signal }: AbortOptions = {}): Promise<ContainerChange[]> {
    const record = await this.#home.record(this.id)
    return withStack(this.#home, record, { signal }, ({ stack, image }) =>
      listChanges(this.#home.store, image.layers, stack, { signal }),
    )
  }

  /**
   * Yields the root filesystem of the container as one tar: its image, and what it has written. The layer of the latter
   * is put into the store, where the next collection removes it. Of a running container it is the state of a moment.
   *
   * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`; the errors of the snapshots, of `writeLayer` and of
   * `exportImage`.
   */
  async *export({ signal }: AbortOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { store } = this.#home
    const record = await this.#home.record(this.id)
    await using _lease = await store.leases.hold({ label: `export container ${this.id}`, signal })
    const layers = await withStack(this.#home, record, { signal }, async ({ stack, image }) => [
      ...image.layers,
      await writeLayer(store, stack.changes({ signal }), { compression: 'none', signal }),
    ])
    yield* exportImage(await openUnionView(store, layers, { signal }), { signal })
  }
}
