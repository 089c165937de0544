import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'

/** Directories of system programs. `PATH` is not searched: it may lead into a directory that others write to. */
const DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/local/sbin']

/**
 * Returns the absolute path of a program of this machine, or `undefined`.
 *
 * @internal
 */
export function findSystemProgram(name: string): string | undefined {
  return DIRECTORIES.map(directory => join(directory, name)).find(isExecutable)
}

/**
 * Returns the absolute path of a program of this machine.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_NO_EXECUTOR` that names the package to install.
 */
export function requireSystemProgram(name: string, aPackage: string): string {
  const program = findSystemProgram(name)
  if (program) return program
  throw new SandboxError('ERR_SANDBOX_NO_EXECUTOR', `${name} is not installed: install the package ${aPackage}`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
