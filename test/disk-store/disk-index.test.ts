import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
const NAME = 'org.opencontainers.image.ref.name'
const readIndex = () => JSON.parse(readFileSync(join(directory.path, 'index.json'), 'utf8'))
const writeIndex = (value: unknown) => writeFileSync(join(directory.path, 'index.json'), JSON.stringify(value))

beforeEach(async () => {
  directory = temporaryDirectory('index')
  store = await openStore(directory.path)
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

test('fields and entries of other tools survive every change', async () => {
  const { manifest } = await putStoreImage(store)
  const foreign = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    'x-vendor': { nested: [1, null, 'ä'] },
    manifests: [
      { ...manifest, 'x-unknown': { kept: true } },
      { mediaType: 'application/vnd.x', digest: 'sha384:unknown', size: -1 },
      { ...manifest, annotations: { [NAME]: 'other tool’s name' }, 'x-unknown': 7 },
      { ...manifest, annotations: { [NAME]: 5 } },
      { ...manifest, annotations: null },
    ],
    annotations: { 'com.example': 'kept' },
  }
  writeIndex(foreign)
  await store.references.set('app:1', manifest)
  const entry = { ...manifest, annotations: { [NAME]: 'app:1' } }
  expect(readIndex()).toEqual({ ...foreign, manifests: [...foreign.manifests, entry] })
  await store.references.delete('app:1')
  expect(readIndex()).toEqual(foreign)
})

test('a name of another tool is found and removed as written', async () => {
  const { manifest } = await putStoreImage(store)
  writeIndex({
    schemaVersion: 2,
    manifests: [{ ...manifest, annotations: { [NAME]: 'Not A Reference!', other: 'x' } }],
  })
  expect(await store.references.get('Not A Reference!')).toEqual({ ...manifest, annotations: { other: 'x' } })
  expect(await store.references.delete('Not A Reference!')).toBe(true)
  expect(readIndex().manifests).toEqual([])
})

test('a name of another tool that is also a short spelling is found first, and is replaced by a set', async () => {
  const { manifest: theirs } = await putStoreImage(store, 'theirs')
  const { manifest: ours } = await putStoreImage(store, 'ours')
  writeIndex({ schemaVersion: 2, manifests: [{ ...theirs, annotations: { [NAME]: 'stable' } }] })
  expect(await store.references.get('stable')).toEqual(theirs)
  await store.references.set('stable', ours)
  expect(await store.references.get('stable')).toEqual(ours)
  expect(readIndex().manifests).toHaveLength(1)
})

test('the first of several entries with one name counts, and setting the name leaves one', async () => {
  const { manifest: first } = await putStoreImage(store, 'first')
  const { manifest: second } = await putStoreImage(store, 'second')
  const named = { annotations: { [NAME]: 'app:1' } }
  writeIndex({ schemaVersion: 2, manifests: [{ ...first, ...named }, { ...second, ...named }, second] })
  expect(await store.references.get('app:1')).toEqual(first)
  await store.references.set('app:1', second)
  expect(readIndex().manifests).toEqual([{ ...second, ...named }, second])
})

test('a named entry that is no descriptor is an error of the index, not a missing name', async () => {
  writeIndex({ schemaVersion: 2, manifests: [{ digest: 'sha256:x', annotations: { [NAME]: 'app:1' } }] })
  for (const act of [
    () => store.references.get('app:1'),
    async () => {
      for await (const _ of store.references.list());
    },
  ]) {
    const error = await thrownBy(act)
    expect(error.code).toBe('ERR_STORE_FORMAT')
    expect(error.message).toContain('index.json')
  }
})

test('a write of another tool between the read and the write of the index is not lost', async () => {
  const { manifest } = await putStoreImage(store)
  const theirs = { ...manifest, annotations: { [NAME]: 'theirs' } }
  const setting = Promise.all(Array.from({ length: 50 }, (_, i) => store.references.set(`ours:${i}`, manifest)))
  writeIndex({ schemaVersion: 2, manifests: [theirs] })
  await setting
  const names = readIndex().manifests.map((entry: { annotations: Record<string, string> }) => entry.annotations[NAME])
  expect(names).toContain('theirs')
  expect(names).toHaveLength(51)
})

test('deleting a missing name does not write the index', async () => {
  const before = readFileSync(join(directory.path, 'index.json'))
  writeFileSync(join(directory.path, 'index.json'), `${before} `)
  expect(await store.references.delete('app:1')).toBe(false)
  expect(readFileSync(join(directory.path, 'index.json'), 'utf8')).toBe(`${before} `)
})

test('a key named __proto__ is carried like any other', async () => {
  const { manifest } = await putStoreImage(store)
  writeFileSync(join(directory.path, 'index.json'), '{"schemaVersion":2,"__proto__":{"a":1},"manifests":[]}')
  await store.references.set('app:1', manifest)
  expect(readFileSync(join(directory.path, 'index.json'), 'utf8')).toContain('"__proto__":{"a":1}')
})

test('a named entry that is no descriptor hides none of the other names', async () => {
  const named = (name: string, entry: object) => ({ ...entry, annotations: { [NAME]: name } })
  const { manifest } = await putStoreImage(store)
  writeIndex({
    schemaVersion: 2,
    manifests: [named('a:1', manifest), named('b:1', { digest: 'sha256:x' }), named('c:1', manifest)],
  })
  const seen: string[] = []
  const list = async () => {
    for await (const { name } of store.references.list()) seen.push(name)
  }
  expect(await thrownBy(list)).toMatchObject({ code: 'ERR_STORE_FORMAT', message: expect.stringContaining('[1]') })
  expect(seen).toEqual(['a:1', 'c:1'])
})
