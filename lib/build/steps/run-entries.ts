import type { RunStep } from '../../dockerfile/index.ts'
import { BuildError, SandboxError } from '../../errors/index.ts'
import type { ImageLayer } from '../../image/index.ts'
import {
  copyingSnapshots,
  type Executor,
  type ExtraHost,
  localFiles,
  type ProcessExit,
  type ProcessLimits,
  type ProcessSpec,
  resolveUser,
  type SnapshotDriver,
  type Stack,
} from '../../sandbox/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { BuildSession } from '../session/build-session.ts'
import { commandFailure } from './command-failure.ts'
import { makeWorkdir } from './make-workdir.ts'
import type { MountSettings } from './mounts/mount-settings.ts'
import { StepMounts } from './mounts/step-mounts.ts'
import { OutputTail } from './output-tail.ts'
import type { StepFrame } from './step-frame.ts'

/** Settings for the commands of RUN. */
export interface RunSettings extends MountSettings {
  /** Executes commands; without one a build with a RUN that is not cached fails before it begins. */
  readonly executor?: Executor | undefined
  /** Opens root filesystems as directories. @defaultValue copies */
  readonly snapshots?: SnapshotDriver | undefined
  /** Limits of each command. They are no part of a key. @defaultValue none */
  readonly limits?: ProcessLimits | undefined
  /** Further lines of `/etc/hosts` of each command. They are no part of a key. */
  readonly extraHosts?: readonly ExtraHost[] | undefined
  /** Proxy variables that commands see, as `NAME=value`. */
  readonly proxies?: readonly string[] | undefined
}

/** Changes by a command. Disposing it removes the directory that the command ran in. */
export interface RunChanges extends AsyncDisposable {
  entries(): AsyncIterable<TarInput>

  /** Keeps the directory for the next step, which runs on the layer that was made of all entries. */
  keepAs(layer: ImageLayer, latestTime: number | undefined): Promise<void>
}

/** Options of {@link runEntries}. */
export interface RunEntriesOptions {
  readonly run: RunSettings
  readonly onOutput?: ((chunk: Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined
}

/**
 * Executes the command of a RUN on the layers of its stage.
 *
 * @throws {@link BuildError} `ERR_BUILD_RUN` with the exit code and the last lines, or if the program does not exist;
 * `ERR_BUILD_LIMIT`; `ERR_BUILD_NO_EXECUTOR`;
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
  const stack = await snapshots.openStack(session.store, layers, { view, signal })
  try {
    const files = stack.files ?? localFiles()
    const workdir = await makeWorkdir({ root: stack.path, files, view }, step.workdir, user)
    await using mounts = new StepMounts(session, frame, run, { files, path: stack.scratch })
    const bound = await mounts.prepare(step)
    const points = await files.makeMountPoints(stack.path, bound)
    const tail = new OutputTail(Object.values(run.secrets ?? {}))
    const exit = await runCommand(executor, {
      root: stack.path,
      args: argsOf(step),
      environment: environmentOf(step, user.home, [...(run.proxies ?? []), ...mounts.variables]),
      workdir,
      user,
      mounts: bound,
      network: step.network,
      extraHosts: run.extraHosts,
      limits: run.limits,
      scratch: stack.scratch,
      onOutput: (chunk, stream) => {
        tail.add(chunk)
        onOutput?.(chunk, stream)
      },
      signal,
    })
    signal?.throwIfAborted()
    if (exit.code !== 0 || exit.limit === 'seconds') {
      throw commandFailure(exit, { limits: run.limits, output: tail.lines() })
    }
    await points.remove()
    return changesOf(stack, signal)
  } catch (error) {
    await stack.close()
    throw error
  }
}

/** A program that does not exist is a fault of the command, as exit code 127 of a shell is. */
async function runCommand(executor: Executor, process: ProcessSpec): Promise<ProcessExit> {
  try {
    return await executor.run(process)
  } catch (error) {
    if (!SandboxError.is(error) || error.code !== 'ERR_SANDBOX_PROGRAM') throw error
    throw new BuildError('ERR_BUILD_RUN', error.message, {}, { cause: error })
  }
}

function changesOf(stack: Stack, signal: AbortSignal | undefined): RunChanges {
  return {
    entries: () => stack.changes({ signal }),
    keepAs: async (layer, latestTime) => stack.keepAs?.(layer, latestTime),
    [Symbol.asyncDispose]: () => stack.close(),
  }
}

function argsOf({ command }: RunStep): readonly string[] {
  return 'args' in command ? command.args : [...command.shell, command.text]
}

/** HOME is that of the user unless the stage sets it. */
function environmentOf(step: RunStep, home: string, more: readonly string[]): string[] {
  const own = step.environment.some(variable => variable.startsWith('HOME=')) ? [] : [`HOME=${home}`]
  return [...step.environment, ...own, ...more]
}
