import { createHash } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { createStreamDigester, verifyBcrypt } from '../../lib/digest/index.ts'

vi.mock('node:worker_threads', async original => ({
  ...(await original<typeof import('node:worker_threads')>()),
  Worker: class {
    constructor() {
      throw Object.assign(new Error('no threads here'), { code: 'ERR_ACCESS_DENIED' })
    }
  },
}))

// `hunter2`, made by `htpasswd -B`.
const HASH = '$2y$05$Ad1LUlOTkC63mhty4f0p4e1vGqriLPU7LoM70zb4ht5OyhfqSXffq'

test('where no thread can be started, the calling thread hashes streams and checks passwords', async () => {
  const bytes = Buffer.alloc(8 * 1024 * 1024, 'bytes ')
  const digester = await createStreamDigester()
  for (let at = 0; at < bytes.length; at += 65_536) await digester.update(bytes.subarray(at, at + 65_536))
  expect(await digester.digest()).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  expect(await verifyBcrypt('hunter2', HASH)).toBe(true)
  expect(await verifyBcrypt('hunter3', HASH)).toBe(false)
})
