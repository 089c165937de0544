import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../lib/digest/index.ts'
import { type OpenStoreOptions, openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, readOnlyStore, type Store, tieredStore, verifyingStore } from '../../lib/store/index.ts'
import type { StoreSubject } from '../../lib/testing/index.ts'
import { type Damage, damageBytes } from './damage-bytes.ts'
import { memoryDirectory } from './memory-directory.ts'
import { openFilesBelow } from './open-handles.ts'

const directories = new WeakMap<Store, string>()

/** The directory in which a store of one of these subjects keeps its blobs. */
export const directoryOf = (store: Store) => directories.get(store) as string

/** Path of a blob. */
export function blobPath(directory: string, digest: Digest): string {
  return join(directory, 'blobs', ...digest.split(':'))
}

/** Changes the bytes of a blob in a directory. */
export function damageBlob(directory: string, digest: Digest, how: Damage): void {
  const path = blobPath(directory, digest)
  const bytes = readFileSync(path)
  chmodSync(path, 0o644)
  writeFileSync(path, damageBytes(bytes, how))
}

/** A disk store in its own directory, in a wrapper. */
export function diskSubject(
  options: OpenStoreOptions,
  wrap: (store: Store) => Store = store => store,
): StoreSubject & Required<Pick<StoreSubject, 'reopen' | 'destroy' | 'damage'>> {
  const open = async (path: string, more: OpenStoreOptions = {}) => {
    const store = wrap(await openStore(path, { ...options, ...more }))
    directories.set(store, path)
    return store
  }
  return {
    create: () => open(memoryDirectory('conformance').path),
    destroy: async store => rmSync(directoryOf(store), { recursive: true, force: true }),
    reopen: store => open(directoryOf(store)),
    reopenReadOnly: store => open(directoryOf(store), { readOnly: true }),
    damage: async (store, digest, how) => damageBlob(directoryOf(store), digest, how),
    openHandles: store => openFilesBelow(directoryOf(store)).length,
  }
}

/** Every driver and every wrapper. */
export function storeSubjects(): Record<string, StoreSubject> {
  const native = diskSubject({ hasher: 'native', verify: 'once-per-process' })
  // blake3 exists in the WASM hasher only.
  native.without = { 'the store keeps sha512 and blake3 blobs beside sha256 blobs': 'node:crypto has no blake3' }
  const unchecked = diskSubject({ durability: 'none', verify: 'never' })
  const fronted = diskSubject({}, store => tieredStore(createMemoryStore(), store))
  fronted.without = {
    'read verifies a blob again that has changed since the last read':
      'the copy in memory is right, whatever becomes of the file',
  }
  return {
    'a memory store': { create: async () => createMemoryStore() },
    'a disk store': diskSubject({}),
    'a disk store with the native hasher, checking once': native,
    'a disk store without durability or checks': unchecked,
    'a read-only view of a disk store': readOnlySubject(),
    'a verifying view of a disk store that does not verify': diskSubject({ verify: 'never' }, store =>
      verifyingStore(store),
    ),
    'a verifying view of a memory store': {
      create: async () => verifyingStore(createMemoryStore({ verify: 'never' })),
    },
    'memory in front of a disk store': fronted,
    'a disk store in front of memory': tieredSubject(),
    'memory in front of memory, not filled': {
      create: async () => tieredStore(createMemoryStore(), createMemoryStore(), { fill: false }),
    },
  }
}

function readOnlySubject(): StoreSubject {
  const inner = new WeakMap<Store, Store>()
  const subject = diskSubject({}, store => {
    const view = readOnlyStore(store)
    inner.set(view, store)
    return view
  })
  return { ...subject, writable: async store => inner.get(store) as Store }
}

/** Damages the copies in the fast store: readers must not get damaged copies either. */
function tieredSubject(): StoreSubject {
  const fast = diskSubject({ durability: 'none' }, store => tieredStore(store, createMemoryStore()))
  return { create: fast.create, destroy: fast.destroy, openHandles: store => openFilesBelow(directoryOf(store)).length }
}
