import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { acquireLock, isLocked, type Lock, tryLock, withLock } from '../../lib/store/disk/lock.ts'
import { createOwner, isGone, type Owner, parseOwner } from '../../lib/store/disk/owner.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let path: string
const MINUTE = 60_000

beforeEach(() => {
  directory = temporaryDirectory('lock')
  path = join(directory.path, 'lock')
})
afterEach(() => {
  vi.useRealTimers()
  directory[Symbol.dispose]()
})

async function plant(members: Partial<Owner>, ageMs = 0): Promise<void> {
  writeFileSync(path, JSON.stringify({ ...(await createOwner()), ...members }))
  const then = new Date(Date.now() - ageMs)
  utimesSync(path, then, then)
}

describe('a lock', () => {
  test('is held by one at a time, in turn', async () => {
    let inside = 0
    let most = 0
    const act = () =>
      withLock(path, async () => {
        most = Math.max(most, ++inside)
        await new Promise(resolve => setTimeout(resolve, 1))
        inside--
      })
    await Promise.all(Array.from({ length: 20 }, act))
    expect(most).toBe(1)
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('names its holder, and says who it is', async () => {
    const lock = await acquireLock(path)
    expect(parseOwner(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() })
    expect(await tryLock(path)).toEqual({ holder: expect.stringContaining(`process ${process.pid} on ${hostname()}`) })
    const holders: string[] = []
    const waiting = acquireLock(path, { onWait: holder => holders.push(holder) })
    await expect.poll(() => holders).toHaveLength(1)
    await lock.release()
    await (await waiting).release()
    expect(holders[0]).toContain(String(process.pid))
  })

  test('is released when the act fails', async () => {
    const error = await thrownBy(() => withLock(path, () => Promise.reject(new Error('act'))))
    expect(error.message).toBe('act')
    expect(existsSync(path)).toBe(false)
  })

  test('is waited for until the signal fires', async () => {
    const lock = await acquireLock(path)
    const reason = new Error('enough')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 30)
    expect(await thrownBy(() => acquireLock(path, { signal: controller.signal }))).toBe(reason)
    expect(await thrownBy(() => acquireLock(path, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    await lock.release()
    await lock.release()
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('that was taken over is noticed, and not removed by the one who lost it', async () => {
    const lock = await acquireLock(path)
    expect(await lock.isHeld()).toBe(true)
    const { renameSync } = await import('node:fs')
    writeFileSync(`${path}.other`, 'somebody else')
    renameSync(`${path}.other`, path)
    expect((await thrownBy(() => lock.assertHeld())).code).toBe('ERR_STORE_LOCKED')
    await lock.release()
    expect(readFileSync(path, 'utf8')).toBe('somebody else')
  })

  test('that was removed is noticed', async () => {
    const lock = await acquireLock(path)
    const { rmSync } = await import('node:fs')
    rmSync(path)
    expect((await thrownBy(() => lock.assertHeld())).code).toBe('ERR_STORE_LOCKED')
    await lock.release()
  })

  test('in a directory that is not there fails at once', async () => {
    expect((await thrownBy(() => acquireLock(join(directory.path, 'no', 'lock')))).code).toBe('ENOENT')
  })

  test('is refreshed every ten seconds by the clock of the file system', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const lock = await acquireLock(path)
    const then = new Date(Date.now() - 10 * MINUTE)
    const { statSync } = await import('node:fs')
    utimesSync(path, then, then)
    await vi.advanceTimersByTimeAsync(10_000)
    await expect.poll(() => Date.now() - statSync(path).mtimeMs).toBeLessThan(MINUTE)
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
  })

  test.each(['replaced', 'removed'])(
    'notices by its heartbeat that it was %s, and leaves the other alone',
    async how => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const lock = await acquireLock(path)
      const { rmSync } = await import('node:fs')
      rmSync(path)
      if (how === 'replaced') writeFileSync(path, 'somebody else')
      await vi.advanceTimersByTimeAsync(10_000)
      await new Promise(resolve => setTimeout(resolve, 50))
      expect(await lock.isHeld()).toBe(false)
      await lock.release()
      expect(existsSync(path)).toBe(how === 'replaced')
    },
  )
})

describe('a lock of a dead holder', () => {
  test('is taken over at once, whoever of many comes first', async () => {
    await plant({ pid: 2 ** 22 + 5, start: '1' })
    let inside = 0
    let most = 0
    const act = () =>
      withLock(path, async () => {
        most = Math.max(most, ++inside)
        await new Promise(resolve => setTimeout(resolve, 1))
        inside--
      })
    await Promise.all(Array.from({ length: 20 }, act))
    expect(most).toBe(1)
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('is taken over also when another died while taking it over', async () => {
    await plant({ pid: 2 ** 22 + 5, start: '1' })
    writeFileSync(`${path}.steal`, readFileSync(path))
    await (await acquireLock(path)).release()
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('is not taken over while somebody else is doing so', async () => {
    await plant({ pid: 2 ** 22 + 5, start: '1' })
    const guard = await acquireLock(`${path}.steal`)
    expect(await tryLock(path)).toHaveProperty('holder')
    await guard.release()
    expect(await tryLock(path)).toHaveProperty('release')
  })

  test('a killed process is dead, also as a zombie that nobody has waited for', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'])
    await once(child, 'spawn')
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!
    const owner = { ...(await createOwner()), pid: child.pid!, start }
    expect(await isGone(owner, 60 * MINUTE)).toBe(false)
    child.kill('SIGKILL')
    await expect.poll(async () => await isGone(owner, 0)).toBe(true)
  })
})

describe('ST-16: whether a holder is gone', () => {
  const cases: [what: string, members: Partial<Owner>, ageMs: number, gone: boolean][] = [
    ['this process, however long silent', {}, 24 * 60 * MINUTE, false],
    ['an earlier process with this pid', { start: '1' }, 0, true],
    ['this pid before the machine was started anew', { boot: 'other' }, 0, true],
    ['another machine that was heard lately', { host: 'other', pid: 1 }, 4 * MINUTE, false],
    ['another machine that was silent for long', { host: 'other', pid: 1 }, 6 * MINUTE, true],
    ['a machine whose clock is ahead', { host: 'other', pid: 1 }, -365 * 24 * 60 * MINUTE, false],
    ['another container on this machine', { namespace: 'pid:[1]', pid: 2 ** 22 + 5 }, 0, false],
    ['a living process without a known start', { start: '' }, 0, false],
    ['a living process without a known start, long silent', { start: '' }, 6 * MINUTE, true],
    ['a dead process without a known start', { start: '', pid: 2 ** 22 + 5 }, 0, true],
  ]
  test.each(cases)('%s', async (_, members, ageMs, gone) => {
    expect(await isGone({ ...(await createOwner()), ...members }, ageMs)).toBe(gone)
  })

  test('a record that cannot be read is given a minute', async () => {
    expect(await isGone(undefined, 59_000)).toBe(false)
    expect(await isGone(undefined, 61_000)).toBe(true)
    for (const text of ['', '{', 'null', '{}', '{"pid":0}', '{"pid":1,"start":2}']) {
      expect(parseOwner(text)).toBeUndefined()
    }
    writeFileSync(path, '{')
    expect(await tryLock(path)).toEqual({ holder: 'another process' })
    const then = new Date(Date.now() - 2 * MINUTE)
    utimesSync(path, then, then)
    expect(await tryLock(path)).toHaveProperty('release')
  })

  test.each([
    ['of no length', ''],
    ['of zeros', '\0'.repeat(200)],
  ])('a file %s is what a power cut leaves of a lock, and is given seconds', async (_, text) => {
    writeFileSync(path, text)
    expect(await isLocked(path)).toBe(true)
    expect(await tryLock(path)).toEqual({ holder: 'another process' })
    const then = new Date(Date.now() - 6000)
    utimesSync(path, then, then)
    expect(await isLocked(path)).toBe(false)
    const lock = await tryLock(path)
    expect(await (lock as Lock).isHeld()).toBe(true)
    await (lock as Lock).release()
  })
})
