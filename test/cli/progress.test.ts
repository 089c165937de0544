import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createProgressDisplay } from '../../lib/cli/printing/progress-display.ts'
import { formatDuration, progressLine } from '../../lib/cli/printing/progress-line.ts'
import { TransferRate } from '../../lib/cli/printing/transfer-rate.ts'
import type { AnyPlan, TransferProgress } from '../../lib/transfer/index.ts'

describe('a line of progress', () => {
  const moving = { label: '4f6b566391d4', bytes: 3e6, size: 12e6, rate: 1.5e6 }

  test.each([
    [92, '4f6b566391d4 [==========                              ] 3.00MB/12.0MB 1.50MB/s     6s'],
    [60, '4f6b566391d4 [====          ] 3.00MB/12.0MB 1.50MB/s     6s'],
    [50, '4f6b566391d4 [===          ] 3.00MB/12.0MB     6s'],
    [40, '4f6b566391d4 [===         ]  25%     6s'],
    [30, '4f6b566391d4 [==       ]  25%'],
    [20, '4f6b566391d4'],
    [10, '4f6b56639'],
  ])('at %i columns is as full as fits, and never wraps', (columns, text) => {
    expect(progressLine(moving, columns)).toBe(text)
    expect(progressLine({ ...moving, bytes: 999e9, size: 999e9, rate: 999e9 }, columns).length).toBeLessThan(columns)
  })

  test('says nothing of a rate that is not known, and no time for what does not move', () => {
    expect(progressLine({ ...moving, rate: undefined }, 80)).toMatch(/\] 3\.00MB\/12\.0MB$/)
    expect(progressLine({ ...moving, rate: 0 }, 80)).toMatch(/ {2}0B\/s$/)
    expect(progressLine({ ...moving, bytes: 12e6 }, 80)).toMatch(/\[=+\] 12\.0MB\/12\.0MB 1\.50MB\/s$/)
    expect(progressLine({ ...moving, bytes: 0, size: 0 }, 40)).toContain('100%')
  })

  test('writes times as people do', () => {
    expect([0.2, 59, 60, 250, 3599.5, 3900, 1e6].map(formatDuration)).toEqual([
      ...['1s', '59s', '1m00s', '4m10s', '1h00m', '1h05m', '> 99h'],
    ])
  })
})

describe('a rate', () => {
  test('is that of the last seconds, without the bytes of earlier attempts', () => {
    const rate = new TransferRate()
    rate.add(5_000_000, 0)
    expect(rate.at(100)).toBeUndefined()
    for (let at = 50; at <= 10_000; at += 50) rate.add(5_000_000 + at * 1000, at)
    expect(rate.at(10_000)! / 1e6).toBeCloseTo(1, 1)
    for (let at = 10_050; at <= 20_000; at += 50) rate.add(15_000_000, at)
    expect(rate.at(20_000)).toBe(0)
  })

  test('falls while nothing arrives', () => {
    const rate = new TransferRate()
    rate.add(0, 0)
    rate.add(1_000_000, 1000)
    expect(rate.at(1000)).toBe(1_000_000)
    expect(rate.at(4000)).toBe(250_000)
  })
})

describe('the display of a transfer', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  /** A display on a terminal, and what it has written so far. */
  function open(options: { columns?: number; rows?: number; isTTY?: boolean; env?: NodeJS.ProcessEnv } = {}) {
    const { env = {}, isTTY = true, columns = 60, rows = 24 } = options
    const stderr = Object.assign(new PassThrough(), { isTTY, columns, rows })
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr }
    const display = createProgressDisplay({ ...streams, env, signal: new AbortController().signal }, false)
    return { display, text: () => String(stderr.read() ?? '') }
  }
  const blob = (n: number, state: string, bytes: number) =>
    ({
      ...{ type: 'blob', digest: `sha256:${String(n).padStart(64, '0')}`, state, bytes, size: 1000 },
      ...{ totalBytes: bytes, totalSize: 4000 },
    }) as TransferProgress
  const plan = {
    steps: [
      { need: 'present', descriptor: { digest: `sha256:${'a'.repeat(64)}`, size: 5 } },
      { need: 'fetch', descriptor: { digest: 'x', size: 1 } },
    ],
  } as unknown as AnyPlan

  test('shows what is there already, then draws at most ten times a second', () => {
    const { display, text } = open()
    display.showPresent(plan)
    expect(text()).toBe('\u001b[2maaaaaaaaaaaa: already there (5B)\u001b[0m\n')
    for (let i = 0; i < 50; i++) display.onProgress(blob(1, i === 0 ? 'start' : 'moving', i))
    expect(text()).toBe('000000000000 [              ]     0B/1.00kB\ntotal        [              ]     0B/4.00kB\n')
    vi.advanceTimersByTime(350)
    expect(text().split('\u001b[0J')).toHaveLength(4)
    display.onProgress(blob(1, 'done', 1000))
    expect(text()).toBe('\r\u001b[2A\u001b[0J\u001b[32m000000000000: done (1.00kB)\u001b[0m\n')
    display.close()
    expect(text()).toBe('')
    vi.advanceTimersByTime(1000)
    expect(text()).toBe('')
  })

  test('has no colours with NO_COLOR, and neither bars nor colours on a dumb terminal or in a log', () => {
    const plain = open({ env: { NO_COLOR: '1' } })
    plain.display.showPresent(plan)
    plain.display.onProgress(blob(1, 'done', 1000))
    expect(plain.text()).toBe('aaaaaaaaaaaa: already there (5B)\n000000000000: done (1.00kB)\n')
    for (const options of [{ env: { TERM: 'dumb' } }, { isTTY: false }]) {
      const { display, text } = open(options)
      display.showPresent(plan)
      display.onProgress(blob(1, 'moving', 10))
      display.onProgress(blob(1, 'done', 1000))
      display.close()
      expect(text()).toBe('000000000000: done (1.00kB)\n')
    }
  })

  test('draws no more lines than the screen has, since it could not erase them', () => {
    const { display, text } = open({ rows: 8 })
    for (let i = 0; i < 20; i++) display.onProgress(blob(i, 'moving', 10))
    vi.advanceTimersByTime(100)
    const drawn = text().split('\u001b[0J').at(-1)!.trimEnd().split('\n')
    expect(drawn).toHaveLength(6)
    expect(drawn.at(-2)).toBe('and 16 more')
    display.note('a note')
    expect(text()).toBe('\r\u001b[6A\u001b[0Ja note\n')
    display.close()
  })
})
