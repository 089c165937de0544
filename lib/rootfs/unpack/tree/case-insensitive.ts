import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

/** True if a directory is case-insensitive. The directory must be private; the probe removes what it creates. */
export function isCaseInsensitive(directory: string): boolean {
  const probe = join(directory, '.layerstore-case')
  mkdirSync(probe)
  try {
    return existsSync(join(directory, '.LAYERSTORE-CASE'))
  } finally {
    rmdirSync(probe)
  }
}
