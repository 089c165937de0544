import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProcessMount, ProcessSpec } from '../executor.ts'
import { assertResources } from '../limits/resource-limits.ts'
import { isRootOfMachine } from '../process/namespace-ids.ts'
import { assertProgram } from './assert-program.ts'
import { assertTexts } from './assert-texts.ts'
import { writeNetworkFiles } from './network-files.ts'
import { ProcessMountPoints } from './process-mount-points.ts'

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
 * @throws {@link SandboxError} `ERR_SANDBOX_LIMIT`, `ERR_SANDBOX_MOUNT`, `ERR_SANDBOX_PROGRAM`, `ERR_SANDBOX_START`.
 */
export async function withView<T>(spec: ProcessSpec, act: (view: ProcessView) => Promise<T>): Promise<T> {
  assertTexts(spec)
  assertResources(spec.limits?.resources ?? [], isRootOfMachine())
  const directory = await mkdtemp(join(spec.scratch ?? tmpdir(), 'layerstore-process-'))
  const points = new ProcessMountPoints(spec.root)
  try {
    const { hosts, resolver } = await writeNetworkFiles(directory, spec)
    await points.makeSystemPoints()
    await points.place({ type: 'bind', source: hosts, target: '/etc/hosts', readOnly: true })
    await points.place({ type: 'bind', source: resolver, target: '/etc/resolv.conf', readOnly: true })
    for (const mount of spec.mounts) await points.place(mount)
    const { mounts } = points
    await assertProgram(spec, mounts)
    return await act({ mounts, directory })
  } finally {
    await points.remove()
    await rm(directory, { recursive: true, force: true })
  }
}
