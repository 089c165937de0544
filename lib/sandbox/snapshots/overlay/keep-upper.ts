import { lutimesSync, mkdirSync, renameSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageLayer } from '../../../image/index.ts'
import { EventLoopYielder } from '../../../internal/concurrency/event-loop-yielder.ts'
import { withLock } from '../../../internal/locks/lock.ts'
import { encodeName } from '../../../internal/name-bytes.ts'
import type { TreeEntry } from '../../../layer/index.ts'
import { copyRoot } from './copy-root.ts'
import { touchLayer, writeAbout } from './layer-about.ts'
import { FILES, removeUnfinished, UNFINISHED } from './layer-snapshots.ts'
import type { SnapshotPlaces } from './snapshot-places.ts'

/** Content of an upper directory. */
export interface FoundChanges {
  /** Every path in it but whiteouts. */
  readonly found: readonly TreeEntry[]
  /** Paths that are entries of the layer. */
  readonly changed: ReadonlySet<string>
}

/** An upper directory that becomes an unpacked layer. */
export interface KeptUpper {
  readonly upper: string
  /** Root of the layers below; `undefined` if there are none. */
  readonly below: string | undefined
  readonly changes: FoundChanges
  /** Name of the unpacked layer. */
  readonly name: string
  /** The layer that was made of the changes. */
  readonly layer: ImageLayer
  /** Latest time of a file in the layer, in seconds since 1970. @defaultValue no limit */
  readonly latestTime: number | undefined
}

/**
 * Makes the upper directory of a stack, which is not mounted any more, the unpacked form of the layer that was made of
 * it. What differs from the layer is corrected: times are those of the layer, sockets are removed, the root directory
 * is that below. So the next step sees the same as if the layer had been unpacked.
 *
 * PERF: unpacking the layer of each step for the next one took a mount, a thread and the decompression of what was just
 * compressed: over half of the time of a step.
 */
export async function keepUpper(places: SnapshotPlaces, kept: KeptUpper): Promise<void> {
  const directory = join(places.layers, kept.name)
  const keep = async () => {
    // Another process was faster.
    if (touchLayer(directory)) return
    const unfinished = `${directory}${UNFINISHED}`
    await removeUnfinished(unfinished)
    await correct(kept)
    mkdirSync(unfinished)
    renameSync(kept.upper, join(unfinished, FILES))
    const { found, changed } = kept.changes
    const bytes = found.reduce((sum, { path, size }) => sum + (changed.has(path) ? size : 0), 0)
    const { diffId, descriptor } = kept.layer
    writeAbout(unfinished, { version: 1, diffId, layer: descriptor.digest, bytes })
    renameSync(unfinished, directory)
  }
  await withLock(join(places.locks, kept.name), keep)
}

async function correct({ upper, below, changes: { found, changed }, latestTime }: KeptUpper): Promise<void> {
  for (const { path } of found.filter(({ type }) => type === 'directory')) await removeSockets(at(upper, path))
  await removeSockets(Buffer.from(upper))
  const yielder = new EventLoopYielder()
  // Last, because the removal of a socket changes the time of its directory.
  for (const { path, type, mtime } of found) {
    if (type === 'hardlink') continue
    if (yielder.shouldYield()) await yielder.yield()
    const seconds = Math.max(0, Math.floor(mtime))
    const time = latestTime !== undefined && changed.has(path) ? Math.min(seconds, latestTime) : seconds
    lutimesSync(at(upper, path), time, time)
  }
  if (below !== undefined) copyRoot(below, upper)
}

async function removeSockets(directory: Buffer): Promise<void> {
  for (const entry of await readdir(directory, { encoding: 'buffer', withFileTypes: true })) {
    if (entry.isSocket()) await rm(Buffer.concat([directory, Buffer.from('/'), entry.name]))
  }
}

/** Names may be any bytes. */
function at(upper: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${upper}/`), encodeName(path)])
}
