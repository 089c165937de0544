import { posix } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'
import { type Image, readImage } from '../../../image/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { createOwnerOf } from '../../../internal/locks/owner.ts'
import { formatPlatform, platformOfConfig } from '../../../oci/index.ts'
import { openUnionView } from '../../../rootfs/index.ts'
import { resolveUser } from '../../accounts/resolve-user.ts'
import type { ProcessExit, ProcessMount, ProcessSpec } from '../../executors/executor.ts'
import { platformFault } from '../../executors/platforms/platform-fault.ts'
import { localFiles } from '../../files/local-files.ts'
import type { Stack } from '../../snapshots/stack.ts'
import type { ContainerHome } from '../home/container-home.ts'
import type { ContainerRecord } from '../home/container-record.ts'
import { accountFiles } from '../process/account-files.ts'
import type { ContainerProcess } from '../process/container-settings.ts'
import { PidNote } from '../process/pid-note.ts'

/** Options of {@link Container.start}. */
export interface StartOptions extends AbortOptions, Pick<ProcessSpec, 'stdin' | 'output' | 'onOutput' | 'onStart'> {
  /**
   * Returns the exit code to note and to resolve to for that of the process. For a caller that kills the process in the
   * place of a signal which it does not handle: 143 for SIGTERM. @defaultValue the code itself
   */
  readonly exitCodeOf?: ((code: number) => number) | undefined
}

/** Runs the process of a container to its end, and notes its state. The caller holds the lock of the container. */
export async function startProcess(
  home: ContainerHome,
  record: ContainerRecord,
  { exitCodeOf = code => code, ...options }: StartOptions,
): Promise<ProcessExit> {
  const { signal } = options
  // A killed run has left the process that it started.
  if (record.owner) await home.write({ ...record, owner: undefined })
  const image = await readImage(home.store, record.image, { signal })
  await assertPlatform(image)
  const place = { directory: home.stackOf(record.id), durable: record.keep }
  const stack = await home.snapshots.openStack(home.store, image.layers, { signal, place })
  try {
    const spec = await specOf(home, record, { image, stack }, options)
    const started = { ...record, state: 'running', started: now(), owner: undefined } as const
    await home.write(started)
    const noting = new PidNote(async pid => home.write({ ...started, owner: await createOwnerOf(pid) }))
    let exitCode = KILLED
    try {
      const exit = await home.executor.run({ ...spec, onStart: running => noting.begin(running, options.onStart) })
      exitCode = exitCodeOf(exit.code)
      return { ...exit, code: exitCode }
    } finally {
      await noting.end()
      await home.write({ ...started, state: 'exited', finished: now(), exitCode })
    }
  } finally {
    await stack.close()
  }
}

/** @throws {@link SandboxError} `ERR_SANDBOX_NO_EXECUTOR` if programs of the image do not run on this machine. */
async function assertPlatform({ config }: Image): Promise<void> {
  const platform = platformOfConfig(config)
  const fault = await platformFault(platform && formatPlatform(platform))
  if (fault !== undefined) throw new SandboxError('ERR_SANDBOX_NO_EXECUTOR', fault)
}

/** Exit code of a process that was stopped from outside, or could not be started. */
const KILLED = 137

async function specOf(
  home: ContainerHome,
  record: ContainerRecord,
  { image, stack }: { readonly image: Image; readonly stack: Stack },
  options: StartOptions,
): Promise<ProcessSpec> {
  const { signal } = options
  const { process } = record
  const view = await openUnionView(home.store, image.layers, { signal })
  // In the first run nothing has been changed.
  const accounts = record.started === undefined ? view : await accountFiles(view, stack.changes({ signal }))
  const user = await resolveUser(process.user, accounts, { signal })
  await makeWorkdir(stack, process)
  const home_ = process.environment.some(variable => variable.startsWith('HOME=')) ? [] : [`HOME=${user.home}`]
  return {
    ...process,
    ...options,
    root: stack.path,
    user,
    environment: [...process.environment, ...home_],
    scratch: stack.scratch,
  }
}

/**
 * Creates the working directory, in the root filesystem or in a directory of this machine that is mounted there. As a
 * mount point it is created with links followed inside; it stays.
 */
async function makeWorkdir(stack: Stack, { workdir, mounts }: ContainerProcess): Promise<void> {
  const path = posix.normalize(workdir)
  const holds = ({ target }: ProcessMount) => path === target || path.startsWith(`${posix.normalize(target)}/`)
  const mount = mounts.findLast(holds)
  if (mount?.type === 'tmpfs' || (mount?.readOnly ?? false)) return
  const [root, target] = mount ? [mount.source, path.slice(mount.target.length)] : [stack.path, path]
  if (/^\/*$/.test(target)) return
  await (stack.files ?? localFiles()).makeMountPoints(root, [{ type: 'tmpfs', target, mode: 0o755 }])
}

function now(): string {
  return new Date().toISOString()
}
