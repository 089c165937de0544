import { createHash, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { twoMachines } from '../helpers/two-servers.ts'

const bytes = Buffer.from('the bytes of a blob, chunk by chunk')

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
