import { statSync } from 'node:fs'
import * as module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Node 22.8 and later; the types are those of Node 20. */
const enable = (module as { enableCompileCache?: (directory: string) => unknown }).enableCompileCache

/**
 * Turns on Node's cache of compiled code, in the user's cache folder: `layerstore/node` in `$XDG_CACHE_HOME`,
 * else in `~/.cache`. `NODE_COMPILE_CACHE` names another directory, `NODE_DISABLE_COMPILE_CACHE=1` turns it off.
 * Without a home directory, or if it cannot be written to, nothing is kept; nothing is ever thrown.
 *
 * SAFETY: a process that writes to the cache decides what code runs. Node's default is a directory in /tmp that another
 * user may have made; and with `sudo`, HOME may be another user's.
 */
export function enableCompileCache(env: NodeJS.ProcessEnv): void {
  if (!enable) return
  try {
    const [home, folder] = env.XDG_CACHE_HOME ? [env.XDG_CACHE_HOME, ''] : [env.HOME || homedir(), '.cache']
    if (isOwn(home)) enable(join(home, folder, 'layerstore', 'node'))
  } catch {
    // There is no such directory.
  }
}

function isOwn(directory: string): boolean {
  const { uid, mode } = statSync(directory)
  // Windows has no owners.
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0)
}
