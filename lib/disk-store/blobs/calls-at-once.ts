import { lstatSync, renameSync, type Stats } from 'node:fs'

/*
 * PERF: the system calls of a collection that only look at a blob or rename it, made on this thread. Through Node's
 * thread pool each call waits for two thread switches: 50,000 blobs cost 244,000 context switches and 6.4 s of
 * processor time. Removing a file is left to the pool, many at a time: file systems that discard freed space at once
 * (ext4 with `discard`, without a journal) take 0.5 to 2 ms for each. The caller awaits each call and yields every 8 ms
 * (`EventLoopYielder`). The functions have the names and arguments of `node:fs/promises`, so that tests can delay them
 * and make them fail.
 */

/** Stats of a path without following a link; `undefined` if nothing exists there. */
export function lstat(path: string): Stats | undefined | Promise<Stats | undefined> {
  return lstatSync(path, { throwIfNoEntry: false })
}

/** Renames a file. */
export function rename(from: string, to: string): void | Promise<void> {
  renameSync(from, to)
}
