import { describe, expect, test, vi } from 'vitest'
import {
  type Authorize,
  allowHtpasswd,
  allowUsers,
  type RegistryAccess,
  type RegistryCaller,
} from '../../lib/server/index.ts'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { runningServer } from '../helpers/running-server.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

// Hash of `hunter2`, made by `htpasswd -B`.
const HASH = '$2y$05$Ad1LUlOTkC63mhty4f0p4e1vGqriLPU7LoM70zb4ht5OyhfqSXffq'

describe.each([
  ['allowUsers', allowUsers({ ann: 'hunter2', bob: '' })],
  ['allowHtpasswd', allowHtpasswd(`# who may\n\nann:${HASH}\r\n`, { refusalMs: 0 })],
])('%s', (_, authorize) => {
  test('accepts the right password again and again', async () => {
    await using registry = await runningServer({ authorize })
    for (let i = 0; i < 3; i++) {
      expect((await registry.ask('GET', '/v2/', { headers: basic('ann', 'hunter2') })).status).toBe(200)
    }
  })

  test.each([
    ['no credentials', {}],
    ['a wrong password', basic('ann', 'hunter3')],
    ['a longer password', basic('ann', 'hunter22')],
    ['no password', basic('ann', '')],
    ['an unknown user', basic('eve', 'hunter2')],
    ['an inherited user', basic('constructor', 'hunter2')],
    ['no user', basic('', 'hunter2')],
    ['another scheme', { authorization: 'Bearer hunter2' }],
    ['no colon', { authorization: `Basic ${Buffer.from('ann').toString('base64')}` }],
    ['no base64', { authorization: 'Basic ann:hunter2' }],
    ['a long header', basic('ann', 'x'.repeat(5000))],
  ])('a request is answered with a log-in challenge: %s', async (_, headers) => {
    await using registry = await runningServer({ authorize, realm: 'a "test"' })
    for (const [method, path] of [
      ['GET', '/v2/'],
      ['GET', '/v2/_catalog'],
      ['HEAD', '/v2/app/manifests/1'],
      ['POST', '/v2/app/blobs/uploads/'],
      ['DELETE', '/v2/app/manifests/1'],
    ] as const) {
      const answer = await registry.ask(method, path, { headers })
      expect(answer).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="a \\"test\\"", charset="UTF-8"' },
      })
      if (method !== 'HEAD') expect(answer.json().errors[0]!.code).toBe('UNAUTHORIZED')
    }
  })
})

test('a user with an empty password logs in with it', async () => {
  await using registry = await runningServer({ authorize: allowUsers({ bob: '' }) })
  expect((await registry.ask('GET', '/v2/', { headers: basic('bob', '') })).status).toBe(200)
})

test.each([
  ['a plain password', 'ann:hunter2'],
  ['a broken hash', 'ann:{SHA}87HrMDbdAEIbQyB6LH8GFlmuZzs='],
  ['no user', `:${HASH}`],
  ['no colon', 'hunter2'],
  ['a cost that takes minutes', `ann:${HASH.replace('$05$', '$31$')}`],
])('an htpasswd file with %s is refused, and the message does not quote it', async (_, line) => {
  const error = await thrownBy(() => allowHtpasswd(`bob:${HASH}\n${line}`))
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(/line 2/) })
  expect(error.message).not.toContain('hunter2')
})

test('authorize gets the action, the repository and the credentials', async () => {
  const asked: RegistryAccess[] = []
  await using registry = await runningServer({
    authorize: access => {
      asked.push(access)
      return access.action === 'delete' ? 'denied' : true
    },
  })
  const image = rawImage('a')
  await pushImage(registry.url, 'some/app', '1', image)
  const { blobs } = image
  asked.length = 0
  for (const [method, path, action, repository] of [
    ['GET', '/v2/', 'pull', undefined],
    ['GET', '/v2/_catalog', 'pull', undefined],
    ['GET', '/v2/some/app/tags/list', 'pull', 'some/app'],
    ['GET', `/v2/some/app/referrers/${image.digest}`, 'pull', 'some/app'],
    ['HEAD', '/v2/some/app/manifests/1', 'pull', 'some/app'],
    ['GET', `/v2/library/node/blobs/${blobs[0]!.digest}`, 'pull', 'node'],
    ['POST', '/v2/some/app/blobs/uploads/', 'push', 'some/app'],
    ['GET', '/v2/some/app/blobs/uploads/x', 'push', 'some/app'],
    ['DELETE', '/v2/some/app/blobs/uploads/x', 'push', 'some/app'],
    ['PUT', '/v2/some/app/manifests/2', 'push', 'some/app'],
    ['DELETE', '/v2/some/app/manifests/1', 'delete', 'some/app'],
  ] as const) {
    const answer = await registry.ask(method, path, { headers: basic('ann', 'a:b') })
    expect(asked.pop()).toEqual({ action, repository, username: 'ann', password: 'a:b' })
    if (action === 'delete') expect([answer.status, answer.json().errors[0]!.code]).toEqual([403, 'DENIED'])
    else expect([401, 403]).not.toContain(answer.status)
  }
})

test('a blob is not mounted from a repository that the user may not pull', async () => {
  await using registry = await runningServer({
    authorize: ({ action, repository }) => !(action === 'pull' && repository === 'secret'),
  })
  const { digest } = await registry.store.put(Buffer.from('x'))
  const mount = (from: string) => registry.ask('POST', `/v2/app/blobs/uploads/?mount=${digest}&from=${from}`)
  expect((await mount('secret')).status).toBe(202)
  expect((await mount('open')).status).toBe(201)
})

test('a mount without from needs pull access to the target', async () => {
  await using registry = await runningServer({
    authorize: ({ action, repository }) => action === 'push' || repository === 'open',
  })
  const { digest } = await registry.store.put(Buffer.from('x'))
  const mount = (into: string, from = '') => registry.ask('POST', `/v2/${into}/blobs/uploads/?mount=${digest}${from}`)
  expect((await mount('drop/box')).status).toBe(202)
  expect((await mount('drop/box', '&from=')).status).toBe(202)
  expect((await mount('open')).status).toBe(201)
})

test('authorize gets the key of the client and a signal that fires when it disconnects', async () => {
  const callers: RegistryCaller[] = []
  const authorize: Authorize = (_, caller = {}) => {
    callers.push(caller)
    return true
  }
  await using registry = await runningServer({ authorize })
  await using behind = await runningServer({ authorize, clientOf: ({ headers }) => String(headers['x-real-ip']) })
  await registry.ask('GET', '/v2/')
  await behind.ask('GET', '/v2/', { headers: { 'x-real-ip': '192.0.2.7' } })
  expect(callers.map(({ client }) => client)).toEqual(['127.0.0.1', '192.0.2.7'])
  await expect.poll(() => callers.every(({ signal }) => signal!.aborted)).toBe(true)
})

test('an exception of clientOf is answered with an error', async () => {
  const clientOf = () => {
    throw new Error('no header')
  }
  await using registry = await runningServer({ authorize: () => true, clientOf })
  expect((await registry.ask('GET', '/v2/')).status).toBe(500)
})

test('too many log-ins are answered with 429, the queued ones with their result', async () => {
  await using registry = await runningServer({
    authorize: allowHtpasswd(`ann:${HASH.replace('$05$', '$12$')}`, { maxWaiting: 1, refusalMs: 0 }),
  })
  const answers = await Promise.all(
    ['a', 'b', 'c', 'd'].map(password => registry.ask('GET', '/v2/', { headers: basic('ann', password) })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([401, 401, 429, 429])
  const busy = answers.find(({ status }) => status === 429)!
  expect([busy.headers['retry-after'], busy.json().errors[0]!.code]).toEqual(['5', 'TOOMANYREQUESTS'])
})

test('a wrong password is answered with a delay, also when it is remembered', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    const authorize = allowHtpasswd(`ann:${HASH}`, { refusalMs: 60_000 })
    const access = { action: 'pull', repository: undefined, username: 'ann', password: 'wrong' } as const
    expect(await authorize({ ...access, password: 'hunter2' })).toBe(true)
    for (let i = 0; i < 2; i++) {
      const gone = new AbortController()
      const answer = authorize(access, { signal: gone.signal })
      await expect(Promise.race([answer, new Promise(resolve => setImmediate(resolve, 'waits'))])).resolves.toBe(
        'waits',
      )
      gone.abort('left')
      await expect(answer).rejects.toBe('left')
    }
  } finally {
    vi.useRealTimers()
  }
})

test('an exception of authorize refuses the request and is not sent to the client', async () => {
  await using registry = await runningServer({ authorize: () => Promise.reject(new Error('ldap://secret')) })
  const answer = await registry.ask('GET', '/v2/')
  expect([answer.status, answer.body.toString().includes('secret')]).toEqual([500, false])
})
