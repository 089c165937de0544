import { expect, test } from 'vitest'
import { PasswordChecks } from '../../lib/server/access/password-checks.ts'

const LIMITS = { maxWaiting: 4, maxWaitingPerClient: 2, rememberWrongMs: 60_000 }

/** Checks that the test ends one by one; `hunter2` is right. */
function manualChecks(limits = LIMITS) {
  const running: { readonly password: string; readonly end: (error?: Error) => void }[] = []
  const asked: string[] = []
  const checks = new PasswordChecks((_, password) => {
    asked.push(password)
    return new Promise((resolve, reject) => {
      running.push({ password, end: error => (error ? reject(error) : resolve(password === 'hunter2')) })
    })
  }, limits)
  const endOne = async (error?: Error) => {
    running.shift()!.end(error)
    await new Promise(resolve => setImmediate(resolve))
  }
  const ask = (password: string, client = 'a', signal?: AbortSignal) => checks.ask('ann', password, client, signal)
  return { ask, endOne, asked, running }
}

test('one password is checked at a time', async () => {
  const { ask, endOne, running } = manualChecks()
  const answers = [ask('one'), ask('two', 'b'), ask('hunter2', 'c')]
  for (let i = 0; i < 3; i++) {
    expect(running).toHaveLength(1)
    await endOne()
  }
  expect(await Promise.all(answers)).toEqual([false, false, true])
})

test.each([
  ['hunter2', true],
  ['wrong', false],
])('an answer is remembered: %s', async (password, answer) => {
  const { ask, endOne, asked } = manualChecks()
  const first = ask(password)
  await endOne()
  expect([await first, await ask(password), await ask(password, 'b')]).toEqual([answer, answer, answer])
  expect(asked).toHaveLength(1)
})

test('a wrong password is remembered for a limited time', async () => {
  const { ask, endOne, asked } = manualChecks({ ...LIMITS, rememberWrongMs: 1 })
  const first = ask('wrong')
  await endOne()
  await first
  const askAgain = () => {
    void ask('wrong')
    return asked
  }
  await expect.poll(askAgain).toHaveLength(2)
  await endOne()
})

test('a password that many requests send is checked once', async () => {
  const { ask, endOne, asked } = manualChecks()
  const answers = Array.from({ length: 20 }, (_, i) => ask('hunter2', `client ${i}`))
  await endOne()
  expect(new Set(await Promise.all(answers))).toEqual(new Set([true]))
  expect(asked).toHaveLength(1)
})

test('clients take turns, however many checks one of them has', async () => {
  const { ask, endOne, asked } = manualChecks()
  const answers = [ask('a1'), ask('a2'), ask('a3'), ask('b1', 'b'), ask('c1', 'c')]
  for (let i = 0; i < 5; i++) await endOne()
  await Promise.all(answers)
  expect(asked).toEqual(['a1', 'a2', 'b1', 'c1', 'a3'])
})

test('a client with too many waiting checks gets busy, and other clients are checked', async () => {
  const { ask, endOne } = manualChecks()
  const first = [ask('a1'), ask('a2'), ask('a3')]
  expect(await ask('a4')).toBe('busy')
  const other = ask('hunter2', 'b')
  for (let i = 0; i < 4; i++) await endOne()
  expect(await Promise.all([...first, other])).toEqual([false, false, false, true])
})

test('at the total limit a check of the client with the most is dropped for a newcomer', async () => {
  const { ask, endOne } = manualChecks()
  const first = [ask('a1'), ask('a2'), ask('a3'), ask('b1', 'b'), ask('b2', 'b')]
  const newcomer = ask('hunter2', 'c')
  expect(await first[2]).toBe('busy')
  const last = ask('d1', 'd')
  expect(await first[4]).toBe('busy')
  expect(await ask('e1', 'e')).toBe('busy')
  for (let i = 0; i < 5; i++) await endOne()
  expect(await Promise.all([...first, newcomer, last])).toEqual([false, false, 'busy', false, 'busy', true, false])
})

test('a check of a disconnected client is skipped unless another request waits for it', async () => {
  const { ask, endOne, asked } = manualChecks()
  const gone = new AbortController()
  const first = ask('a1')
  const left = [ask('a2', 'a', gone.signal), ask('hunter2', 'b', gone.signal)]
  const stays = ask('hunter2', 'c')
  gone.abort(new Error('gone'))
  expect(await Promise.allSettled(left)).toMatchObject([{ reason: gone.signal.reason }, { reason: gone.signal.reason }])
  await endOne()
  await endOne()
  expect([await first, await stays, asked]).toEqual([false, true, ['a1', 'hunter2']])
})

test('a failed check rejects its waiting requests, and the next request checks again', async () => {
  const { ask, endOne } = manualChecks()
  const first = ask('hunter2')
  await Promise.all([endOne(new Error('crashed')), expect(first).rejects.toThrow('crashed')])
  const second = ask('hunter2')
  await endOne()
  expect(await second).toBe(true)
})
