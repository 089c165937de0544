import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { isBcrypt, verifyBcrypt } from '../../lib/digest/index.ts'
import { BcryptWorker } from '../../lib/digest/worker/bcrypt-worker.ts'

// Hashes of `hunter2`, made by `htpasswd -B` with costs 5 and 10.
const QUICK = '$2y$05$Ad1LUlOTkC63mhty4f0p4e1vGqriLPU7LoM70zb4ht5OyhfqSXffq'
const SLOW = QUICK.replace('$05$', '$10$')

beforeAll(async () => {
  await verifyBcrypt('hunter2', QUICK)
})

afterEach(() => {
  vi.useRealTimers()
})

test.each([
  ['hunter2', QUICK, true],
  ['hunter3', QUICK, false],
  ['', QUICK, false],
  [`hunter2${'x'.repeat(66)}`, QUICK, false],
  ['hunter2', 'no hash', false],
])('the password %j is checked against its hash', async (password, hash, isRight) => {
  expect(await verifyBcrypt(password, hash)).toBe(isRight)
})

test.each([
  ['$2y$05$', true],
  ['$2b$14$', true],
  ['$2y$15$', false],
  ['$1$', false],
])('a hash that begins with %s is taken or not, by kind and cost', (start, isTaken) => {
  expect(isBcrypt(QUICK.replace('$2y$05$', start))).toBe(isTaken)
})

test('two checks at once share the thread', async () => {
  expect(await Promise.all([verifyBcrypt('hunter2', QUICK), verifyBcrypt('hunter3', QUICK)])).toEqual([true, false])
})

test('the calling thread continues while a password is checked', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  try {
    await verifyBcrypt('hunter2', SLOW)
  } finally {
    clearInterval(timer)
  }
  // On this thread not one timer would have fired.
  expect(turns).toBeGreaterThan(2)
})

test('the thread that checks passwords yields to the others', async ({ skip }) => {
  if (process.platform !== 'linux') return skip('only Linux has a priority for each thread')
  const nice = readdirSync('/proc/self/task').map(thread => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
  })
  expect(nice.filter(priority => priority === 10)).toHaveLength(1)
})

test('a thread that ends while it checks a password rejects, and the next check starts another one', async () => {
  const gone = vi.fn()
  const worker = new BcryptWorker(gone)
  const checked = worker.verify('hunter2', SLOW)
  await Promise.all([worker.terminate(), expect(checked).rejects.toMatchObject({ code: 'ERR_HASHER' })])
  expect(gone).toHaveBeenCalled()
  expect(await verifyBcrypt('hunter2', QUICK)).toBe(true)
})

test('a check that fails inside the thread is an error, and the thread continues', async () => {
  const worker = new BcryptWorker(() => {})
  await expect(worker.verify('hunter2', 'no hash')).rejects.toMatchObject({ code: 'ERR_HASHER' })
  expect(await worker.verify('hunter2', QUICK)).toBe(true)
  await worker.terminate()
})

test('a thread without work is ended after a minute', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const gone = vi.fn()
  const worker = new BcryptWorker(gone)
  await worker.verify('hunter2', QUICK)
  expect(gone).not.toHaveBeenCalled()
  vi.advanceTimersByTime(60_000)
  expect(gone).toHaveBeenCalled()
})

test('checks that begin before there is a thread share one, and there is another after a minute without work', async () => {
  vi.resetModules()
  const { verifyBcrypt: fresh } = await import('../../lib/digest/index.ts')
  expect(await Promise.all([fresh('hunter2', QUICK), fresh('hunter3', QUICK)])).toEqual([true, false])
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  expect(await fresh('hunter2', QUICK)).toBe(true)
  vi.advanceTimersByTime(60_000)
  expect(await fresh('hunter2', QUICK)).toBe(true)
})
