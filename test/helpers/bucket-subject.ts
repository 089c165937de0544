import { randomUUID } from 'node:crypto'
import { type OpenObjectStoreOptions, openBucket, openObjectStore } from '../../lib/object-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import type { StoreSubject } from '../../lib/testing/index.ts'
import type { S3Engine } from './create-bucket.ts'

const prefixes = new WeakMap<Store, string>()

/** Options by which another process opens the same store. */
export function placeOf(store: Store, place: S3Engine & { bucket: string }): OpenObjectStoreOptions {
  return { ...place, prefix: prefixes.get(store) as string, hasher: 'native' }
}

/** A store below a prefix of its own in a bucket. */
export function bucketSubject(
  place: () => S3Engine & { bucket: string },
): StoreSubject & Required<Pick<StoreSubject, 'damage'>> {
  const open = async (prefix: string, options = {}) => {
    const store = await openObjectStore({ ...place(), prefix, hasher: 'native', ...options })
    prefixes.set(store, prefix)
    return store
  }
  return {
    create: () => open(randomUUID()),
    reopen: store => open(prefixes.get(store) as string),
    reopenReadOnly: store => open(prefixes.get(store) as string, { readOnly: true }),
    without: { 'the store keeps sha512 and blake3 blobs beside sha256 blobs': 'node:crypto has no blake3' },
    async damage(store, digest, how) {
      const bucket = await openBucket(placeOf(store, place()))
      const key = `blobs/${digest.replace(':', '/')}`
      const chunks: Uint8Array[] = []
      for await (const chunk of (await bucket.get(key))!.body) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      if (how === 'flip') bytes[bytes.length >> 1]! ^= 0x10
      const changed = {
        flip: bytes,
        shorten: bytes.subarray(0, -1),
        extend: Buffer.concat([bytes, bytes.subarray(0, 1)]),
        empty: Buffer.alloc(0),
      }
      await bucket.put(key, changed[how])
      bucket.close()
    },
  }
}
