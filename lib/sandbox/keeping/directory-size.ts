import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import type { AbortOptions } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { isErrno } from '../../internal/errno.ts'

/** Bytes of a block in `stat`, whatever the filesystem uses. */
const BLOCK = 512

/**
 * Computes the space that a directory takes on its disk, in bytes. Links are not followed, and a file with several hard
 * links counts once. What disappears meanwhile, or cannot be read, does not count.
 */
export async function directorySize(path: string, { signal }: AbortOptions = {}): Promise<number> {
  const yielder = new EventLoopYielder()
  const linked = new Set<string>()
  const waiting = [path]
  let bytes = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (yielder.shouldYield()) await yielder.yield()
    signal?.throwIfAborted()
    const stats = stateOf(next)
    if (!stats) continue
    const isFirst = stats.nlink === 1 || stats.isDirectory() || !linked.has(`${stats.dev} ${stats.ino}`)
    if (stats.nlink > 1) linked.add(`${stats.dev} ${stats.ino}`)
    if (isFirst) bytes += stats.blocks * BLOCK
    if (stats.isDirectory()) for (const name of namesIn(next)) waiting.push(join(next, name))
  }
  return bytes
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    // A directory in the sandbox of a plain user may belong to another id of that user.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return []
    throw error
  }
}

function stateOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (isErrno(error, 'EACCES')) return undefined
    throw error
  }
}
