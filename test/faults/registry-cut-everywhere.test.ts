import { describe, expect, test } from 'vitest'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startRawServer } from '../helpers/start-raw-server.ts'

const { bytes, descriptor } = sampleBlob(2000)

/** Starts a registry that closes its first connection after `cutAt` bytes of the answer, and then answers correctly. */
const startCutting = (cutAt: number, answers: { ranges: boolean; reset: boolean }) => {
  let connections = 0
  return startRawServer(socket => {
    const isFirst = connections++ === 0
    let head = ''
    socket.on('data', data => {
      head += data.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      const from = answers.ranges ? Number(/range: bytes=(\d+)-/i.exec(head)?.[1] ?? 0) : 0
      head = ''
      const status = from > 0 ? `206 Partial Content\r\nContent-Range: bytes ${from}-1999/2000` : '200 OK'
      const length = `Content-Length: ${2000 - from}`
      const answer = Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${length}\r\n\r\n`), bytes.subarray(from)])
      if (!isFirst) return socket.write(answer)
      return socket.write(answer.subarray(0, cutAt), () => (answers.reset ? socket.resetAndDestroy() : socket.end()))
    })
  })
}

describe('a fetch that is cut at any byte of the answer', () => {
  test.each([
    { ranges: true, reset: false },
    { ranges: true, reset: true },
    { ranges: false, reset: false },
  ])('HT-10, HT-13, HT-14: gives the right bytes nevertheless, %j', async answers => {
    for (let cutAt = 0; cutAt < 2040; cutAt += cutAt < 45 ? 1 : 97) {
      await using server = await startCutting(cutAt, answers)
      await using registry = registryClientFor()
      const got = await readAll(registry.fetchBlob({ registry: server.host, repository: 'a' }, descriptor))
      expect(got.equals(bytes), `cut at ${cutAt}`).toBe(true)
    }
  })
})
