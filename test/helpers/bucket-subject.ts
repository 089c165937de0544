import { randomUUID } from 'node:crypto'
import type { Digest } from '../../lib/digest/index.ts'
import {
  type BucketOptions,
  type ObjectStoreSettings,
  type OpenObjectStoreOptions,
  openBucket,
  openObjectStore,
} from '../../lib/object-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import type { StoreSubject } from '../../lib/testing/index.ts'
import type { S3Engine } from './create-bucket.ts'
import { type Damage, damageBytes } from './damage-bytes.ts'
import { readAll } from './read-all.ts'

const prefixes = new WeakMap<Store, string>()

/** Options by which another process opens the same store. */
export function placeOf(store: Store, place: S3Engine & { bucket: string }): OpenObjectStoreOptions {
  return { ...place, prefix: prefixes.get(store) as string, hasher: 'native' }
}

/** Changes the bytes of a blob in a bucket. */
export async function damageInBucket(place: BucketOptions, digest: Digest, how: Damage): Promise<void> {
  const bucket = await openBucket(place)
  const key = `blobs/${digest.replace(':', '/')}`
  await bucket.put(key, damageBytes(await readAll((await bucket.get(key))!.body), how))
  bucket.close()
}

/** A store below a prefix of its own in a bucket. */
export function bucketSubject(
  place: () => S3Engine & { bucket: string },
  settings: ObjectStoreSettings = {},
): StoreSubject & Required<Pick<StoreSubject, 'damage'>> {
  const open = async (prefix: string, options = {}) => {
    const store = await openObjectStore({ ...place(), prefix, hasher: 'native', ...settings, ...options })
    prefixes.set(store, prefix)
    return store
  }
  return {
    create: () => open(randomUUID()),
    reopen: store => open(prefixes.get(store) as string),
    reopenReadOnly: store => open(prefixes.get(store) as string, { readOnly: true }),
    without: { 'the store keeps sha512 and blake3 blobs beside sha256 blobs': 'node:crypto has no blake3' },
    damage: (store, digest, how) => damageInBucket(placeOf(store, place()), digest, how),
  }
}
