import { FormatError } from '../../../errors/index.ts'
import type { Owner } from '../../../internal/locks/owner.ts'
import { type Descriptor, parseDescriptor, type RunConfig } from '../../../oci/index.ts'
import type { ContainerProcess } from '../process/container-settings.ts'

/** The file `container.json` of a container. */
export interface ContainerRecord {
  /** Version of the format. */
  readonly version: 1
  /** Identifier. */
  readonly id: string
  /** Manifest of the image. A collection of the store keeps it as long as the file exists. */
  readonly image: Descriptor
  /** Name by which the image was found. */
  readonly name: string
  /** Time of creation, RFC 3339. */
  readonly created: string
  /** False if the container is removed at the end of its process. */
  readonly keep: boolean
  /** The process. */
  readonly process: ContainerProcess
  /** Config of the image with the settings of the container: that of an image made of it. */
  readonly config: RunConfig
  /** State that the process which ran it has noted. It is `running` for ever if that was killed. */
  readonly state: 'created' | 'running' | 'exited'
  /** While it runs: its process on this machine, as soon as it is known. */
  readonly owner?: Owner | undefined
  /** Start of the last run, RFC 3339. */
  readonly started?: string | undefined
  /** End of the last run. */
  readonly finished?: string | undefined
  /** Exit code of the last run. */
  readonly exitCode?: number | undefined
}

/** SAFETY: an id is the name of a directory. The first character keeps `..` and temporary names out. */
const ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/

/** Whether a text can be the id of a container. */
export function isContainerId(text: string): boolean {
  return ID.test(text)
}

/**
 * Checks an id that a caller chose.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export function assertContainerId(id: string): void {
  if (isContainerId(id)) return
  const rule = 'letters, digits, _, . and -, at most 128, the first a letter or a digit'
  throw new FormatError('ERR_INVALID_ARGUMENT', `the id of a container has ${rule}; got ${JSON.stringify(id)}`)
}

/** Parses a record; `undefined` if it is none. */
export function parseContainerRecord(text: string): ContainerRecord | undefined {
  try {
    const record = JSON.parse(text) as ContainerRecord
    parseDescriptor(record.image)
    const texts = [record.id, record.name, record.created, record.process.workdir, record.process.user]
    const isSound =
      record.version === 1 &&
      texts.every(member => typeof member === 'string') &&
      Array.isArray(record.process.args) &&
      Array.isArray(record.process.environment) &&
      Array.isArray(record.process.mounts)
    return isSound ? record : undefined
  } catch {
    return undefined
  }
}
