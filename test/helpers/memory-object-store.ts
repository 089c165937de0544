import { type ObjectStoreSettings, openStoreInBucket } from '../../lib/object-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import type { StoreSubject } from '../../lib/testing/index.ts'
import { damageBytes } from './damage-bytes.ts'
import { MemoryObjects, memoryBucket } from './memory-bucket.ts'

const shared = new WeakMap<Store, MemoryObjects>()

/** The objects below a store of {@link memoryObjectSubject}. */
export const objectsOf = (store: Store) => shared.get(store) as MemoryObjects

/** Opens a store over objects in memory. */
export async function openInMemory(objects: MemoryObjects, options: ObjectStoreSettings = {}): Promise<Store> {
  const store = await openStoreInBucket(memoryBucket(objects), options)
  shared.set(store, objects)
  return store
}

/** A store in a bucket in memory. */
export function memoryObjectSubject(options: ObjectStoreSettings = {}): StoreSubject {
  return {
    create: () => openInMemory(new MemoryObjects(), options),
    reopen: store => openInMemory(objectsOf(store), options),
    reopenReadOnly: store => openInMemory(objectsOf(store), { ...options, readOnly: true }),
    async damage(store, digest, how) {
      const key = `blobs/${digest.replace(':', '/')}`
      const { objects } = objectsOf(store)
      objectsOf(store).write(key, damageBytes(objects.get(key)?.bytes ?? Buffer.alloc(0), how))
    },
  }
}
