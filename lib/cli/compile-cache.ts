import { mkdirSync, statSync } from 'node:fs'
import * as module from 'node:module'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Node 22.8 and later; the types are those of Node 20. */
const enable = (module as { enableCompileCache?: (directory: string) => unknown }).enableCompileCache

const FOLDERS = ['layerstore', 'node']

/**
 * Turns on Node's cache of compiled code, in the user's cache folder: `layerstore/node` in `$XDG_CACHE_HOME`,
 * else in `~/.cache`. `NODE_COMPILE_CACHE` names another directory, `NODE_DISABLE_COMPILE_CACHE=1` turns it off.
 * Without a home directory, or if it cannot be written to, nothing is kept; nothing is ever thrown.
 *
 * SAFETY: a process that writes to the cache decides what code runs. Node's default is a directory in /tmp that another
 * user may have made; with `sudo`, HOME may be another user's; and a folder in it may be open to a group. So every
 * directory from the home on must belong to this user, and only this user may write to it.
 */
export function enableCompileCache(env: NodeJS.ProcessEnv): void {
  if (!enable || env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE) return
  try {
    // SPEC: XDG Base Directory: a path that is not absolute is ignored.
    const isGiven = env.XDG_CACHE_HOME !== undefined && isAbsolute(env.XDG_CACHE_HOME)
    let path = isGiven ? env.XDG_CACHE_HOME! : env.HOME || homedir()
    if (!isOwn(path)) return
    for (const name of isGiven ? FOLDERS : ['.cache', ...FOLDERS]) {
      path = join(path, name)
      // The umask may let a group write to new directories.
      mkdirSync(path, { recursive: true, mode: 0o700 })
      if (!isOwn(path)) return
    }
    enable(path)
  } catch {
    // There is no such directory, or it cannot be written to.
  }
}

function isOwn(directory: string): boolean {
  const { uid, mode } = statSync(directory)
  // Windows has no owners.
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0)
}
