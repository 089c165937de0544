import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { RegistryServerOptions } from '../../lib/server/index.ts'
import { runningServer } from '../helpers/running-server.ts'

const MIB = 1024 * 1024

/** Sends a request with a whole body of 8 MiB, and resolves to the answer. */
async function sendAll(url: string, method: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
  })
  const closed = new Promise<void>((resolve, reject) => socket.once('close', () => resolve()).once('error', reject))
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${8 * MIB}\r\n\r\n`)
  for (let i = 0; i < 8; i++) socket.write(Buffer.alloc(MIB))
  await closed
  return text
}

test.each<[string, number, RegistryServerOptions, string, string]>([
  ['no log-in', 401, { authorize: () => false }, 'PATCH', '/v2/app/blobs/uploads/x'],
  ['no permission', 403, { authorize: () => 'denied' }, 'PUT', '/v2/app/manifests/1'],
  ['an unknown upload', 404, {}, 'PATCH', '/v2/app/blobs/uploads/x'],
  ['a manifest that is too large', 413, {}, 'PUT', '/v2/app/manifests/1'],
  ['a read-only server', 405, { readOnly: true }, 'POST', '/v2/app/blobs/uploads/?digest=x'],
  ['an endpoint without a body', 200, {}, 'GET', '/v2/'],
])(
  'a client that sends the whole refused body gets the answer and a closed connection: %s',
  async (_, status, options, ...of) => {
    await using registry = await runningServer(options)
    const text = await sendAll(registry.url, ...of)
    const [head, body] = text.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head).toMatch(/^connection: close$/im)
    expect(Buffer.byteLength(body!)).toBe(Number(/^content-length: (\d+)$/im.exec(head!)![1]))
  },
)

test('an answer after a body that was read leaves the connection open', async () => {
  await using registry = await runningServer()
  const answer = await registry.ask('PUT', '/v2/app/manifests/1', { body: '{}', headers: { connection: 'keep-alive' } })
  expect([answer.status, answer.headers.connection]).toEqual([400, 'keep-alive'])
})
