import { chmodSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { runningServer } from '../helpers/running-server.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const place = temporaryDirectory('verified-once')
afterAll(() => place[Symbol.dispose]())

test('a blob that was sent is verified again after its file has changed, even if size and time are the same', async () => {
  await using registry = await runningServer({}, await openStore(place.path))
  const { digest } = await registry.store.put(Buffer.alloc(200_000, 'a'))
  const file = join(place.path, 'blobs/sha256', digest.slice('sha256:'.length))
  const setTimes = () => utimesSync(file, 1_000_000_000, 1_000_000_000)
  setTimes()
  const get = async () => {
    const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`).catch(() => undefined)
    return answer?.status === 200 && answer.complete
  }
  expect([await get(), await get()]).toEqual([true, true])

  chmodSync(file, 0o644)
  writeFileSync(file, Buffer.alloc(200_000, 'b'))
  setTimes()
  expect(await get()).toBe(false)
})

test.each([
  [undefined, 'once-per-process'],
  ['always', 'always'],
] as const)('with the option verify %s the store is asked to verify %s', async (verify, asked) => {
  const store = createMemoryStore()
  await using registry = await runningServer({ verify }, store)
  const { digest } = await store.put(Buffer.from('some'))
  const given: Parameters<Store['read']>[1][] = []
  const read = store.read.bind(store)
  store.read = (...args) => {
    given.push(args[1])
    return read(...args)
  }
  await registry.ask('GET', `/v2/app/blobs/${digest}`)
  expect(given).toEqual([expect.objectContaining({ verify: asked })])
})
