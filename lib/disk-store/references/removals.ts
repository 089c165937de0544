import { lutimes } from 'node:fs/promises'
import { stateOf } from '../blobs/trash.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { createOnce } from '../link-once.ts'

/**
 * A number that grows whenever a collection is about to remove blobs, and when it has: the time of a file, in whole seconds.
 * Whoever sees the same number again under the lock of the index, where alone it is changed, knows that what was there is still
 * there.
 */
export async function readRemovals({ places }: DiskContext): Promise<number> {
  const what = { act: 'look at', path: '.layerstore/removals' }
  return (await onDisk(what, async () => stateOf(places.removals)))?.mtimeMs ?? 0
}

/** Makes the file, once: counting on it later needs no free space. */
export async function prepareRemovals({ places }: DiskContext): Promise<void> {
  await onDisk({ act: 'create', path: '.layerstore/removals', writes: true }, async () => {
    if (!(await stateOf(places.removals))) await createOnce(places.removals, Buffer.alloc(0), false)
  })
}

/** Counts on. */
export async function countRemoval(context: DiskContext): Promise<void> {
  const next = Math.floor((await readRemovals(context)) / 1000) + 1
  await lutimes(context.places.removals, next, next)
}
