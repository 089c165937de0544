import { FormatError, type LayerStoreError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { FetchBlobOptions } from '../registry-client.ts'
import { isFaultOfSource } from '../sources/first-of.ts'
import type { BlobPlace } from './blob-request.ts'
import { fetchBlob } from './fetch-blob.ts'
import { fetchParts } from './fetch-parts.ts'

const MOST_PARALLEL = 16

/** Receives the outcome at each source of a fetch. */
export interface FetchObserver {
  /** A source has delivered bytes. */
  gave(place: BlobPlace): void
  failed(place: BlobPlace, error: LayerStoreError): void
}

/**
 * Streams a blob from `offset` on, from the first source that has it. If a source fails in the middle, the next one
 * continues. The bytes may thus come from several sources; only the digest of all of them proves them.
 */
export async function* fetchFromPlaces(
  places: readonly (() => BlobPlace)[],
  descriptor: Descriptor,
  options: FetchBlobOptions,
  observer: FetchObserver,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { offset = 0, parallel = 1, ...rest } = options
  const { signal } = rest
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > descriptor.size) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `no offset ${offset} in a blob of ${descriptor.size} bytes`)
  }
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > MOST_PARALLEL) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `parallel must be 1 to ${MOST_PARALLEL}, is ${parallel}`)
  }
  let position = offset
  for (const [i, open] of places.entries()) {
    let place: BlobPlace | undefined
    let gave = false
    try {
      place = open()
      const bytes = parallel > 1 ? fetchParts : fetchBlob
      for await (const chunk of bytes(place, descriptor, { ...rest, offset: position, parallel })) {
        if (!gave) observer.gave(place)
        gave = true
        position += chunk.byteLength
        yield chunk
      }
      return
    } catch (error) {
      if (!isFaultOfSource(error, signal) || i === places.length - 1) throw error
      if (place) observer.failed(place, error as LayerStoreError)
    }
  }
}
