import { describe, expect, test } from 'vitest'
import { checkRules, parseDiveRules, parseRule } from '../../lib/inspect/index.ts'

describe('a .dive-ci file', () => {
  test('of the documentation of dive is read', () => {
    const text = `rules:
  # If the efficiency is measured below X%, mark as failed.
  # Expressed as a ratio between 0-1.
  lowestEfficiency: 0.95

  # If the amount of wasted space is at least X or larger than X, mark as failed.
  # Expressed in B, KB, MB, and GB.
  highestWastedBytes: 20MB

  highestUserWastedPercent: 0.20  # a share
`
    expect(parseDiveRules(text)).toEqual({
      lowestEfficiency: 0.95,
      highestWastedBytes: 20_000_000,
      highestUserWastedPercent: 0.2,
    })
  })

  test('that names no rule has the defaults of dive; new names, quotes and disabled rules are read', () => {
    expect(parseDiveRules('')).toEqual({ lowestEfficiency: 0.9, highestUserWastedPercent: 0.1 })
    const text = "---\r\nrules:\r\n  lowest-efficiency-threshold: \"disabled\"\r\n  'highest_wasted_bytes': '1GiB'\r\n"
    expect(parseDiveRules(text)).toEqual({
      lowestEfficiency: undefined,
      highestWastedBytes: 2 ** 30,
      highestUserWastedPercent: 0.1,
    })
  })

  test.each([
    ['rules:\n  lowestEfficency: 0.9', 'line 2'],
    ['lowestEfficiency: 0.9', 'line 1'],
    ['rules:\n  lowestEfficiency: 1.5', 'a share from 0 to 1'],
    ['rules:\n  highestWastedBytes: much', 'a size such as 20MB'],
    ['rules:\n  - lowestEfficiency', 'line 2'],
  ])('%j is refused', (text, message) => {
    expect(() => parseDiveRules(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    expect(() => parseDiveRules(text)).toThrow(message)
  })

  test.each([
    ['20MB', 20_000_000],
    ['20 mb', 20_000_000],
    ['1,000', 1000],
    ['1.5KiB', 1536],
    ['0', 0],
    ['off', undefined],
    ['', undefined],
  ])('the size %j is %j', (text, bytes) => {
    expect(parseRule('highestWastedBytes', text)).toBe(bytes)
  })
})

describe('rules', () => {
  const figures = {
    efficiency: { score: 0.9, wastedBytes: 100, userWastedPercent: 0.5, sizeBytes: 1000 },
    blobBytes: 400,
    secrets: { count: 1 },
  }

  test('pass for a figure that equals its limit, and fail beyond it', () => {
    const equal = { lowestEfficiency: 0.9, highestWastedBytes: 100, highestUserWastedPercent: 0.5, highestSize: 400 }
    expect(checkRules(figures, equal).map(({ passed }) => passed)).toEqual([true, true, true, true])
    const beyond = {
      lowestEfficiency: 0.91,
      highestWastedBytes: 99,
      highestUserWastedPercent: 0.49,
      highestSize: 399,
      highestUnpackedSize: 999,
      highestSecrets: 0,
    }
    expect(checkRules(figures, beyond)).toEqual([
      { rule: 'lowestEfficiency', passed: false, limit: 0.91, actual: 0.9 },
      { rule: 'highestWastedBytes', passed: false, limit: 99, actual: 100 },
      { rule: 'highestUserWastedPercent', passed: false, limit: 0.49, actual: 0.5 },
      { rule: 'highestSize', passed: false, limit: 399, actual: 400 },
      { rule: 'highestUnpackedSize', passed: false, limit: 999, actual: 1000 },
      { rule: 'highestSecrets', passed: false, limit: 0, actual: 1 },
    ])
  })

  test('without a limit are not checked; a limit that means nothing is refused', () => {
    expect(checkRules(figures, { lowestEfficiency: undefined })).toEqual([])
    for (const rules of [{ lowestEfficiency: 2 }, { highestSize: -1 }, { highestWastedBytes: Number.NaN }]) {
      expect(() => checkRules(figures, rules)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    }
  })
})
