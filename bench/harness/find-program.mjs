import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Returns the reason why a program cannot be used, or `undefined` if it is installed. */
export function missing(...names) {
  const absent = names.filter(name => !findProgram(name))
  return absent.length === 0 ? undefined : `${absent.join(' and ')} is not installed`
}

/** Returns the first line that a program prints about its version. */
export function versionOf(name, ...args) {
  try {
    const said = execFileSync(name, args.length > 0 ? args : ['--version'], { encoding: 'utf8', stdio: 'pipe' })
    return said.split('\n')[0].trim()
  } catch {
    return 'unknown version'
  }
}

function findProgram(name) {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
