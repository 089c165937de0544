import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobInfo } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { digestIn, Keys } from '../objects/keys.ts'

/** Lists every blob once, in the order of the keys. */
export async function* listBlobObjects(
  { bucket }: ObjectContext,
  options: AbortOptions,
): AsyncGenerator<BlobInfo, void, undefined> {
  options.signal?.throwIfAborted()
  for await (const { key, size } of bucket.list(Keys.blobs, options)) {
    const digest = digestIn(key, Keys.blobs)
    if (digest) yield { digest, size }
  }
}
