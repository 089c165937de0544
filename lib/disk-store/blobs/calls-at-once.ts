import { lstatSync, renameSync, type Stats, unlinkSync } from 'node:fs'

/*
 * PERF: the system calls of a collection for each removed blob, made on this thread. Through Node's thread pool each
 * call waits for two thread switches: 50,000 blobs cost 244,000 context switches and 6.4 s of processor time;
 * synchronously 3,900 and 3.0 s. The caller awaits each call and yields every 8 ms (`EventLoopYielder`). The functions
 * have the names and arguments of `node:fs/promises`, so that tests can delay them and make them fail.
 */

/** Stats of a path without following a link; `undefined` if nothing exists there. */
export function lstat(path: string): Stats | undefined | Promise<Stats | undefined> {
  return lstatSync(path, { throwIfNoEntry: false })
}

/** Renames a file. */
export function rename(from: string, to: string): void | Promise<void> {
  renameSync(from, to)
}

/** Removes a file. Only for small files: freeing the space of a large one blocks for long. */
export function unlink(path: string): void | Promise<void> {
  unlinkSync(path)
}
