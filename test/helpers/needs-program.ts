import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { needs } from './needs.ts'

/** True if a program that a test needs exists. If not, prints so; in CI, where every program must exist, throws. */
export function needsProgram(name: string): boolean {
  const isThere = (process.env.PATH ?? '').split(delimiter).some(folder => isProgram(join(folder, name)))
  if (!isThere && process.env.CI) throw new Error(`${name} is not installed, but tests need it`)
  return needs(isThere, `${name} is not installed`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
