import { afterEach, expect, test, vi } from 'vitest'
import { DirectorySync } from '../../lib/disk-store/directory-sync.ts'
import { syncDirectory } from '../../lib/internal/atomic-file.ts'

vi.mock('../../lib/internal/atomic-file.ts')
const synced = vi.mocked(syncDirectory)
afterEach(() => synced.mockReset())

/** Makes each sync wait until the test ends it. */
function heldSyncs(): ((error?: Error) => void)[] {
  const ends: ((error?: Error) => void)[] = []
  synced.mockImplementation(
    () => new Promise((resolve, reject) => ends.push(error => (error ? reject(error) : resolve(undefined)))),
  )
  return ends
}
const turn = () => new Promise(resolve => setImmediate(resolve))

test('all calls during a running sync share one sync that starts afterwards', async () => {
  const ends = heldSyncs()
  const syncs = new DirectorySync(true)
  const answered: string[] = []
  const ask = (who: string) => syncs.sync('/d').then(() => answered.push(who))
  void ask('first')
  void ask('second')
  void ask('third')
  await turn()
  expect(synced).toHaveBeenCalledTimes(1)
  ends[0]!()
  await turn()
  expect(answered).toEqual(['first'])
  expect(synced).toHaveBeenCalledTimes(2)
  void ask('fourth')
  ends[1]!()
  await turn()
  expect(answered).toEqual(['first', 'second', 'third'])
  ends[2]!()
  await turn()
  expect(answered).toEqual(['first', 'second', 'third', 'fourth'])
  void ask('fifth')
  expect(synced).toHaveBeenCalledTimes(4)
  ends[3]!()
})

test('two directories do not wait for each other', async () => {
  heldSyncs()
  const syncs = new DirectorySync(true)
  void syncs.sync('/a')
  void syncs.sync('/b')
  expect(synced).toHaveBeenCalledTimes(2)
})

test('a failed sync rejects its own callers, and no later caller', async () => {
  const ends = heldSyncs()
  const syncs = new DirectorySync(true)
  const fault = new Error('EIO')
  const first = syncs.sync('/d').catch(error => error)
  const second = syncs.sync('/d')
  ends[0]!(fault)
  expect(await first).toBe(fault)
  await turn()
  ends[1]!()
  await second
})

test('without durability nothing is synced', async () => {
  await new DirectorySync(false).sync('/d')
  expect(synced).not.toHaveBeenCalled()
})
