import { createHash, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { RegistryServerOptions } from '../../lib/server/index.ts'
import { sha256 } from '../helpers/push-image.ts'
import { twoServers } from '../helpers/two-servers.ts'

const bytes = Buffer.from('the bytes of a blob, chunk by chunk')
const digest = sha256(bytes)

/** Two servers over one store that exchange no message, as on two machines. */
const twoMachines = (options: RegistryServerOptions = {}) => twoServers({ shareUploads: true, ...options })

test('each request of an upload may reach another machine', async () => {
  await using machines = await twoMachines()
  const { one, two } = machines
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  expect(await two.ask('GET', at)).toMatchObject({ status: 204, headers: { range: '0-0' } })
  const first = await two.ask('PATCH', at, { body: bytes.subarray(0, 10) })
  expect(first).toMatchObject({ status: 202, headers: { range: '0-9' } })
  expect((await one.ask('GET', at)).headers.range).toBe('0-9')
  const wrong = { headers: { 'content-range': '12-34' }, body: bytes.subarray(12) }
  expect((await one.ask('PATCH', at, wrong)).status).toBe(416)
  expect((await two.ask('PATCH', at, { body: bytes.subarray(10, 20) })).headers.range).toBe('0-19')
  const last = await one.ask('PUT', `${at}?digest=${digest}`, { body: bytes.subarray(20) })
  expect(last).toMatchObject({ status: 201, headers: { 'docker-content-digest': digest } })
  expect((await two.ask('GET', `/v2/app/blobs/${digest}`)).body).toEqual(bytes)
})

test('an upload is dropped at another machine', async () => {
  await using machines = await twoMachines()
  const { one, two } = machines
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  await one.ask('PATCH', at, { body: bytes.subarray(0, 10) })
  expect((await two.ask('DELETE', at)).status).toBe(204)
  expect((await one.ask('GET', at)).headers.range).toBe('0-0')
})

test('an id that no server would make is unknown, and a server that is read-only accepts none', async () => {
  await using machines = await twoMachines()
  expect((await machines.one.ask('GET', '/v2/app/blobs/uploads/1')).status).toBe(404)
  await using readers = await twoMachines({ readOnly: true })
  const at = `/v2/app/blobs/uploads/${randomUUID()}`
  expect((await readers.one.ask('GET', at)).status).toBeGreaterThanOrEqual(400)
})

test('an upload of another algorithm stays at the server that started it', async () => {
  await using machines = await twoMachines()
  const { one } = machines
  const sha512 = `sha512:${createHash('sha512').update(bytes).digest('hex')}`
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/?digest-algorithm=sha512')).headers.location!
  expect((await one.ask('PATCH', at, { body: bytes.subarray(0, 10) })).status).toBe(202)
  expect((await one.ask('PUT', `${at}?digest=${sha512}`, { body: bytes.subarray(10) })).status).toBe(201)
})
