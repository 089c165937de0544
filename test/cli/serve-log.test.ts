import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { ServeLog } from '../../lib/cli/serving/serve-log.ts'
import { Session } from '../../lib/cli/session/session.ts'
import { RegistryError } from '../../lib/errors/index.ts'
import type { RegistryRequestEvent } from '../../lib/server/index.ts'

/** Returns the printed log lines without their time. */
function printed(options: { json?: boolean; quiet?: boolean }, all: boolean, use: (log: ServeLog) => void): string[] {
  const stderr = new PassThrough()
  const terminal = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    env: {},
    signal: new AbortController().signal,
  }
  use(new ServeLog(new Session(terminal, options), all))
  const text = `${stderr.read() ?? ''}`
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z"?[, ]?/, ''))
}

const event = (members: Partial<RegistryRequestEvent> = {}): RegistryRequestEvent => ({
  ...{ method: 'GET', path: '/v2/', status: 200, complete: true, durationMs: 1.4, client: '10.0.0.1' },
  ...{ username: undefined, bytesSent: 2, error: undefined },
  ...members,
})

const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.2:443'), { code: 'ECONNREFUSED' })
const details = { method: 'GET', url: 'https://origin.example/v2/?token=secret' }
const network = () => new RegistryError('ERR_NETWORK', 'no answer', details, { cause: refused })

test('a line has the client, the request, the outcome and the reason', () => {
  const lines = printed({}, true, log => {
    log.request(event())
    log.request(event({ username: 'ann lee', method: 'PUT', path: '/v2/app/manifests/1', status: 0, complete: false }))
    log.request(event({ status: 502, error: network() }))
    log.request(event({ status: 404, error: new Error('no such manifest') }))
    log.failure(network())
  })
  const why = 'no answer: GET https://origin.example/v2/ (ERR_NETWORK); because: connect ECONNREFUSED 10.0.0.2:443'
  expect(lines).toEqual([
    '10.0.0.1 - GET /v2/ 200 2B 1ms',
    '10.0.0.1 "ann lee" PUT /v2/app/manifests/1 - 2B 1ms broken off',
    `10.0.0.1 - GET /v2/ 502 2B 1ms: ${why}`,
    '10.0.0.1 - GET /v2/ 404 2B 1ms: no such manifest',
    `error: ${why}`,
  ])
})

test('input of a client adds no line to the log and moves no cursor', () => {
  for (const json of [false, true]) {
    const lines = printed({ json }, true, log => {
      log.request(
        event({
          path: '/v2/\u009b2J\u2028x',
          username: 'a\r\nb"\u001b[2J',
          error: new Error('one\n two'),
          status: 400,
        }),
      )
    })
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/)
  }
})

test('without --log failures are printed, quiet or not, and one that is the reason of many answers only once', () => {
  const error = network()
  const lines = printed({ quiet: true }, false, log => {
    log.request(event())
    log.request(event({ status: 404, error: new Error('no such manifest') }))
    for (let i = 0; i < 3; i++) log.request(event({ error }))
    log.request(event({ status: 500, error: 'no object' }))
  })
  expect(lines).toEqual([
    expect.stringMatching(/GET \/v2\/ 200 .*ECONNREFUSED/),
    '10.0.0.1 - GET /v2/ 500 2B 1ms: no object',
  ])
})

test('an error that should have had a code keeps its stack in JSON, and a long chain of causes ends', () => {
  let error: Error = new TypeError('not a function')
  for (let i = 0; i < 10; i++) error = new Error(`level ${i}`, { cause: error })
  const [first, second] = printed({ json: true }, false, log => {
    log.failure(new TypeError('not a function'))
    log.failure(error)
  })
  expect(JSON.parse(`{${first!.replace(/^{"time":"/, '')}`).error).toMatchObject({
    stack: expect.stringContaining('at '),
  })
  expect(second!.match(/"cause"/g)).toHaveLength(5)
})
