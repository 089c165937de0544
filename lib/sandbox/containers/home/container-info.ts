import type { Descriptor } from '../../../oci/index.ts'
import type { ContainerProcess } from '../process/container-settings.ts'
import type { ContainerHome } from './container-home.ts'
import type { ContainerRecord } from './container-record.ts'

/** A container, as plain data. */
export interface ContainerInfo {
  /** Identifier: the one that the caller chose, or 12 hexadecimal digits. */
  readonly id: string
  /** Name by which the image was found. */
  readonly image: string
  /** Manifest of the image. */
  readonly descriptor: Descriptor
  /** Time of creation, RFC 3339. */
  readonly created: string
  /** False if the container is removed at the end of its process. */
  readonly keep: boolean
  /** Its process. */
  readonly process: ContainerProcess
  /** State now. */
  readonly state: 'created' | 'running' | 'exited'
  /** While it runs: number of its process on this machine. */
  readonly pid?: number | undefined
  /** Start of the last run, RFC 3339. */
  readonly started?: string | undefined
  /** End of the last run; unknown if the process that ran the container was killed. */
  readonly finished?: string | undefined
  /** Exit code of the last run; 137 if the process that ran the container was killed. */
  readonly exitCode?: number | undefined
}

/** 128 and the number of SIGKILL. */
const KILLED = 137

/** Describes a container by its record, and by whether the process that runs it lives. */
export async function describeContainer(home: ContainerHome, record: ContainerRecord): Promise<ContainerInfo> {
  const { id, name, image, created, keep, process, state, owner, started, finished, exitCode } = record
  const about = { id, image: name, descriptor: image, created, keep, process, started }
  if (state !== 'running') return { ...about, state, finished, exitCode }
  if (await home.isRunning(id)) return { ...about, state, pid: owner?.pid }
  return { ...about, state: 'exited', exitCode: KILLED }
}
