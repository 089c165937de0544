import type { RunStep } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import {
  copyingSnapshots,
  type Executor,
  localFiles,
  resolveUser,
  type SnapshotDriver,
  type Stack,
} from '../../sandbox/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { BuildSession } from '../session/build-session.ts'
import { makeWorkdir } from './make-workdir.ts'
import type { MountSettings } from './mounts/mount-settings.ts'
import { StepMounts } from './mounts/step-mounts.ts'
import type { StepFrame } from './step-frame.ts'

/** Settings for the commands of RUN. */
export interface RunSettings extends MountSettings {
  /** Executes commands; without one a build with a RUN that is not cached fails before it begins. */
  readonly executor?: Executor | undefined
  /** Opens root filesystems as directories. @defaultValue copies */
  readonly snapshots?: SnapshotDriver | undefined
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
    await using mounts = new StepMounts(session, frame, run, { files, path: stack.scratch })
    const bound = await mounts.prepare(step)
    const points = await files.makeMountPoints(stack.path, bound)
    const { code, note } = await executor.run({
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
    if (code !== 0) {
      const why = note === undefined ? '' : `; ${note}`
      throw new BuildError('ERR_BUILD_RUN', `the command ended with exit code ${code}${why}`)
    }
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
