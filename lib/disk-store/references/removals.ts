import { lutimes } from 'node:fs/promises'
import { createOnce } from '../../internal/link-once.ts'
import { stateOf } from '../blobs/trash.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'

/**
 * Reads the removal counter: the time of a file, in whole seconds. A collection increments it before and after it
 * removes blobs, always under the index lock. A reader that sees an unchanged counter under that lock knows that no
 * blob was removed.
 */
export async function readRemovals({ places }: DiskContext): Promise<number> {
  const what = { act: 'look at', path: '.layerstore/removals' }
  return (await onDisk(what, async () => stateOf(places.removals)))?.mtimeMs ?? 0
}

/** Creates the counter file, once: incrementing it later needs no free space. */
export async function prepareRemovals({ places }: DiskContext): Promise<void> {
  await onDisk({ act: 'create', path: '.layerstore/removals', writes: true }, async () => {
    if (!(await stateOf(places.removals))) await createOnce(places.removals, Buffer.alloc(0), false)
  })
}

/** Increments the counter. */
export async function countRemoval(context: DiskContext): Promise<void> {
  const next = Math.floor((await readRemovals(context)) / 1000) + 1
  await lutimes(context.places.removals, next, next)
}
