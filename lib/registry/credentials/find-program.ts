import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * The absolute path of a program on the search path, or `undefined`.
 *
 * SAFETY: relative entries (an empty one is the working directory) are skipped, which `spawn` would not do: a build that
 * runs in a foreign directory must not run a helper from it.
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
    // Whatever the reason, the search goes on elsewhere, as that of a shell does.
    return false
  }
}
