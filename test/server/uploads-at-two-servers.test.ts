import { describe, expect, test } from 'vitest'
import { sha256 } from '../helpers/push-image.ts'
import { connectedServers, twoMachines } from '../helpers/two-servers.ts'

const bytes = Buffer.from('the bytes of a blob, chunk by chunk')
const digest = sha256(bytes)

describe.each([
  { what: 'processes that exchange messages', start: connectedServers },
  { what: 'machines that share the store only', start: twoMachines },
])('between two $what', ({ start }) => {
  test('each request of an upload may reach the other server', async () => {
    await using servers = await start()
    const { one, two } = servers
    const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
    expect(await two.ask('GET', at)).toMatchObject({ status: 204, headers: { range: '0-0' } })
    const first = await two.ask('PATCH', at, { body: bytes.subarray(0, 10) })
    expect(first).toMatchObject({ status: 202, headers: { range: '0-9' } })
    expect((await one.ask('GET', at)).headers.range).toBe('0-9')
    const wrong = { headers: { 'content-range': '12-34' }, body: bytes.subarray(12) }
    expect((await two.ask('PATCH', at, wrong)).status).toBe(416)
    expect((await one.ask('PATCH', at, { body: bytes.subarray(10, 20) })).headers.range).toBe('0-19')
    const last = await two.ask('PUT', `${at}?digest=${digest}`, { body: bytes.subarray(20) })
    expect(last).toMatchObject({ status: 201, headers: { 'docker-content-digest': digest } })
    for (const server of [one, two]) expect((await server.ask('GET', `/v2/app/blobs/${digest}`)).body).toEqual(bytes)
  })

  test('a blob of the other server is mounted; a mount of a missing blob becomes an upload for both', async () => {
    await using servers = await start()
    const { one, two } = servers
    const mount = `/v2/other/blobs/uploads/?mount=${digest}&from=app`
    const at = (await two.ask('POST', mount)).headers.location!
    expect((await one.ask('PATCH', at, { body: bytes.subarray(0, 10) })).headers.range).toBe('0-9')
    expect((await two.ask('DELETE', at)).status).toBe(204)
    expect((await one.ask('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: bytes })).status).toBe(201)
    const location = `/v2/other/blobs/${digest}`
    expect(await two.ask('POST', mount)).toMatchObject({ status: 201, headers: { location } })
  })
})
