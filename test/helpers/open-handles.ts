import { readdirSync, readlinkSync } from 'node:fs'

/** The files that this process holds open below a directory (Linux). */
export function openFilesBelow(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith(directory) ? [target] : []
    } catch {
      return []
    }
  })
}
