// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { expect, test } from 'vitest'
import { type ExpandOptions, expandWord } from '../../lib/dockerfile/expansion/expand-word.ts'

const values: Record<string, string> = { A: 'abc', B: 'x y', L: 'a\nb' }
const expand = (text: string, options: Partial<ExpandOptions> = {}) =>
  expandWord(text, { lookup: name => values[name], ...options })

test.each<[string, string]>([
  ['${NOPE}', '${NOPE}'],
  ['$NOPE', '$NOPE'],
  ['${NOPE:-a$A}', '${NOPE:-aabc}'],
  ['${NOPE#a}', '${NOPE#a}'],
  ['${NOPE/a/b}', '${NOPE/a/b}'],
  ['${NOPE//a/b}', '${NOPE//a/b}'],
  ['$A', 'abc'],
])('variables that are not set may stay: %s', (text, expected) => {
  expect(expand(text, { keepUnset: true }).text).toBe(expected)
})

test('quotes and escapes may stay', () => {
  const text = `'a $A' "b\\"c $A" \\$A \\x`
  expect(expand(text, { keepQuotes: true }).text).toBe(`'a $A' "b"c abc" $A x`)
  expect(expand(text, { keepQuotes: true, keepEscapes: true }).text).toBe(`'a $A' "b\\"c abc" \\$A \\x`)
  expect(expand(text, { ignoreQuotes: true }).text).toBe(`'a abc' "b"c abc" $A x`)
  expect(expand('a\\', { keepEscapes: true }).text).toBe('a\\')
  expect(expand('"a\\b\\', { ignoreQuotes: true }).text).toBe('"ab')
  expect(() => expand('"a\\')).toThrow('a double quote " is not closed')
})

test('the result may be split at white space outside quotes', () => {
  expect(expand('$B "c d" e\\ f  g', { split: true }).words).toEqual(['x', 'y', 'c d', 'e f', 'g'])
  expect(expand('a << E <b <<<c', { split: true, heredocs: true }).words).toEqual(['a', '<< E', '<b', '<<<c'])
  expect(expand('"" \'\'', { split: true }).words).toEqual([])
})

test('stars and question marks do not match a line feed', () => {
  expect(expand('${L%%*}').text).toBe('a\n')
  expect(expand('${L/?b/x}').text).toBe('a\nb')
  expect(expand('${L//?/x}').text).toBe('x\nx')
})

test('the longest match is taken from the leftmost place, and none if there is none', () => {
  values.P = 'a.b.c/d.e'
  expect(expand('${P/.*./-}').text).toBe('a-e')
  expect(expand('${P/z*/-}').text).toBe('a.b.c/d.e')
  expect(expand('${P##z*}${P%z}').text).toBe('a.b.c/d.ea.b.c/d.e')
  expect(expand('${P//./}').text).toBe('abc/de')
  expect(expand('${P//*/-}').text).toBe('-')
})

test('names that were found and not found are reported', () => {
  const { matched, unmatched } = expand('$A ${NOPE:-$B} $$')
  expect([[...matched], [...unmatched]]).toEqual([
    ['A', 'B'],
    ['NOPE', '$'],
  ])
})

test.each([
  ['${', 'missing } of ${'],
  ['${A:', 'missing } of ${'],
  ['${A:-b', 'missing }'],
  ['${A:-\\}', 'missing }'],
  ['${A/b', 'missing /'],
  ['${A/b/c', 'missing }'],
  ['${A!b}', 'unsupported modifier ! in substitution of A'],
  ['${A#\\', 'missing }'],
  ['${A#a\\b}', 'invalid pattern "a\\\\b" in substitution'],
])('%s is a fault', (text, message) => {
  expect(() => expand(text)).toThrow(message)
})

test('results and work are bounded', () => {
  values.LONG = 'x'.repeat(200_000)
  expect(() => expand('$LONG$LONG')).toThrow('the result has more than 262144 characters')
  expect(expand('$LONG$LONG', { limit: 400_000 }).text).toHaveLength(400_000)
  expect(() => expand('x'.repeat(300_000))).toThrow('more than 262144 characters')
  expect(() => expand(`\${LONG#${'?'.repeat(1000)}}`)).toThrow('too long together')
  expect(() => expand(`${'${Z:-'.repeat(101)}${'}'.repeat(101)}`)).toThrow('nested too deeply')
})
