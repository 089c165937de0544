import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

/** Whether a directory takes names that differ in case for one name. It must be private and is left as it was. */
export function isCaseInsensitive(directory: string): boolean {
  const probe = join(directory, '.layerstore-case')
  mkdirSync(probe)
  try {
    return existsSync(join(directory, '.LAYERSTORE-CASE'))
  } finally {
    rmdirSync(probe)
  }
}
