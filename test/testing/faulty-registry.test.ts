import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultCondition, type RegistryFault } from '../../lib/testing/index.ts'
import { httpRequest } from '../helpers/http-request.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'

const { bytes, descriptor } = sampleBlob(200_000)
const path = `/v2/a/blobs/${descriptor.digest}`

const started = async () => {
  const store = createMemoryStore()
  await store.put(bytes)
  const registry = await createFaultyRegistry({ store })
  const ask = (method: string, at: string, options?: Parameters<typeof httpRequest>[3]) =>
    httpRequest(`http://${registry.host}`, method, at, options)
  return { registry, ask, [Symbol.asyncDispose]: () => registry.close() }
}
/** The blob as it comes with a fault, and the next time. */
const fetchWith = async (fault: RegistryFault, headers: Record<string, string> = {}, condition?: FaultCondition) => {
  await using set = await started()
  set.registry.misbehave(fault, condition)
  const first = await set.ask('GET', path, { headers }).catch((error: NodeJS.ErrnoException) => error)
  const second = await set.ask('GET', path, { headers })
  return { first: first as Awaited<ReturnType<typeof set.ask>>, second, seen: set.registry.seen, set }
}

describe('a faulty registry', () => {
  test('behaves until it is switched off, and after it has misbehaved as often as configured', async () => {
    await using set = await started()
    const { registry, ask } = set
    expect((await ask('GET', path)).body.equals(bytes)).toBe(true)
    registry.misbehave({ kind: 'answer', status: 500, body: 'no' }, { method: 'GET', path: /blobs/, skip: 1, times: 2 })
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) statuses.push((await ask('GET', path)).status)
    expect(statuses).toEqual([200, 500, 500, 200, 200])
    expect((await ask('HEAD', path)).status).toBe(200)
    registry.misbehave({ kind: 'answer', status: 500 }, { times: 9 })
    registry.behave()
    expect((await ask('GET', path)).status).toBe(200)
    expect(registry.seen.map(({ fault }) => fault)).toEqual([
      undefined,
      undefined,
      'answer',
      'answer',
      ...[undefined, undefined, undefined, undefined],
    ])
    expect(registry.seen[0]).toMatchObject({ origin: 'registry', method: 'GET', path, received: 0, sent: 200_000 })
  })

  test.each([0, 1, 65_536, 199_999])('cuts the connection after %d bytes', async after => {
    const { first, second } = await fetchWith({ kind: 'cut', after })
    expect(first).toMatchObject({ status: 200, complete: false })
    expect(first.body.equals(bytes.subarray(0, after))).toBe(true)
    expect(second.body.equals(bytes)).toBe(true)
    const { second: afterReset, seen } = await fetchWith({ kind: 'cut', after, reset: true })
    expect(seen[0]!.sent).toBe(after)
    expect(afterReset.body.equals(bytes)).toBe(true)
  })

  test('changes one byte', async () => {
    const { first } = await fetchWith({ kind: 'flip', at: 100_000 })
    const wrong = Buffer.from(bytes)
    wrong[100_000]! ^= 0xff
    expect(first.body.equals(wrong)).toBe(true)
  })

  test('sends less, and says so', async () => {
    const { first } = await fetchWith({ kind: 'short-body', by: 10 })
    expect(first).toMatchObject({ complete: true, headers: { 'content-length': '199990' } })
    expect(first.body.equals(bytes.subarray(0, 199_990))).toBe(true)
  })

  test('lies about a part, or sends everything instead', async () => {
    const range = { range: 'bytes=100-199' }
    const lie = await fetchWith({ kind: 'wrong-content-range', value: 'bytes 0-99/200000' }, range)
    expect(lie.first).toMatchObject({ status: 206, headers: { 'content-range': 'bytes 0-99/200000' } })
    expect(lie.second.headers['content-range']).toBe('bytes 100-199/200000')
    const all = await fetchWith({ kind: 'ignore-range' }, range)
    expect(all.first.status).toBe(200)
    expect(all.first.body.length).toBe(200_000)
  })

  test('is slow, or stops', async () => {
    const begin = performance.now()
    await fetchWith({ kind: 'slow', bytesPerSecond: 1_000_000 })
    expect(performance.now() - begin).toBeGreaterThan(150)
    await using set = await started()
    set.registry.misbehave({ kind: 'stall', after: 5 })
    const stalled = set.ask('GET', path)
    await expect.poll(() => set.registry.seen[0]?.sent).toBe(5)
    await set.registry.close()
    expect(await stalled).toMatchObject({ complete: false })
  })

  test('refuses', async () => {
    const challenge = 'Bearer realm="x"'
    expect((await fetchWith({ kind: 'unauthorized', challenge })).first).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': challenge },
    })
    expect((await fetchWith({ kind: 'unauthorized' })).first.headers['www-authenticate']).toBeUndefined()
    const retryAfter = new Date('2030-01-02T03:04:05Z')
    const limited = await fetchWith({ kind: 'too-many-requests', retryAfter })
    expect(limited.first).toMatchObject({ status: 429, headers: { 'retry-after': 'Wed, 02 Jan 2030 03:04:05 GMT' } })
    const inSeconds = await fetchWith({ kind: 'too-many-requests', retryAfter: 7 })
    expect(inSeconds.first.headers['retry-after']).toBe('7')
    expect((await fetchWith({ kind: 'too-many-requests' })).first.headers['retry-after']).toBeUndefined()
  })

  test('sends to another origin, which has the same content', async () => {
    const { first, set } = await fetchWith({ kind: 'redirect' })
    expect(first.headers.location).toBe(`http://${set.registry.elsewhere}${path}`)
    const to = await fetchWith({ kind: 'redirect', to: 'http://x/', status: 302 })
    expect(to.first).toMatchObject({ status: 302, headers: { location: 'http://x/' } })
    await using other = await started()
    expect((await httpRequest(`http://${other.registry.elsewhere}`, 'GET', path)).body.equals(bytes)).toBe(true)
    expect(other.registry.seen[0]!.origin).toBe('elsewhere')
  })

  test('lies about the digest, and links a list to itself', async () => {
    const { first } = await fetchWith({ kind: 'wrong-digest-header' })
    expect(first.headers['docker-content-digest']).toBe(`sha256:${'0'.repeat(64)}`)
    const own = await fetchWith({ kind: 'wrong-digest-header', value: 'x' })
    expect(own.first.headers['docker-content-digest']).toBe('x')
    expect((await fetchWith({ kind: 'link-loop' })).first.headers.link).toBe(`<${path}>; rel="next"`)
  })

  test('changes where an upload goes', async () => {
    await using set = await started()
    const { registry, ask } = set
    const start = async (value?: string) => {
      if (value) registry.misbehave({ kind: 'location', value })
      return (await ask('POST', '/v2/a/blobs/uploads/')).headers.location
    }
    expect(await start('relative')).toMatch(/^\/v2\/a\/blobs\/uploads\//)
    expect(await start('elsewhere')).toMatch(new RegExp(`^http://${registry.elsewhere}/v2/a/blobs/uploads/`))
    expect(await start('none')).toBeUndefined()
    expect(await start('http://169.254.169.254/')).toBe('http://169.254.169.254/')
    registry.misbehave({ kind: 'location', value: 'relative' })
    expect((await ask('GET', path)).headers.location).toBeUndefined()
  })

  test('forgets an upload, takes a part of it, or keeps its answer to itself', async () => {
    await using set = await started()
    const { registry, ask } = set
    const upload = async () => (await ask('POST', '/v2/a/blobs/uploads/')).headers.location!
    const at = async (location: string) => (await ask('GET', location)).headers.range
    const lost = await upload()
    registry.misbehave({ kind: 'lost-upload' }, { method: 'PATCH' })
    expect((await ask('PATCH', lost, { body: 'abc' })).status).toBe(404)
    expect((await ask('GET', lost)).status).toBe(404)

    const kept = await upload()
    registry.misbehave({ kind: 'lost-answer' }, { method: 'PATCH' })
    await expect(ask('PATCH', kept, { body: 'abc' })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await at(kept)).toBe('0-2')

    const cut = await upload()
    registry.misbehave({ kind: 'cut-request', after: 100_000 }, { method: 'PATCH' })
    await expect(ask('PATCH', cut, { body: bytes })).rejects.toBeDefined()
    expect(registry.seen.at(-1)).toMatchObject({ method: 'PATCH', received: 100_000, fault: 'cut-request' })
    expect((await ask('GET', cut)).status).toBe(204)
  })

  test('asks for credentials at its own origin only', async () => {
    const challenge = ({ authorization }: { authorization: string | undefined }) =>
      authorization === 'Bearer x' ? undefined : 'Bearer realm="r"'
    await using registry = await createFaultyRegistry({ challenge })
    const ask = (host: string, headers = {}) => httpRequest(`http://${host}`, 'GET', '/v2/', { headers })
    expect(await ask(registry.host)).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="r"' } })
    expect((await ask(registry.host, { authorization: 'Bearer x' })).status).toBe(200)
    expect((await ask(registry.elsewhere)).status).toBe(200)
    expect(registry.seen.map(({ authorization }) => authorization)).toEqual([undefined, 'Bearer x', undefined])
  })

  test('whose registry behind does not exist breaks connections', async () => {
    await using registry = await createFaultyRegistry({ upstream: '127.0.0.1:1' })
    await expect(httpRequest(`http://${registry.host}`, 'GET', '/v2/')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
