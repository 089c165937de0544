import type { ImageLayer } from '../../image/index.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { UnionViews } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import { writeTar } from '../../tar/index.ts'
import type { Executor, ProcessMount, ProcessSpec, RunningProcess } from '../executors/executor.ts'
import { type ExecutorName, machineExecutor } from '../executors/machine-executor.ts'
import { localFiles } from '../files/local-files.ts'
import type { FileAttributes, MountPoints } from '../files/stack-files.ts'
import { machineSnapshots } from '../snapshots/machine-snapshots.ts'
import type { SnapshotDriver, Stack, StackPlace } from '../snapshots/stack.ts'
import type { Channel } from './channel/channel.ts'
import type { CallContext, Handlers } from './channel/responder.ts'
import { remoteStore } from './remote-store.ts'

/** Time between two looks for the number of a process. */
const PID_POLL_MS = 20

/** A process without what cannot be sent; a stream of input is a number. */
export interface SentProcess extends Omit<ProcessSpec, 'onOutput' | 'onStart' | 'signal' | 'stdin'> {
  readonly stdin?: 'empty' | 'inherit' | number | undefined
}

/** Event before the end of a process: output, the number by which it can be killed, its number on this machine. */
export type ProcessEvent =
  | { readonly chunk: Uint8Array; readonly stream: 'stdout' | 'stderr' }
  | { readonly started: number }
  | { readonly pid: number }

/** A stack to open. */
export interface SentStack {
  /** Directory of the driver. */
  readonly directory: string
  /** Number of the store. */
  readonly store: number
  readonly layers: readonly ImageLayer[]
  readonly place?: StackPlace | undefined
}

/** A store of the other process, and the views of its layers that were opened. */
interface OpenedStore {
  readonly store: Store
  readonly views: UnionViews
}

/** Opens stacks and runs processes in the namespace for the process that started this one. */
export class SandboxService {
  readonly #executors = new Map<ExecutorName | undefined, Executor>()
  readonly #files = localFiles()
  readonly #drivers = new Map<string, SnapshotDriver>()
  readonly #stores = new Map<number, OpenedStore>()
  readonly #stacks = new Map<number, Stack>()
  readonly #running = new Map<number, RunningProcess>()
  readonly #points = new Map<number, MountPoints>()
  #channel: Channel | undefined
  #last = 0

  /** Connects the service to the process that it serves. */
  connect(open: (handlers: Handlers) => Channel): void {
    this.#channel = open({ calls: this.#calls, streams: this.#streams })
  }

  /** Removes the stacks that are open. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#stacks.values()].map(stack => stack.close()))
  }

  readonly #calls = {
    probe: async (args: { executor?: ExecutorName; platform?: string }, { signal }: CallContext) => {
      const executor = this.#executor(args.executor)
      const found = await executor.probe({ signal, platform: args.platform })
      // If there was a choice, its name is known only now.
      return { found, name: executor.name }
    },

    run: async (
      { executor, spec }: { executor?: ExecutorName; spec: SentProcess },
      { signal, report }: CallContext,
    ) => {
      const id = ++this.#last
      const { stdin } = spec
      const told = (event: ProcessEvent) => report(event)
      try {
        return await this.#executor(executor).run({
          ...spec,
          stdin: typeof stdin === 'number' ? this.#given.read('archive', { id: stdin }, { signal }) : stdin,
          signal,
          onOutput: (chunk, stream) => told({ chunk, stream }),
          onStart: running => {
            this.#running.set(id, running)
            told({ started: id })
            void this.#tellPid(id, pid => told({ pid }))
          },
        })
      } finally {
        this.#running.delete(id)
      }
    },

    kill: async ({ id, name }: { id: number; name: NodeJS.Signals }) => this.#running.get(id)?.kill(name),

    open: async (args: SentStack, { signal }: CallContext) => {
      const { directory, layers, place } = args
      const { store, views } = this.#store(args.store)
      const view = await views.open(layers, { signal })
      const stack = await this.#driver(directory).openStack(store, layers, { signal, place, view })
      const id = ++this.#last
      this.#stacks.set(id, stack)
      return { id, path: stack.path, scratch: stack.scratch }
    },

    keepAs: async ({ id, layer, latestTime }: { id: number; layer: ImageLayer; latestTime: number | undefined }) =>
      this.#stacks.get(id)?.keepAs?.(layer, latestTime),

    close: async ({ id }: { id: number }) => {
      await this.#stacks.get(id)?.close()
      this.#stacks.delete(id)
    },

    makeDirectory: (args: { path: string; attributes: FileAttributes; options: { recursive: boolean } }) =>
      this.#files.makeDirectory(args.path, args.attributes, args.options),

    writeFile: (args: { path: string; content: Uint8Array; attributes: FileAttributes }) =>
      this.#files.writeFile(args.path, args.content, args.attributes),

    change: (args: { path: string; attributes: FileAttributes }) => this.#files.change(args.path, args.attributes),

    remove: ({ path }: { path: string }) => this.#files.remove(path),

    unpack: (args: { path: string; what: string; archive: number }, { signal }: CallContext) => {
      const open = () => this.#given.read('archive', { id: args.archive }, { signal })
      return this.#files.unpack(args.path, args.what, open, { signal })
    },

    makeMountPoints: async ({ root, mounts }: { root: string; mounts: readonly ProcessMount[] }) => {
      const id = ++this.#last
      this.#points.set(id, await this.#files.makeMountPoints(root, mounts))
      return id
    },

    removeMountPoints: async ({ id }: { id: number }) => {
      await this.#points.get(id)?.remove()
      this.#points.delete(id)
    },

    removePlace: async ({ directory, place }: { directory: string; place: string }) =>
      this.#driver(directory).removePlace?.(place),
  }

  readonly #streams = {
    // As a tar, which keeps everything that an entry may have.
    changes: ({ id }: { id: number }, { signal }: CallContext) => {
      const stack = this.#stacks.get(id)
      if (!stack) throw new Error('the stack is closed')
      return writeTar(stack.changes({ signal }), { signal })
    },
  }

  /** Reports the number of a process once it is known: programs that start it come first. */
  async #tellPid(id: number, tell: (pid: number) => void): Promise<void> {
    for (;;) {
      const running = this.#running.get(id)
      const pid = running?.pid?.()
      if (pid !== undefined) tell(pid)
      if (!running?.pid || pid !== undefined) return
      await sleep(PID_POLL_MS)
    }
  }

  /** Channel to stores and archives of the other process. */
  get #given(): Channel {
    return this.#channel as Channel
  }

  #store(id: number): OpenedStore {
    const known = this.#stores.get(id)
    if (known) return known
    const store = remoteStore(this.#given, id)
    const opened = { store, views: new UnionViews(store) }
    this.#stores.set(id, opened)
    return opened
  }

  #driver(directory: string): SnapshotDriver {
    const driver = this.#drivers.get(directory) ?? machineSnapshots({ directory })
    this.#drivers.set(directory, driver)
    return driver
  }

  #executor(name: ExecutorName | undefined): Executor {
    const executor = this.#executors.get(name) ?? machineExecutor(name === undefined ? {} : { executors: [name] })
    this.#executors.set(name, executor)
    return executor
  }
}
