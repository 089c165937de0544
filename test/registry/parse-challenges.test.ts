import { describe, expect, test } from 'vitest'
import { parseChallenges } from '../../lib/registry/auth/parse-challenges.ts'
import { expectBoundedTime } from '../helpers/processor-time.ts'

const parse = (header: string | undefined) =>
  parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }))

describe('parseChallenges', () => {
  test('reads the challenge of a common registry, commas in quotes included', () => {
    const header = 'Bearer realm="https://auth.example/token",service="s",scope="repository:a/b:pull,push"'
    expect(parse(header)).toEqual([
      { scheme: 'bearer', realm: 'https://auth.example/token', service: 's', scope: 'repository:a/b:pull,push' },
    ])
  })

  test('HT-09: reads several challenges of one header', () => {
    expect(parse('Basic realm="x", Bearer realm="https://a/t", service="s"')).toEqual([
      { scheme: 'basic', realm: 'x' },
      { scheme: 'bearer', realm: 'https://a/t', service: 's' },
    ])
    expect(parse('Negotiate, BASIC realm=plain , Bearer REALM = "r"')).toEqual([
      { scheme: 'negotiate' },
      { scheme: 'basic', realm: 'plain' },
      { scheme: 'bearer', realm: 'r' },
    ])
  })

  test('HT-09: unescapes quoted text, and uses the first of two equal parameters', () => {
    expect(parse('Bearer realm="a\\"b\\\\c",realm="other"')).toEqual([{ scheme: 'bearer', realm: 'a"b\\c' }])
  })

  test.each([
    ['Bearer realm="never closed', [{ scheme: 'bearer', realm: 'never closed' }]],
    ['Bearer realm=,service="s"', [{ scheme: 'bearer', realm: '', service: 's' }]],
    ['="x"', [{ scheme: 'x' }]],
    ['"""', []],
    ['', []],
    [undefined, []],
  ])('HT-09: parses the valid parts of %j', (header, expected) => {
    expect(parse(header)).toEqual(expected)
  })

  test.each(['"', '\\"', 'a ', 'a=', 'a="\\', ',', '\\'])(
    'HT-09: parses 64 KiB of %j without backtracking',
    async piece => {
      const header = piece.repeat(65_536 / piece.length)
      await expectBoundedTime(piece, header.length, async () => {
        expect(parse(header)).toBeInstanceOf(Array)
        return 0
      })
    },
  )
})
