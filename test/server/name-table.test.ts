import { expect, test, vi } from 'vitest'
import { nameTableOf } from '../../lib/server/lists/name-table.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { runningServer } from '../helpers/running-server.ts'
import { putStoreImage } from '../helpers/store-image.ts'

const { signal } = new AbortController()

/** Store with the given names; counts how many of them are read. */
function storeNaming(names: readonly string[]): {
  store: Store
  looked: () => number
  rename(to: readonly string[]): void
} {
  let looked = 0
  const watch = (list: readonly string[]) =>
    new Proxy(list, {
      get(target, key, receiver) {
        if (/^\d+$/.test(String(key))) looked++
        return Reflect.get(target, key, receiver)
      },
    })
  const store = createMemoryStore()
  let now = watch(names)
  store.references.names = async () => now
  return {
    store,
    looked: () => looked,
    rename(to) {
      now = watch(to)
    },
  }
}

test('a look-up of a tag, existing or not, reads no other name', async () => {
  const names = Array.from({ length: 5000 }, (_, i) => `r${i % 10}/app:${i}`).sort()
  const { store, looked } = storeNaming(names)
  const list = vi.spyOn(store.references, 'list')
  await using registry = await runningServer({}, store)
  const ask = async (path: string) => (await registry.ask('GET', path)).status
  expect(await ask('/v2/r1/app/manifests/nope')).toBe(404)
  const once = looked()
  expect(once).toBeGreaterThanOrEqual(5000)
  const { image } = await tagged(store)
  for (const method of ['GET', 'HEAD'])
    expect((await registry.ask(method, '/v2/r1/app/manifests/nope')).status).toBe(404)
  expect(await ask('/v2/none/manifests/nope')).toBe(404)
  expect((await registry.ask('DELETE', '/v2/r1/app/manifests/nope')).status).toBe(404)
  expect(await ask(`/v2/there/manifests/${image}`)).toBe(200)
  expect(await ask('/v2/there/manifests/1')).toBe(200)
  for (const path of ['/v2/r1/app/tags/list?n=5', '/v2/r1/app/tags/list?n=5&last=1001', '/v2/_catalog']) {
    expect(await ask(path)).toBe(200)
  }
  expect(looked()).toBe(once)
  expect(list).not.toHaveBeenCalled()
})

async function tagged(store: Store): Promise<{ image: string }> {
  const { manifest } = await putStoreImage(store)
  await store.references.set('there:1', manifest)
  return { image: manifest.digest }
}

test('only added and removed names are parsed again', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `app:${i}`).sort()
  const { store, rename } = storeNaming(names)
  const table = nameTableOf(store)
  expect(await table.tags('app', signal)).toHaveLength(1000)
  const before = await table.tags('app', signal)
  expect(await table.tags('app', signal)).toBe(before)
  rename([...names, 'other:1'])
  expect(await table.catalog(undefined, signal)).toEqual(['app', 'other'])
  // The tags of another repository are not sorted again.
  expect(await table.tags('app', signal)).toBe(before)
})

test('a driver that cannot detect changes is asked for all names', async () => {
  const store = createMemoryStore()
  await store.references.set('app:1', (await putStoreImage(store)).manifest)
  store.references.names = undefined as never
  const table = nameTableOf(store)
  expect(await table.tags('app', signal)).toEqual(['1'])
  await store.references.delete('app:1')
  expect(await table.tags('app', signal)).toEqual([])
})

const repository = fc.constantFrom('app', 'docker.io/library/app', 'library/app', 'ghcr.io/o/app', '127.0.0.1:5000/x')
const name = fc.oneof(
  fc.tuple(repository, fc.constantFrom('', ':1', ':2', ':latest')).map(parts => parts.join('')),
  fc.constantFrom('Not A Reference!', 'sha256:1', `app@sha256:${'a'.repeat(64)}`),
)

test('after any changes the table equals one built anew', async () => {
  const lists = fc.array(fc.uniqueArray(name, { maxLength: 12 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(lists, async all => {
      const { store, rename } = storeNaming([])
      const table = nameTableOf(store)
      for (const names of all) {
        rename([...names].sort())
        const fresh = nameTableOf(storeNaming([...names].sort()).store)
        for (const repository of ['app', 'ghcr.io/o/app', '127.0.0.1:5000/x', 'none']) {
          expect(await table.tags(repository, signal)).toEqual(await fresh.tags(repository, signal))
          for (const tag of ['1', '2', 'latest']) {
            expect(await table.namesOf(repository, tag, signal)).toEqual(await fresh.namesOf(repository, tag, signal))
          }
        }
        for (const only of [undefined, 'docker.io', 'ghcr.io']) {
          expect(await table.catalog(only, signal)).toEqual(await fresh.catalog(only, signal))
        }
      }
    }),
    { numRuns: cases(100) },
  )
})
