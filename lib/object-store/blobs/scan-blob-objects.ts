import type { AbortOptions } from '../../internal/abort.ts'
import type { StoredBlob } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { Keys } from '../objects/keys.ts'
import type { ListedObject } from '../s3/bucket.ts'
import { storedBlob } from './blob-age.ts'

const BATCH = 1000

/**
 * Lists every blob with its time and kind, in batches. Blobs, markers and marks of documents are listed side by side:
 * all are ordered by digest, so none of the lists is kept in memory. `onOrphan` gets each marker and each mark without
 * a blob.
 *
 * SAFETY: a document that is stored meanwhile must not be taken for another blob. Its mark is written first, so the
 * marks of a batch are listed after its blobs.
 */
export async function* scanBlobObjects(
  { bucket }: ObjectContext,
  options: AbortOptions,
  onOrphan: (object: ListedObject) => void = () => undefined,
): AsyncGenerator<readonly StoredBlob[], void, undefined> {
  const markers = new Beside(Keys.touched, bucket.list(Keys.touched, options), onOrphan)
  let last = ''
  try {
    for await (const objects of batchesOf(bucket.list(Keys.blobs, options))) {
      const listing = bucket.list(Keys.documents, { ...options, after: Keys.documents + last })
      const documents = new Beside(Keys.documents, listing, onOrphan)
      const batch: StoredBlob[] = []
      for (const object of objects) {
        last = object.key.slice(Keys.blobs.length)
        const marker = await markers.find(last)
        const blob = storedBlob(object, { marker, isDocument: (await documents.find(last)) !== undefined })
        if (blob) batch.push(blob)
      }
      if (objects.length < BATCH) await documents.finish()
      await documents.close()
      if (batch.length > 0) yield batch
    }
    await markers.finish()
  } finally {
    await markers.close()
  }
}

/** Gathers batches of one size; the last one is smaller, and may be empty. */
async function* batchesOf(objects: AsyncIterable<ListedObject>): AsyncGenerator<readonly ListedObject[]> {
  let batch: ListedObject[] = []
  for await (const object of objects) {
    batch.push(object)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  yield batch
}

/** A listing below another prefix, which is read as far as the blobs are. */
class Beside {
  readonly #prefix: string
  readonly #objects: AsyncIterator<ListedObject, void>
  readonly #onPassed: (object: ListedObject) => void
  #next: ListedObject | undefined
  #isBegun = false

  constructor(prefix: string, listing: AsyncIterable<ListedObject>, onPassed: (object: ListedObject) => void) {
    this.#prefix = prefix
    this.#objects = listing[Symbol.asyncIterator]()
    this.#onPassed = onPassed
  }

  /** The object with the same rest of its key, which must be greater than the last one; passes over those before. */
  async find(suffix: string): Promise<ListedObject | undefined> {
    if (!this.#isBegun) await this.#read()
    while (this.#next && this.#suffix < suffix) await this.#pass(this.#next)
    if (this.#suffix !== suffix) return undefined
    const found = this.#next
    await this.#read()
    return found
  }

  /** Passes over the rest. */
  async finish(): Promise<void> {
    if (!this.#isBegun) await this.#read()
    while (this.#next) await this.#pass(this.#next)
  }

  async close(): Promise<void> {
    await this.#objects.return?.()
  }

  get #suffix(): string {
    return this.#next?.key.slice(this.#prefix.length) ?? ''
  }

  async #pass(object: ListedObject): Promise<void> {
    this.#onPassed(object)
    await this.#read()
  }

  async #read(): Promise<void> {
    this.#isBegun = true
    const { value, done } = await this.#objects.next()
    this.#next = done ? undefined : (value as ListedObject)
  }
}
