import { expect, test } from 'vitest'
import { createMemoryStore, findDocument } from '../../lib/store/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const mediaType = 'a/b'

test('findDocument resolves to the bytes, and to undefined for a missing blob', async () => {
  const store = createMemoryStore()
  const { digest, size } = await store.put(Buffer.from('{}'))
  expect(await findDocument(store, { mediaType, digest, size })).toEqual(Buffer.from('{}'))
  await store.delete(digest)
  expect(await findDocument(store, { mediaType, digest, size })).toBeUndefined()
})

test('only a missing blob gives undefined: a wrong size, too many bytes and a closed store are errors', async () => {
  const store = createMemoryStore()
  const { digest, size } = await store.put(Buffer.from('{}'))
  const find = (options = {}, bytes = size) => findDocument(store, { mediaType, digest, size: bytes }, options)
  expect((await thrownBy(() => find({}, 3))).code).toBe('ERR_SIZE_MISMATCH')
  expect((await thrownBy(() => find({ limit: 1 }))).code).toBe('ERR_LIMIT_EXCEEDED')
  await store.close()
  expect((await thrownBy(() => find())).code).toBe('ERR_STORE_CLOSED')
})
