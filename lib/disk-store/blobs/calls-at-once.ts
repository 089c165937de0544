import { lstatSync, renameSync, type Stats, unlinkSync } from 'node:fs'

/*
 * PERF: the calls that a collection makes for each blob that goes, made on this thread. Through Node's thread pool each call waits
 * until the system has run two other threads: 50,000 blobs cost 244,000 waits and 6.4 s of processor time, made here 3,900 and 3.0.
 * The caller awaits each of them and yields every 8 ms (`EventLoopYielder`). They have the names and arguments of `node:fs/promises`, so
 * that tests can delay them and make them fail.
 */

/** What the system says of a path itself; `undefined` if nothing is there. */
export function lstat(path: string): Stats | undefined | Promise<Stats | undefined> {
  return lstatSync(path, { throwIfNoEntry: false })
}

/** Gives a file another name. */
export function rename(from: string, to: string): void | Promise<void> {
  renameSync(from, to)
}

/** Removes a name of a file. Only for small files: the space of a large one takes the system long to free. */
export function unlink(path: string): void | Promise<void> {
  unlinkSync(path)
}
