import { lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProcessMount, ProcessSpec } from '../executor.ts'
import { assertProgram } from './assert-program.ts'
import { MountStubs } from './mount-stubs.ts'
import { writeNetworkFiles } from './network-files.ts'

/** Directories that every process sees mounts at. */
const SYSTEM_POINTS = ['/proc', '/sys', '/dev']

/** The surroundings of a process besides its root filesystem. */
export interface ProcessView {
  /** Mounts in their order, at paths inside the root that exist and are no links. */
  readonly mounts: readonly ProcessMount[]
  /** Directory for files of the executor; it is removed when the process has ended. */
  readonly directory: string
}

/**
 * Prepares what a process sees, and calls `act` with it. Afterwards nothing of it is left: neither files beside the
 * root, nor mount points in it.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_MOUNT`, `ERR_SANDBOX_PROGRAM`.
 */
export async function withView<T>(spec: ProcessSpec, act: (view: ProcessView) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(spec.scratch ?? tmpdir(), 'layerstore-process-'))
  const stubs = new MountStubs(spec.root)
  try {
    const { hosts, resolver } = await writeNetworkFiles(directory, spec)
    const given: ProcessMount[] = [
      { type: 'bind', source: hosts, target: '/etc/hosts', readOnly: true },
      { type: 'bind', source: resolver, target: '/etc/resolv.conf', readOnly: true },
      ...spec.mounts,
    ]
    for (const point of SYSTEM_POINTS) await stubs.makeDirectory(point)
    const mounts: ProcessMount[] = []
    for (const mount of given) mounts.push(await atPoint(mount, await stubs.make(mount), spec.root))
    await assertProgram(spec, mounts)
    return await act({ mounts, directory })
  } finally {
    await stubs.remove()
    await rm(directory, { recursive: true, force: true })
  }
}

/** A mount at the mount point that it has got. A new filesystem has the mode of the directory that it hides. */
async function atPoint(mount: ProcessMount, target: string, root: string): Promise<ProcessMount> {
  if (mount.type !== 'tmpfs' || mount.mode !== undefined) return { ...mount, target }
  const { mode } = await lstat(join(root, target))
  return { ...mount, target, mode: mode & 0o7777 }
}
