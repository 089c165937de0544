import { closeSync, constants, fstatSync, openSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Metadata of newly created files and directories. The writer need not set values that already match. */
export interface CreationDefaults {
  readonly uid: number
  readonly gid: number
  /** Permission bits that the system removes at creation. */
  readonly umask: number
}

/** Set-id and sticky bits are never set at creation: a change of owner or a write clears them. */
const SPECIAL = 0o7000
const OWNER_ALL = 0o700

/**
 * Probes the metadata of new files in a directory; returns `undefined` if it differs between directories. The directory
 * must be private; the probe removes what it creates.
 */
export function creationDefaultsIn(directory: string): CreationDefaults | undefined {
  if ((statSync(directory).mode & 0o2000) !== 0) return undefined
  const probe = join(directory, '.layerstore-birth')
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const fd = openSync(probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o777)
  try {
    const { uid, gid, mode } = fstatSync(fd)
    return { uid, gid, umask: 0o777 & ~mode }
  } finally {
    closeSync(fd)
    unlinkSync(probe)
  }
}

/** Mode to create a file with: its final mode, if the system keeps it at creation. */
export function fileMode(birth: CreationDefaults | undefined, mode: number): number {
  return birth && (mode & (birth.umask | SPECIAL)) === 0 ? mode : 0o600
}

/** Mode to create a directory with; its owner must be able to write to it meanwhile. */
export function directoryMode(birth: CreationDefaults | undefined, mode: number): number {
  const born = fileMode(birth, mode)
  return (born & OWNER_ALL) === OWNER_ALL ? born : OWNER_ALL
}
