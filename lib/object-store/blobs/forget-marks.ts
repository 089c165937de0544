import type { Digest } from '../../digest/index.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { RunningCollection } from '../announce/running-collection.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey, documentKey } from '../objects/keys.ts'

/** Marks that are announced together: the look at their blobs must not take long. */
const ANNOUNCED = 100

/**
 * Removes marks of documents that are not there.
 *
 * SAFETY: another process may be storing such a document. So the marks are announced as the removal of a blob is: that
 * process waits, and writes the mark again.
 */
export async function forgetMarks(
  { bucket }: ObjectContext,
  running: RunningCollection,
  digests: readonly Digest[],
): Promise<void> {
  for (let i = 0; i < digests.length; i += ANNOUNCED) {
    const some = digests.slice(i, i + ANNOUNCED)
    await running.announce({ blobs: some, names: [] })
    const blobs = await settleAll(some.map(digest => bucket.head(blobKey(digest))))
    const keys = some.filter((_, n) => !blobs[n]).map(documentKey)
    // A mark that could not be removed does no harm; the next collection finds it.
    await running.send(options => bucket.deleteMany(keys, options))
    await running.clear()
  }
}
