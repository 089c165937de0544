import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { RunMount, RunStep, SecretMount } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import {
  copyingSnapshots,
  type Executor,
  localFiles,
  type ProcessMount,
  resolveUser,
  type SnapshotDriver,
  type Stack,
  type StackFiles,
} from '../../sandbox/index.ts'
import { type TarInput, writeTar } from '../../tar/index.ts'
import { resolveInTree } from '../context/resolve-in-tree.ts'
import type { BuildSession } from '../session/build-session.ts'
import { makeWorkdir } from './make-workdir.ts'
import { planCopyOf } from './plan-copy-of.ts'
import type { StepFrame } from './step-frame.ts'

/** Settings for the commands of RUN. */
export interface RunSettings {
  /** Executes commands; without one a build with a RUN that is not cached fails before it begins. */
  readonly executor?: Executor | undefined
  /** Opens root filesystems as directories. @defaultValue copies */
  readonly snapshots?: SnapshotDriver | undefined
  /** Secrets by their ids. They are in no layer, no key and no message. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>> | undefined
  /** Sockets of ssh agents by their ids; `default` is the one of a mount without an id. */
  readonly sshAgents?: Readonly<Record<string, string>> | undefined
  /** Directory for the cache mounts of all builds. @defaultValue each step starts with empty ones */
  readonly cacheMounts?: string | undefined
  /** Proxy variables that commands see, as `NAME=value`. */
  readonly proxies?: readonly string[] | undefined
}

/** Changes by a command. Disposing it removes the directory that the command ran in. */
export interface RunChanges extends AsyncDisposable {
  entries(): AsyncIterable<TarInput>
}

/** Options of {@link runEntries}. */
export interface RunEntriesOptions {
  readonly run: RunSettings
  readonly onOutput?: ((chunk: Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined
}

/**
 * Executes the command of a RUN on the layers of its stage.
 *
 * @throws {@link BuildError} `ERR_BUILD_RUN` with the exit code; `ERR_BUILD_NO_EXECUTOR`;
 * `ERR_BUILD_SOURCE_NOT_FOUND` for a secret or an agent that is required and missing.
 */
export async function runEntries(
  session: BuildSession,
  step: RunStep,
  frame: StepFrame,
  { run, onOutput }: RunEntriesOptions,
): Promise<RunChanges> {
  const { executor, snapshots = copyingSnapshots() } = run
  if (!executor) throw new BuildError('ERR_BUILD_NO_EXECUTOR', 'the step runs a command, and no executor was given')
  const { layers } = frame.state
  const { signal } = frame
  const view = await session.view(layers, frame)
  const user = await resolveUser(step.user, view, { signal })
  const stack = await snapshots.openStack(session.store, layers, { signal })
  try {
    const files = stack.files ?? localFiles()
    const workdir = await makeWorkdir({ root: stack.path, files, view }, step.workdir, user)
    const mounts = new Mounts(session, frame, run, { files, path: stack.scratch })
    const bound = await mounts.prepare(step)
    const points = await files.makeMountPoints(stack.path, bound)
    const { code } = await executor.run({
      root: stack.path,
      args: argsOf(step),
      environment: environmentOf(step, user.home, [...(run.proxies ?? []), ...mounts.variables]),
      workdir,
      user,
      mounts: bound,
      network: step.network,
      scratch: stack.scratch,
      onOutput,
      signal,
    })
    signal?.throwIfAborted()
    if (code !== 0) throw new BuildError('ERR_BUILD_RUN', `the command ended with exit code ${code}`)
    await points.remove()
    return changesOf(stack, signal)
  } catch (error) {
    await stack.close()
    throw error
  }
}

function changesOf(stack: Stack, signal: AbortSignal | undefined): RunChanges {
  return { entries: () => stack.changes({ signal }), [Symbol.asyncDispose]: () => stack.close() }
}

function argsOf({ command }: RunStep): readonly string[] {
  return 'args' in command ? command.args : [...command.shell, command.text]
}

/** HOME is that of the user unless the stage sets it. */
function environmentOf(step: RunStep, home: string, more: readonly string[]): string[] {
  const own = step.environment.some(variable => variable.startsWith('HOME=')) ? [] : [`HOME=${home}`]
  return [...step.environment, ...own, ...more]
}

/** Prepares the mounts of one step in a directory beside its root filesystem. */
class Mounts {
  /** Variables that secrets give. */
  readonly variables: string[] = []
  readonly #session: BuildSession
  readonly #frame: StepFrame
  readonly #run: RunSettings
  readonly #beside: { readonly path: string; readonly files: StackFiles }

  constructor(
    session: BuildSession,
    frame: StepFrame,
    run: RunSettings,
    beside: { readonly path: string; readonly files: StackFiles },
  ) {
    this.#session = session
    this.#frame = frame
    this.#run = run
    this.#beside = beside
  }

  async prepare(step: RunStep): Promise<ProcessMount[]> {
    const mounts: ProcessMount[] = []
    for (const mount of step.mounts) {
      const prepared = await this.#prepare(mount)
      if (prepared) mounts.push(prepared)
    }
    const { command } = step
    const script = 'script' in command ? command.script : undefined
    if (script) mounts.push(await this.#file(script.content, 0o755, script.path))
    return mounts
  }

  async #prepare(mount: RunMount): Promise<ProcessMount | undefined> {
    switch (mount.type) {
      case 'tmpfs':
        return { type: 'tmpfs', target: mount.target, size: mount.size }
      case 'secret':
        return this.#secret(mount)
      case 'ssh': {
        const socket = this.#run.sshAgents?.[mount.id]
        const target = mount.target ?? '/run/buildkit/ssh_agent.0'
        if (socket === undefined)
          return this.#missing(mount.required, `no ssh agent ${JSON.stringify(mount.id)} was given`)
        this.variables.push(`SSH_AUTH_SOCK=${target}`)
        return { type: 'bind', source: socket, target, readOnly: false }
      }
      case 'cache':
        return { type: 'bind', source: await this.#cache(mount), target: mount.target, readOnly: mount.readOnly }
      default: {
        const source = await this.#files(mount.from, mount.source)
        return { type: 'bind', source, target: mount.target, readOnly: mount.readOnly }
      }
    }
  }

  async #secret(mount: SecretMount): Promise<ProcessMount | undefined> {
    const value = this.#run.secrets?.[mount.id]
    if (value === undefined) return this.#missing(mount.required, `no secret ${JSON.stringify(mount.id)} was given`)
    if (mount.env !== undefined) this.variables.push(`${mount.env}=${Buffer.from(value).toString('utf8')}`)
    return mount.target === undefined ? undefined : this.#file(value, mount.mode, mount.target, mount)
  }

  #missing(required: boolean, problem: string): undefined {
    if (required) throw new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', `${problem}, and the step requires it`)
    return undefined
  }

  async #file(
    content: string | Uint8Array,
    mode: number,
    target: string,
    { uid, gid }: { readonly uid: number; readonly gid: number } = { uid: 0, gid: 0 },
  ): Promise<ProcessMount> {
    const source = this.#place()
    // Not through the store: a secret must leave no blob.
    await this.#beside.files.writeFile(source, content, { mode, uid, gid })
    return { type: 'bind', source, target, readOnly: true }
  }

  /** Files of a tree in a directory of their own: what the command writes there is discarded. */
  async #files(from: Parameters<BuildSession['source']>[0], path: string): Promise<string> {
    const opened = await this.#session.source(from, this.#frame.stageOf, this.#frame)
    const step = { kind: 'copy', sources: [path], files: [], remotes: [], destination: '/' } as const
    const copy = await planCopyOf(this.#session, step, opened, this.#frame)
    const place = this.#place()
    const { signal } = this.#frame
    const open = () => writeTar(copy.entries({ below: undefined, time: 0, signal }), { signal })
    // As a layer is unpacked, so that no path leads out of the directory.
    await this.#beside.files.unpack(place, `mount of ${path}`, open, { signal })
    const { node } = resolveInTree(await opened.tree(), path)
    return node?.type === 'file' ? join(place, path.slice(path.lastIndexOf('/') + 1)) : place
  }

  /** A directory that outlives the step, if the caller has a place for such. */
  async #cache(mount: Extract<RunMount, { type: 'cache' }>): Promise<string> {
    const { cacheMounts } = this.#run
    const attributes = { mode: mount.mode, uid: mount.uid, gid: mount.gid }
    if (cacheMounts === undefined) {
      if (mount.from) return this.#files(mount.from, mount.source)
      const place = this.#place()
      await this.#beside.files.makeDirectory(place, attributes)
      return place
    }
    // SAFETY: the id of a Dockerfile may be `..`. With a prefix no id leads out of the directory.
    const place = join(cacheMounts, `id-${encodeURIComponent(mount.id)}`)
    await this.#beside.files.makeDirectory(place, attributes, { recursive: true })
    return place
  }

  #place(): string {
    return join(this.#beside.path, randomBytes(6).toString('hex'))
  }
}
