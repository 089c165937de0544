import type { AbortOptions } from '../../internal/abort.ts'
import type { StoredBlob } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { Keys } from '../objects/keys.ts'
import type { ListedObject } from '../s3/bucket.ts'
import { storedBlob } from './blob-age.ts'

const BATCH = 1000

/**
 * Lists every blob with its time, in batches. Blobs and markers are listed side by side: both are ordered by digest, so
 * neither list is kept in memory. `onOrphan` gets each marker without a blob.
 */
export async function* scanBlobObjects(
  { bucket }: ObjectContext,
  options: AbortOptions,
  onOrphan: (marker: ListedObject) => void = () => undefined,
): AsyncGenerator<readonly StoredBlob[], void, undefined> {
  const markers = bucket.list(Keys.touched, options)[Symbol.asyncIterator]()
  let marker = await markers.next()
  let batch: StoredBlob[] = []
  try {
    for await (const object of bucket.list(Keys.blobs, options)) {
      const suffix = object.key.slice(Keys.blobs.length)
      while (!marker.done && suffixOf(marker.value) < suffix) {
        onOrphan(marker.value)
        marker = await markers.next()
      }
      const own = !marker.done && suffixOf(marker.value) === suffix ? marker.value : undefined
      const blob = storedBlob(object, own)
      if (blob) batch.push(blob)
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
    for (; !marker.done; marker = await markers.next()) onOrphan(marker.value)
  } finally {
    await markers.return?.()
  }
  if (batch.length > 0) yield batch
}

function suffixOf(marker: ListedObject): string {
  return marker.key.slice(Keys.touched.length)
}
