import { describe, expect, test } from 'vitest'
import { parseRetryAfter } from '../../lib/registry/answers/retry-after.ts'
import { parseWarnings } from '../../lib/registry/answers/warnings.ts'
import { cleanText } from '../../lib/registry/answers/wire-errors.ts'
import { parseContentRange, parseUnsatisfiedRange } from '../../lib/registry/blobs/content-range.ts'

describe('parseRetryAfter', () => {
  const now = Date.parse('Sat, 21 Nov 2026 12:00:00 GMT')
  test.each([
    ['5', 5000],
    ['0', 0],
    ['1000000000', 1e12],
    ['9'.repeat(40), Number.MAX_SAFE_INTEGER],
    ['Sat, 21 Nov 2026 12:00:10 GMT', 10_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Sat, whenever', undefined],
    ['2026', 2026_000],
    ['2026-11-21', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('HT-18: %j means %j ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected)
  })
})

describe('parseContentRange', () => {
  test.each([
    ['bytes 0-9/10', { first: 0, last: 9, total: 10 }],
    ['bytes 5-5/*', { first: 5, last: 5, total: undefined }],
    ['bytes 5-4/10', undefined],
    ['bytes 5-10/10', undefined],
    ['bytes 0-9', undefined],
    ['0-9/10', undefined],
    ['bytes=0-9/10', undefined],
    ['bytes 0-9/10, bytes 0-9/10', undefined],
    ['bytes -1-9/10', undefined],
    [`bytes 0-${'9'.repeat(20)}/*`, undefined],
    [undefined, undefined],
  ])('HT-15: reads %j', (header, expected) => {
    expect(parseContentRange(header)).toEqual(expected)
  })

  test('HT-16: reads the total of an unsatisfied range', () => {
    expect(parseUnsatisfiedRange('bytes */10')).toBe(10)
    expect(parseUnsatisfiedRange('bytes 0-9/10')).toBeUndefined()
    expect(parseUnsatisfiedRange(undefined)).toBeUndefined()
  })
})

test('HT-33: several warnings are parsed from a header, without control characters', () => {
  expect(parseWarnings('299 - "old \\"tag\\"", 299 - "second\u001b[31m"')).toEqual(['old "tag"', 'second [31m'])
  expect(parseWarnings('110 - "stale"')).toEqual([])
  expect(parseWarnings(undefined)).toEqual([])
})

test("HT-26: a registry's text is shortened and stripped of terminal control characters", () => {
  expect(cleanText('a\u001b[2Jb\r\n\u202ec')).toBe('a [2Jb c')
  expect(cleanText('x'.repeat(1000))).toHaveLength(512)
  expect(cleanText({})).toBe('')
})
