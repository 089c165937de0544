import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, readOnlyStore, type Store, tieredStore, verifyingStore } from '../../lib/store/index.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

async function inEach(act: (store: Store) => Promise<void>): Promise<void> {
  using directory = temporaryDirectory('stat-ingest')
  for (const open of [async () => createMemoryStore(), () => openStore(directory.path)]) {
    await using store = await open()
    await act(store)
  }
}

describe('statIngest', () => {
  test('reports the offset and whether a writer is open, through wrappers too, and changes nothing', () =>
    inEach(async store => {
      expect(await store.statIngest!('key')).toBeUndefined()
      const writer = await store.ingest('key')
      expect(await store.statIngest!('key')).toEqual({ offset: 0, busy: true })
      await writer.write(Buffer.alloc(1000, 1))
      await writer[Symbol.asyncDispose]()
      for (const view of [
        store,
        readOnlyStore(store),
        tieredStore(createMemoryStore(), store),
        verifyingStore(store),
      ]) {
        expect(await view.statIngest!('key')).toEqual({ offset: 1000, busy: false })
        expect(await view.statIngest!('key', { algorithm: 'sha512' })).toBeUndefined()
      }
      const again = await store.ingest('key')
      expect(again.offset).toBe(1000)
      await again.commit()
      expect(await store.statIngest!('key')).toBeUndefined()
    }))
})

describe('names', () => {
  test('can be stored verbatim, if they have the form of names in layouts', () =>
    inEach(async store => {
      const { manifest } = await putStoreImage(store)
      expect(await store.references.set('1.0', manifest, { verbatim: true })).toBe('1.0')
      expect(await store.references.set('1.0', manifest)).toBe('1.0:latest')
      expect((await store.references.get('1.0'))?.digest).toBe(manifest.digest)
      for (const name of ['', 'a b', '-a', 'a..', `a${'b'.repeat(600)}`, 'a\n']) {
        await expect(store.references.set(name, manifest, { verbatim: true })).rejects.toMatchObject({
          code: 'ERR_INVALID_REFERENCE',
        })
      }
    }))
})

test('the address of an upload is readable by its owner only; other facts by every user who can read the store', async () => {
  using directory = temporaryDirectory('secret-facts')
  await using store = await openStore(directory.path)
  await store.derived.set('facts', 'upload:x', Buffer.from('https://registry/?signature'))
  await store.derived.set('facts', 'layer:x', Buffer.from('{}'))
  const facts = join(directory.path, '.layerstore/facts')
  const modes = readdirSync(facts).map(name => [name.slice(0, 5), statSync(join(facts, name)).mode & 0o077])
  expect(Object.fromEntries(modes)).toMatchObject({ uploa: 0 })
  expect(Object.fromEntries(modes).layer).not.toBe(0)
})
