import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TransferProgress } from '../../lib/transfer/index.ts'
import { ProgressMeter } from '../../lib/transfer/running/progress.ts'

const digest = `sha256:${'1'.repeat(64)}` as never
const other = `sha256:${'2'.repeat(64)}` as never

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a thousand chunks in a second give at most ten `moving` events, besides start and end', () => {
  const events: TransferProgress[] = []
  const meter = new ProgressMeter(event => events.push(event), 1000)
  meter.start(digest, 1000, 0)
  for (let i = 0; i < 1000; i++) {
    vi.advanceTimersByTime(1)
    meter.add(digest, 1000, 1)
  }
  meter.end(digest, 1000, 'done')
  const states = events.map(event => event.type === 'blob' && event.state)
  expect(states.filter(state => state === 'moving')).toHaveLength(10)
  expect(states.at(0)).toBe('start')
  const totals = events.filter(event => event.type === 'total')
  expect(totals.length).toBeGreaterThan(5)
  expect(totals.length).toBeLessThanOrEqual(11)
  expect(events.findLast(event => event.type === 'blob')).toMatchObject({
    state: 'done',
    bytes: 1000,
    totalBytes: 1000,
    totalSize: 1000,
  })
})

test('the total is right for blobs that are resumed, moved, moved again and already present', () => {
  const events: TransferProgress[] = []
  const meter = new ProgressMeter(event => events.push(event), 150)
  meter.start(digest, 100, 40)
  vi.advanceTimersByTime(200)
  meter.add(digest, 100, 20)
  meter.add(digest, 100, -60)
  meter.end(other, 50, 'present')
  meter.end(digest, 100, 'done')
  meter.name('app:1', digest)
  const bytes = events.flatMap(event => (event.type === 'blob' ? [event.totalBytes] : []))
  expect(bytes).toEqual([40, 60, 50, 150])
  expect(events.at(-2)).toEqual({ type: 'total', bytes: 150, size: 150, blobsDone: 2 })
})
