import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { sendBody } from '../../../lib/internal/http/send-body.ts'

const MiB = 1024 * 1024
const { signal: over } = new AbortController()

/** A connection that takes 25 ms for a MiB, and tells of a write when the whole of it is sent. */
function slowCall() {
  const call = new Writable({
    write: (chunk, _, done) => void setTimeout(done, (chunk.byteLength / MiB) * 25),
  })
  const faults: Error[] = []
  call.on('error', error => faults.push(error))
  return { call, faults }
}

test('one large buffer over a slow connection makes progress before its last byte is sent', async () => {
  const { call, faults } = slowCall()
  const body = { size: 16 * MiB, open: () => [Buffer.alloc(16 * MiB)] }
  await sendBody(call, body, { what: 'upload', idleMs: 250, over })
  expect(faults).toEqual([])
  expect(call.writableEnded).toBe(true)
})

test('a connection without progress is destroyed', async () => {
  const { call, faults } = slowCall()
  await sendBody(call, { size: MiB, open: () => [Buffer.alloc(MiB)] }, { what: 'upload', idleMs: 5, over })
  await expect
    .poll(() => faults)
    .toMatchObject([{ code: 'ETIMEDOUT', message: 'no progress of the upload within 5 ms' }])
})
