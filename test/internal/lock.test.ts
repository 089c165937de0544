import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { acquireLock, isLocked, type Lock, tryLock, withLock } from '../../lib/internal/locks/lock.ts'
import { createOwner, isGone, type Owner, parseOwner } from '../../lib/internal/locks/owner.ts'
import type { StoreEvent } from '../../lib/store/index.ts'
import { beforeThisBoot } from '../helpers/before-this-boot.ts'
import { settle } from '../helpers/settle.ts'
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

/** Acquires the lock twenty times at once; resolves to the largest number of concurrent holders. */
async function mostHolders(): Promise<number> {
  let [now, most] = [0, 0]
  const act = () =>
    withLock(path, async () => {
      most = Math.max(most, ++now)
      await settle(1)
      now--
    })
  await Promise.all(Array.from({ length: 20 }, act))
  return most
}

describe('a lock', () => {
  test('has one holder at a time', async () => {
    expect(await mostHolders()).toBe(1)
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('names its holder', async () => {
    const lock = await acquireLock(path)
    expect(parseOwner(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() })
    expect(await tryLock(path)).toMatchObject({
      holder: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
    })
    await lock.release()
  })

  test('is released when the operation fails', async () => {
    const error = await thrownBy(() => withLock(path, () => Promise.reject(new Error('act'))))
    expect(error.message).toBe('act')
    expect(existsSync(path)).toBe(false)
  })

  test('makes the caller wait until the signal fires', async () => {
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

  test('that was taken over is detected, and the former holder does not remove it', async () => {
    const lock = await acquireLock(path)
    expect(await lock.isHeld()).toBe(true)
    const { renameSync } = await import('node:fs')
    writeFileSync(`${path}.other`, 'somebody else')
    renameSync(`${path}.other`, path)
    expect((await thrownBy(() => lock.assertHeld())).code).toBe('ERR_STORE_LOCKED')
    await lock.release()
    expect(readFileSync(path, 'utf8')).toBe('somebody else')
  })

  test('that was removed is detected', async () => {
    const lock = await acquireLock(path)
    rmSync(path)
    expect((await thrownBy(() => lock.assertHeld())).code).toBe('ERR_STORE_LOCKED')
    await lock.release()
  })

  test('in a missing directory rejects at once', async () => {
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
      rmSync(path)
      if (how === 'replaced') writeFileSync(path, 'another holder')
      await vi.advanceTimersByTimeAsync(10_000)
      await settle()
      expect(await lock.isHeld()).toBe(false)
      await lock.release()
      expect(existsSync(path)).toBe(how === 'replaced')
    },
  )
})

describe('a lock of a dead holder', () => {
  test('is taken over at once, by exactly one of many waiting processes', async () => {
    await plant({ pid: 2 ** 22 + 5, start: '1' })
    expect(await mostHolders()).toBe(1)
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('is taken over also after another process died during a takeover', async () => {
    await plant({ pid: 2 ** 22 + 5, start: '1' })
    writeFileSync(`${path}.steal`, readFileSync(path))
    await (await acquireLock(path)).release()
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('is not taken over while another process takes it over', async () => {
    await plant({ pid: 2 ** 22 + 5, start: '1' })
    const guard = await acquireLock(`${path}.steal`)
    expect(await tryLock(path)).toHaveProperty('holder')
    await guard.release()
    expect(await tryLock(path)).toHaveProperty('release')
  })

  test('belongs to a killed process, also while it is a zombie', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'])
    await once(child, 'spawn')
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!
    const owner = { ...(await createOwner()), pid: child.pid!, start }
    expect(await isGone(owner, 60 * MINUTE, directory.path)).toBe(false)
    child.kill('SIGKILL')
    await expect.poll(() => isGone(owner, 0, directory.path)).toBe(true)
  })
})

describe('a lock that is waited for', () => {
  /** Waits for the lock of a holder until the wait is reported, and some seconds longer; then releases the lock. */
  async function waitFor(members: Partial<Owner>): Promise<StoreEvent[]> {
    vi.useFakeTimers({ toFake: ['performance'] })
    await plant(members)
    const events: StoreEvent[] = []
    const onEvent = (event: StoreEvent) => events.push(event)
    const waiting = acquireLock(path, { lock: '.layerstore/locks/index', onEvent })
    await vi.advanceTimersByTimeAsync(1999)
    await tryLock(path)
    expect(events).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await expect.poll(() => events).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(5000)
    await tryLock(path)
    rmSync(path)
    await (await waiting).release()
    return events
  }

  test('for two seconds is reported once, with holder, start and advice; and again when it is acquired', async () => {
    const created = '2026-11-29T10:00:00.000Z'
    const [waiting, waited, ...more] = await waitFor({ created })
    const holder = `process ${process.pid} on ${hostname()} since ${created}`
    const advice = `it is running; wait until it is done or end it with "kill ${process.pid}"`
    const message = `waiting for .layerstore/locks/index, held by ${holder}: ${advice}`
    expect(waiting).toEqual({ type: 'waiting', lock: '.layerstore/locks/index', holder, advice, message })
    expect(waited).toEqual({ type: 'waited', lock: '.layerstore/locks/index' })
    expect(more).toEqual([])
  })

  test('of a stopped process is reported with the command that resumes it', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'])
    await once(child, 'spawn')
    child.kill('SIGSTOP')
    const stat = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    await expect.poll(() => stat()[0]).toBe('T')
    const [waiting] = await waitFor({ pid: child.pid!, start: stat()[19]! })
    expect(waiting).toMatchObject({
      advice: expect.stringContaining(`it is stopped; resume it with "kill -CONT ${child.pid}"`),
    })
    child.kill('SIGKILL')
    await once(child, 'close')
  })

  test('is not reported as acquired when the operation is aborted', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    await plant({})
    const events: StoreEvent[] = []
    const controller = new AbortController()
    const waiting = acquireLock(path, { onEvent: event => events.push(event), signal: controller.signal })
    await vi.advanceTimersByTimeAsync(2000)
    await expect.poll(() => events).toHaveLength(1)
    controller.abort(new Error('enough'))
    expect((await thrownBy(() => waiting)).message).toBe('enough')
    expect(events).toMatchObject([{ type: 'waiting' }])
  })

  test('of another machine is reported with the time of the takeover', async () => {
    const [waiting] = await waitFor({ host: 'elsewhere' })
    expect(waiting).toMatchObject({ advice: expect.stringContaining('after 5 minutes without a heartbeat') })
  })

  test('is taken over when its record does not change, though its time lies in the future', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    await plant({ host: 'elsewhere' }, -365 * 24 * 60 * MINUTE)
    const events: StoreEvent[] = []
    const waiting = acquireLock(path, { onEvent: event => events.push(event) })
    // It has looked at the lock, and measures its silence from now on at the latest.
    await vi.advanceTimersByTimeAsync(2000)
    await expect.poll(() => events).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(4 * MINUTE)
    await tryLock(path)
    expect(existsSync(path)).toBe(true)
    await vi.advanceTimersByTimeAsync(2 * MINUTE)
    await (await waiting).release()
    expect(existsSync(path)).toBe(false)
  })
})

describe('an entry that is no regular file in the place of a lock', () => {
  const kinds: [string, () => void][] = [
    ['a link to nowhere', () => symlinkSync('nowhere', path)],
    ['a link to a file', () => symlinkSync(join(directory.path, 'file'), path)],
    ['a directory', () => mkdirSync(path)],
    ['a directory with something in it', () => mkdirSync(join(path, 'inside'), { recursive: true })],
  ]
  test.each(kinds)('is no lock: %s is taken over at once, and not followed', async (_, make) => {
    writeFileSync(join(directory.path, 'file'), 'of another program')
    make()
    expect(await isLocked(path)).toBe(false)
    const lock = await acquireLock(path)
    expect(parseOwner(readFileSync(path, 'utf8'))?.pid).toBe(process.pid)
    await lock.release()
    expect(readFileSync(join(directory.path, 'file'), 'utf8')).toBe('of another program')
    const left = readdirSync(directory.path).filter(name => name !== 'file')
    expect(left.every(name => name.endsWith('.tmp'))).toBe(true)
  })

  test.each(kinds)('ends a lock that is held: %s', async (_, make) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    writeFileSync(join(directory.path, 'file'), 'of another program')
    const lock = await acquireLock(path)
    rmSync(path)
    make()
    await vi.advanceTimersByTimeAsync(10_000)
    expect((await thrownBy(() => lock.assertHeld())).code).toBe('ERR_STORE_LOCKED')
    await lock.release()
    expect(lstatSync(path).isFile()).toBe(false)
    expect(readFileSync(join(directory.path, 'file'), 'utf8')).toBe('of another program')
  })

  test('a record above the size limit is not read, and expires after a minute', async () => {
    writeFileSync(path, '')
    truncateSync(path, 200 * 1024 * 1024)
    expect(await tryLock(path)).toMatchObject({ holder: 'another process' })
    utimesSync(path, new Date(Date.now() - 2 * MINUTE), new Date(Date.now() - 2 * MINUTE))
    await ((await tryLock(path)) as Lock).release()
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('the members of a record are limited in length, because messages quote them', async () => {
    const owner = await createOwner()
    expect(parseOwner(JSON.stringify({ ...owner, host: 'x'.repeat(257) }))).toBeUndefined()
  })
})

describe('ST-16: whether a holder is dead', () => {
  const cases: [what: string, members: Partial<Owner>, ageMs: number, gone: boolean][] = [
    ['this process, however long silent', {}, 24 * 60 * MINUTE, false],
    ['an earlier process with this pid', { start: '1' }, 0, true],
    ['this pid before the machine was started anew', { boot: 'other' }, Date.now() - beforeThisBoot().getTime(), true],
    ['another machine with this host name that was heard lately', { boot: 'other' }, 1000, false],
    ['another machine that was heard lately', { host: 'other', pid: 1 }, 4 * MINUTE, false],
    ['another machine that was silent for long', { host: 'other', pid: 1 }, 6 * MINUTE, true],
    ['a machine whose clock is ahead', { host: 'other', pid: 1 }, -365 * 24 * 60 * MINUTE, false],
    ['another container on this machine', { namespace: 'pid:[1]', pid: 2 ** 22 + 5 }, 0, false],
    ['a living process without a known start', { start: '' }, 0, false],
    ['a living process without a known start, long silent', { start: '' }, 6 * MINUTE, true],
    ['a dead process without a known start', { start: '', pid: 2 ** 22 + 5 }, 0, true],
  ]
  test.each(cases)('%s', async (_, members, ageMs, gone) => {
    expect(await isGone({ ...(await createOwner()), ...members }, ageMs, directory.path)).toBe(gone)
  })

  test('an unreadable record expires after a minute', async () => {
    expect(await isGone(undefined, 59_000, directory.path)).toBe(false)
    expect(await isGone(undefined, 61_000, directory.path)).toBe(true)
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
