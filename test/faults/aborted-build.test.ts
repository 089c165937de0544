import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type BuildProgress, from, type ScriptedStage } from '../../lib/build/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { StoreError } from '../../lib/errors/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { buildFiles, outcomesOf } from '../helpers/build-files.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const files = { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' }
const stage = from('scratch').copy('a.txt', '/').copy('b.txt', '/').copy('c.txt', '/')

async function namesOf(store: Store): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of store.references.list()) names.push(name)
  return names
}

/** A store with some members replaced. */
function storeWith(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(name in members ? members : target, name)
      return typeof value === 'function' && !(name in members) ? value.bind(target) : value
    },
  })
}

test('an aborted build rejects with the reason, sets no name, and what was finished stays cached', async () => {
  using place = temporaryDirectory('aborted')
  await using store = await openStore(join(place.path, 'store'), { durability: 'none' })
  const stop = new AbortController()
  const reason = new Error('enough')
  const options = {
    names: ['app:1'],
    signal: stop.signal,
    onProgress: (event: BuildProgress) => {
      if (event.kind === 'step-bytes' && event.title === 'COPY b.txt /') stop.abort(reason)
    },
  }
  expect(await thrownBy(() => buildFiles(store, stage, files, options))).toBe(reason)
  expect(await namesOf(store)).toEqual([])
  expect(outcomesOf(await buildFiles(store, stage, files))).toEqual([
    'cached COPY a.txt /',
    'made COPY b.txt /',
    'made COPY c.txt /',
  ])
})

test('a full disk fails the step with its place, sets no name, and what was finished stays cached', async () => {
  await using store = createMemoryStore()
  let left = 3
  const full = storeWith(store, {
    put: async (...args) => {
      if (--left < 0) throw new StoreError('ERR_STORE_IO', 'no space left on the disk', { errno: 'ENOSPC' })
      return store.put(...args)
    },
  })
  const error = await thrownBy(() => buildFiles(full, stage, files, { names: ['app:1'] }))
  expect(error).toMatchObject({
    code: 'ERR_BUILD_STEP',
    step: 'COPY b.txt /',
    message: expect.stringMatching(/step 3\/4 .*no space left on the disk.*ERR_STORE_IO/),
    cause: { code: 'ERR_STORE_IO' },
  })
  expect(await namesOf(store)).toEqual([])
  expect(outcomesOf(await buildFiles(store, stage, files))[0]).toBe('cached COPY a.txt /')
})

test('the failure of one stage stops the others, and is the one that is reported', async () => {
  await using store = createMemoryStore()
  const broken = (name: string): ScriptedStage => from('scratch').as(name).copy('a.txt', '/').workdir('/a.txt/x')
  const good = from('scratch').as('good').copy('b.txt', '/')
  const all = from('scratch')
    .as('all')
    .copy({ from: good, to: '/' })
    .copy({ from: broken('bad'), to: '/' })
  const error = await thrownBy(() => buildFiles(store, all, files, { names: ['app:1'] }))
  expect(error).toMatchObject({ code: 'ERR_BUILD_COPY_CONFLICT', step: 'WORKDIR /a.txt/x' })
  expect(await namesOf(store)).toEqual([])
})

test('records that cannot be written make a build slower and nothing else', async () => {
  await using store = createMemoryStore()
  const { derived } = store
  const deaf = storeWith(store, {
    derived: {
      get: (...args) => derived.get(...args),
      list: (...args) => derived.list(...args),
      delete: (...args) => derived.delete(...args),
      set: async (kind, ...args) => {
        if (kind !== 'indexes') throw new StoreError('ERR_STORE_IO', 'no space left on the disk')
        return derived.set(kind, ...args)
      },
    },
  })
  const plain = from('scratch').copy('a.txt', '/')
  expect(outcomesOf(await buildFiles(deaf, plain, files))).toEqual(['made COPY a.txt /'])
  expect(outcomesOf(await buildFiles(deaf, plain, files))).toEqual(['made COPY a.txt /'])
})
