import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * Finds the absolute path of a program on the search path; `undefined` if there is none.
 *
 * SAFETY: `PATH` may contain relative entries (an empty one is the working directory), and a build may run in an
 * untrusted directory. `spawn` would run a helper from there; this search skips relative entries.
 */
export async function findProgram(name: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const file = process.platform === 'win32' ? `${name}.exe` : name
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    if (isAbsolute(folder) && (await isProgram(join(folder, file)))) return join(folder, file)
  }
  return undefined
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    // The search continues after any failure, as a shell's does.
    return false
  }
}
