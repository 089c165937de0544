import { rmSync } from 'node:fs'
import { describe, test } from 'vitest'
import { createMemoryStore, openStore, type Store } from '../../lib/store/index.ts'
import { blobStoreConformance, type StoreSubject } from '../../lib/testing/index.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const directories = new WeakMap<Store, string>()
const pathOf = (store: Store) => directories.get(store) as string

const disk = (options: Parameters<typeof openStore>[1]): StoreSubject => ({
  async create() {
    const { path } = temporaryDirectory('conformance')
    const store = await openStore(path, options)
    directories.set(store, path)
    return store
  },
  destroy: async store => rmSync(pathOf(store), { recursive: true, force: true }),
  reopen: store => openStore(pathOf(store), options),
  reopenReadOnly: store => openStore(pathOf(store), { ...options, readOnly: true }),
  openHandles: store => openFilesBelow(pathOf(store)).length,
})

const subjects: Record<string, StoreSubject> = {
  'a memory store': { create: async () => createMemoryStore() },
  'a disk store': disk({}),
  'a disk store with the native hasher, checking once': disk({ hasher: 'native', verify: 'once-per-process' }),
  'a disk store without durability or checks': disk({ durability: 'none', verify: 'never' }),
}
// blake3 exists in the WASM hasher only.
const blake3 = 'sha512 and blake3 digests are kept beside sha256'
subjects['a disk store with the native hasher, checking once']!.without = { [blake3]: 'node:crypto has no blake3' }

for (const [name, subject] of Object.entries(subjects)) {
  describe(name, () => {
    for (const one of blobStoreConformance(subject)) {
      test(one.skip ? `${one.name} (skipped: ${one.skip})` : one.name, context => {
        if (one.skip) return context.skip(one.skip)
        return one.run()
      })
    }
  })
}

test('a case that is switched off must exist', ({ expect }) => {
  const subject = { create: async () => createMemoryStore(), without: { 'no such case': 'why not' } }
  expect(() => blobStoreConformance(subject)).toThrow('no such case')
})
