import { describe, expect, test } from 'vitest'
import { alternate } from '../../bench/harness/measure/alternate.mjs'
import { mad, median, percentile, summarize } from '../../bench/harness/measure/statistics.mjs'

describe('statistics of the benchmarks', () => {
  test('the median is the middle value, or the mean of the middle two, whatever the order', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([10, 9, 100, 1])).toBe(9.5)
    expect(() => median([])).toThrow('no values')
  })

  test('a percentile is the value below which a share of the sorted values lies', () => {
    const values = Array.from({ length: 200 }, (_, i) => i)
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile([7], 0.99)]).toEqual([100, 198, 7])
    expect(() => percentile([], 0.5)).toThrow('no values')
  })

  test('the median absolute deviation is not moved by one outlier', () => {
    expect(mad([1, 2, 3, 4, 5])).toBe(1)
    expect(mad([1, 2, 3, 4, 1000])).toBe(1)
    expect(mad([7, 7, 7])).toBe(0)
  })

  test('samples are summarized figure by figure, and what was not measured is left out', () => {
    const samples = [
      { seconds: 1, peakBytes: undefined, note: 'x' },
      { seconds: 3, peakBytes: 50 },
    ]
    expect(summarize(samples)).toEqual({
      seconds: { median: 2, mad: 1, n: 2 },
      peakBytes: { median: 50, mad: 0, n: 1 },
    })
  })

  test('contenders take turns, the order reversed in every other round', async () => {
    const order: string[] = []
    const samples = await alternate(['a', 'b', 'c'], 3, async (name: string, round: number) => {
      order.push(name)
      return `${name}${round}`
    })
    expect(order.join('')).toBe('abccbaabc')
    expect(samples[1]).toEqual(['b0', 'b1', 'b2'])
  })

  test('a slow contender may sit out the later rounds', async () => {
    const samples = await alternate(['fast', 'slow'], 3, async (name: string) => name, {
      roundsOf: (name: string) => (name === 'slow' ? 1 : 3),
    })
    expect(samples.map((taken: string[]) => taken.length)).toEqual([3, 1])
  })

  test('a first round that was run before counts, and the next one is the second', async () => {
    const order: string[] = []
    const samples = await alternate(
      ['a', 'b'],
      3,
      async (name: string, round: number) => {
        order.push(name)
        return `${name}${round}`
      },
      { taken: ['a0', 'b0'] },
    )
    expect(order.join('')).toBe('baab')
    expect(samples).toEqual([
      ['a0', 'a1', 'a2'],
      ['b0', 'b1', 'b2'],
    ])
  })
})
