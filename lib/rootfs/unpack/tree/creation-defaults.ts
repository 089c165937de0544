import { closeSync, constants, fstatSync, openSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/** What files and directories have from the moment they are made, so that it need not be set again. */
export interface CreationDefaults {
  readonly uid: number
  readonly gid: number
  /** Permissions that are taken away from what is asked for. */
  readonly umask: number
}

/** Set-id and sticky bits are never given at birth: a change of owner or a write takes them away again. */
const SPECIAL = 0o7000
const OWNER_ALL = 0o700

/**
 * What is made in a directory is born with; `undefined` where that differs from place to place. The directory must be
 * private and is left as it was.
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

/** The mode to make a file with: the one it shall have, if it can have it from birth. */
export function fileMode(birth: CreationDefaults | undefined, mode: number): number {
  return birth && (mode & (birth.umask | SPECIAL)) === 0 ? mode : 0o600
}

/** The same of a directory, which its owner must be able to fill meanwhile. */
export function directoryMode(birth: CreationDefaults | undefined, mode: number): number {
  const born = fileMode(birth, mode)
  return (born & OWNER_ALL) === OWNER_ALL ? born : OWNER_ALL
}
