import { utimesSync, writeFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'

const ABOUT = 'about.json'

/** A note in the directory of an unpacked layer. */
export interface LayerAbout {
  readonly version: 1
  /** Digest of the uncompressed layer, which was verified while it was unpacked. */
  readonly diffId: Digest
  /** Digest of the layer in the store. */
  readonly layer: Digest
  /** Bytes of the files that it wrote. */
  readonly bytes: number
}

/** Writes the note of a layer that was just unpacked. */
export function writeAbout(directory: string, about: LayerAbout): void {
  writeFileSync(join(directory, ABOUT), JSON.stringify(about))
}

/** Reads the note, with the time of the last use. `undefined` if there is no unpacked layer. */
export async function readAbout(directory: string): Promise<(LayerAbout & { readonly usedMs: number }) | undefined> {
  try {
    const file = join(directory, ABOUT)
    const about = JSON.parse(await readFile(file, 'utf8')) as LayerAbout
    return { ...about, usedMs: (await stat(file)).mtimeMs }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR') || error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Notes that a layer is used now. Returns false if it is not unpacked.
 *
 * PERF: synchronous: a stack of twenty layers makes twenty such calls, of 10 µs each.
 */
export function touchLayer(directory: string): boolean {
  const now = new Date()
  try {
    utimesSync(join(directory, ABOUT), now, now)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
