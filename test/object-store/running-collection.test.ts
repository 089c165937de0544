import { expect, onTestFinished, test } from 'vitest'
import { BucketError } from '../../lib/errors/index.ts'
import { RunningCollection } from '../../lib/object-store/announce/running-collection.ts'

const lost = new BucketError('ERR_BUCKET_NETWORK', 'lost', {
  method: 'POST',
  url: 'http://bucket.test',
  retryable: true,
})

async function announced(): Promise<RunningCollection> {
  const record = { version: 1, generation: 1, holder: null, batch: null } as const
  const write = async () => ({ record, facts: { etag: '"1"' } })
  const running = new RunningCollection(write, { record, facts: { etag: '"0"' } })
  onTestFinished(() => running.end())
  await running.announce({ blobs: [], names: [] })
  return running
}

async function timeOf(act: Promise<unknown>): Promise<number> {
  const began = performance.now()
  await act.catch(() => undefined)
  return performance.now() - began
}

test('a removal ends five seconds after an answer was lost: the service may still carry it out', async () => {
  const running = await announced()
  const repeated = running.send(async ({ onRepeat }) => onRepeat())
  const failed = running.send(() => Promise.reject(lost))
  expect(Math.min(...(await Promise.all([timeOf(repeated), timeOf(failed)])))).toBeGreaterThan(4900)
})

test('a removal without an answer ends as soon as all its objects are gone, unless it was repeated', async () => {
  const running = await announced()
  let looks = 0
  const isDone = async () => ++looks === 1
  await expect(running.send(() => Promise.reject(lost), isDone)).rejects.toBe(lost)
  expect(looks).toBe(1)
  const repeated = async ({ onRepeat }: { onRepeat: () => void }) => {
    onRepeat()
    throw lost
  }
  expect(await timeOf(running.send(repeated, isDone))).toBeGreaterThan(4900)
  expect(looks).toBe(1)
})

test('a removal that is refused for good ends at once', async () => {
  const running = await announced()
  const refused = new BucketError('ERR_BUCKET_DENIED', 'refused', { method: 'POST', url: 'http://bucket.test' })
  const isDone = () => Promise.reject(new Error('not asked'))
  await expect(running.send(() => Promise.reject(refused), isDone)).rejects.toBe(refused)
})
