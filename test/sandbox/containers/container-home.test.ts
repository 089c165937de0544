import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ContainerHome } from '../../../lib/sandbox/containers/home/container-home.ts'
import type { ContainerRecord } from '../../../lib/sandbox/containers/home/container-record.ts'
import { stopContainer } from '../../../lib/sandbox/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let home: ContainerHome
beforeEach(() => {
  directory = temporaryDirectory('home')
  store = createMemoryStore()
  // No container runs here.
  home = new ContainerHome(store, { directory: directory.path, sandbox: {} as never })
  Object.assign(home, { snapshots: {} })
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

function recordOf(id: string, keep: boolean): ContainerRecord {
  const image = { mediaType: 'a/b', digest: `sha256:${'0'.repeat(64)}`, size: 1 } as const
  const process = { args: [], environment: [], mounts: [], workdir: '/', user: '', stopSignal: 'SIGTERM' }
  const rest = { image, name: 'n', created: '2026-11-30T00:00:00Z', config: {}, state: 'created' }
  return { version: 1, id, keep, process, ...rest } as never
}

/** A container that is not kept, whose process was killed. */
async function makeLeft(id: string): Promise<void> {
  await (await home.create(recordOf(id, false))).release()
}

test('a removal is not stopped by files that another process puts into the directory meanwhile', async () => {
  await makeLeft('one')
  mkdirSync(join(directory.path, 'one/stack'))
  for (let i = 0; i < 200; i++) writeFileSync(join(directory.path, `one/stack/${i}`), '')
  let isOver = false
  // A sweep that tries the lock without end.
  const sweeping = (async () => {
    while (!isOver) await home.claim('one').catch(() => undefined)
  })()
  const removed = await home.remove('one').then(
    () => 'removed',
    error => error,
  )
  isOver = true
  await sweeping
  expect(removed).toBe('removed')
  expect(readdirSync(directory.path)).toEqual([])
})

test('a sweep keeps a container that replaces one of the same id meanwhile', async () => {
  await makeLeft('one')
  home.isRunning = async () => {
    renameSync(join(directory.path, 'one'), join(directory.path, 'aside'))
    await (await home.create(recordOf('one', true))).release()
    return false
  }
  await home.sweep()
  expect(await home.read('one')).toMatchObject({ keep: true })
})

test('a sweep removes what a killed removal has left', async () => {
  const left = join(directory.path, '.one-12.gone')
  mkdirSync(join(left, 'stack'), { recursive: true })
  await home.sweep()
  expect(existsSync(left)).toBe(false)
})

test('a container that goes with its process between two looks at it counts as stopped', async () => {
  const lock = await home.create(recordOf('one', false))
  const goes = vi.spyOn(ContainerHome.prototype, 'isRunning').mockImplementationOnce(async () => {
    renameSync(join(directory.path, 'one'), join(directory.path, '.gone'))
    return true
  })
  await stopContainer(store, 'one', { directory: directory.path, sandbox: {} as never })
  expect(goes).toHaveBeenCalled()
  goes.mockRestore()
  renameSync(join(directory.path, '.gone'), join(directory.path, 'one'))
  await lock.release()
})
