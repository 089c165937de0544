import { describe, expect, test } from 'vitest'
import { RegistryError } from '../../lib/errors/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { RetryBudget } from '../../lib/registry/endpoint/retry-budget.ts'
import type { RegistryWaitEvent, RegistryWarning } from '../../lib/registry/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const manifest = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptorOf(Buffer.from('{}'), MediaType.OciConfig), layers: [] }),
)
const answer: Script = (_, response) => response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(manifest)
const attempt = async (script: Script, maxRetryAfterMs?: number) => {
  const events: RegistryWaitEvent[] = []
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor({
    retries: { maxRetryAfterMs },
    onEvent: event => event.type === 'waiting' && events.push(event),
  })
  const started = performance.now()
  const error = await registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'v' }).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  return { error, tries: server.seen.length, events, took: performance.now() - started }
}
const first =
  (status: number, headers: Record<string, string> = {}): Script =>
  (request, response, number) =>
    number === 0 ? response.writeHead(status, headers).end() : answer(request, response, number)

describe('a request', () => {
  test.each([408, 429, 499, 500, 502, 503, 504, 522])('HT-19: is repeated after status %d', async status => {
    const { error, tries, events } = await attempt(first(status))
    expect(error).toBeUndefined()
    expect(tries).toBe(2)
    expect(events).toEqual([
      expect.objectContaining({ type: 'waiting', reason: status === 429 ? 'ERR_RATE_LIMITED' : 'ERR_REGISTRY' }),
    ])
  })

  test.each([400, 402, 403, 409, 418, 451, 501, 505])('HT-19: is not repeated after status %d', async status => {
    const { error, tries } = await attempt(first(status))
    expect(error).toMatchObject({ status, retryable: false })
    expect(tries).toBe(1)
  })

  test('HT-19: fails after five tries', async () => {
    const { error, tries } = await attempt((_, response) => response.writeHead(502).end())
    expect(error).toMatchObject({ code: 'ERR_REGISTRY', status: 502, retryable: true })
    expect(tries).toBe(5)
  })

  test('HT-18: waits as long as `Retry-After` says, in seconds or until a date', async () => {
    const seconds = await attempt(first(429, { 'retry-after': '1' }))
    expect(seconds).toMatchObject({ error: undefined, tries: 2 })
    expect(seconds.took).toBeGreaterThanOrEqual(1000)
    const date = await attempt(first(503, { 'retry-after': new Date(Date.now() + 2000).toUTCString() }))
    expect(date).toMatchObject({ error: undefined, tries: 2 })
    expect(date.took).toBeGreaterThan(500)
    expect((await attempt(first(429, { 'retry-after': 'Mon, 01 Jan 2001 00:00:00 GMT' }))).error).toBeUndefined()
  })

  test('HT-18: with a too long `Retry-After` fails at once and reports it', async () => {
    const { error, tries } = await attempt(first(429, { 'retry-after': '61' }))
    expect(error).toMatchObject({ code: 'ERR_RATE_LIMITED', retryAfterMs: 61_000, retryable: true })
    expect(tries).toBe(1)
    const capped = await attempt(first(503, { 'retry-after': '1000000000' }), 10)
    expect(capped).toMatchObject({ error: { code: 'ERR_REGISTRY', retryAfterMs: 1e12 }, tries: 1 })
  })

  test("HT-18: is rate-limited by the registry's error code too", async () => {
    const { error } = await attempt((_, response) =>
      response.writeHead(403).end('{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'),
    )
    expect(error).toMatchObject({ code: 'ERR_RATE_LIMITED', status: 403 })
  })

  test('HT-18: waits while another one is rate-limited', async () => {
    let refusedAt = 0
    const early: number[] = []
    await using server = await startScriptedRegistry((request, response, number) => {
      if (number === 0) {
        refusedAt = performance.now()
        return response.writeHead(429, { 'retry-after': '1' }).end()
      }
      if (performance.now() - refusedAt < 990) early.push(number)
      return answer(request, response, number)
    })
    let waits = 0
    await using registry = registryClientFor({ onEvent: event => event.type === 'waiting' && waits++ })
    const fetch = () => registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'v' })
    const refused = fetch()
    await expect.poll(() => waits).toBe(1)
    await Promise.all([refused, ...Array.from({ length: 20 }, fetch)])
    expect(early).toEqual([])
    expect(server.seen).toHaveLength(22)
  })
})

describe('RetryBudget', () => {
  const failure = (details: object = {}, cause?: unknown) =>
    new RegistryError('ERR_NETWORK', 'x', { method: 'GET', url: 'http://x/', retryable: true, ...details }, { cause })

  test('doubles the bound of its pauses up to the maximum, and draws below it', () => {
    const budget = new RetryBudget({ tries: 100, baseDelayMs: 100, maxDelayMs: 1000 })
    const pauses = Array.from({ length: 50 }, () => budget.pauseAfter(failure())!)
    for (const [i, pause] of pauses.entries()) expect(pause).toBeLessThanOrEqual(Math.min(1000, 100 * 2 ** i))
    expect(Math.max(...pauses)).toBeGreaterThan(300)
    expect(new Set(pauses).size).toBeGreaterThan(40)
  })

  test('counts anew after progress', () => {
    const budget = new RetryBudget({ tries: 2 })
    expect(budget.pauseAfter(failure())).toBeDefined()
    expect(budget.pauseAfter(failure())).toBeUndefined()
    budget.progressed()
    expect(budget.pauseAfter(failure())).toBeDefined()
  })

  test('allows one retry if the host does not answer, and none for a permanent failure', () => {
    for (const cause of [{ code: 'ECONNREFUSED' }, { code: 'ETIMEDOUT', syscall: 'connect' }]) {
      const budget = new RetryBudget({})
      const error = failure({}, Object.assign(new Error(), cause))
      expect(budget.pauseAfter(error)).toBeLessThanOrEqual(500)
      expect(budget.pauseAfter(error)).toBeUndefined()
    }
    expect(new RetryBudget({}).pauseAfter(failure({ retryable: false }))).toBeUndefined()
    expect(new RetryBudget({}).pauseAfter(new Error('x'))).toBeUndefined()
  })
})

test('HT-33: the client reports each warning once', async () => {
  const warnings: RegistryWarning[] = []
  await using server = await startScriptedRegistry((request, response, number) => {
    response.setHeader('warning', ['299 - "this tag is going away"', `299 - "number ${Math.min(number, 1)}"`])
    return answer(request, response, number)
  })
  await using registry = registryClientFor({ onWarning: warning => warnings.push(warning) })
  for (let i = 0; i < 4; i++) await registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'v' })
  expect(warnings).toEqual(
    ['this tag is going away', 'number 0', 'number 1'].map(message => ({ registry: server.host, message })),
  )
})
