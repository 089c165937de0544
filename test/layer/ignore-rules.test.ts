import { describe, expect, test } from 'vitest'
import { createIgnoreRules, parseIgnoreFile } from '../../lib/layer/index.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { expectBoundedTime } from '../helpers/processor-time.ts'

const ignored = (patterns: string[], paths: string[]) => paths.filter(path => createIgnoreRules(patterns).ignores(path))

describe('patterns', () => {
  test.each<[string[], string[], string[]]>([
    [['a'], ['a', 'a/b', 'b/a', 'ab'], ['a', 'a/b']],
    [['*.js'], ['x.js', '.js', 'd/x.js', 'x.jsx'], ['x.js', '.js']],
    [['**/*.js'], ['x.js', 'd/x.js', 'd/e/x.js', 'd/x.ts'], ['x.js', 'd/x.js', 'd/e/x.js']],
    [['a/**'], ['a', 'a/b', 'a/b/c', 'ab'], ['a/b', 'a/b/c']],
    [['a/**/z'], ['a/z', 'a/b/z', 'a/b/c/z', 'az', 'a/bz'], ['a/z', 'a/b/z', 'a/b/c/z']],
    [['a**/z'], ['a/z', 'az', 'ab/z', 'ab/c/z'], ['a/z', 'az', 'ab/z', 'ab/c/z']],
    [['**end'], ['end', 'theend', 'd/theend', 'ends'], ['end', 'theend', 'd/theend']],
    [['**'], ['a', 'a/b', '.x'], ['a', 'a/b', '.x']],
    [['?'], ['a', 'ab', 'a/b', 'ü'], ['a', 'a/b', 'ü']],
    [['[a-c]x'], ['ax', 'dx', 'cx/y'], ['ax', 'cx/y']],
    [['[^a-c]x'], ['ax', 'dx'], ['dx']],
    [['[\\]]'], [']', 'a'], [']']],
    [
      ['[a\\-c]', '[x\\]-^]'],
      ['a', 'b', '-', ']', '^', 'x', 'y'],
      ['a', '-', ']', '^', 'x'],
    ],
    [['\\*'], ['*', 'a'], ['*']],
    [['a.b+(c)|$'], ['a.b+(c)|$', 'axb+(c)|$'], ['a.b+(c)|$']],
    [['/a/./b//c/'], ['a/b/c', 'a/b'], ['a/b/c']],
    [['.', ' ', ''], ['a', 'b'], []],
    [['x/../a'], ['a', 'x'], ['a']],
    [
      ['*', '!keep'],
      ['a', 'keep', 'keep/x', 'd/keep'],
      ['a', 'd/keep'],
    ],
    [
      ['d', '!d/keep', 'd/keep/not'],
      ['d', 'd/x', 'd/keep/y', 'd/keep/not/z'],
      ['d', 'd/x', 'd/keep/not/z'],
    ],
    [['! a', 'a', '!  a'], ['a'], []],
    // As BuildKit: a `!` that takes nothing back at a directory does not count for what is in it.
    [
      ['**/*.md', '!docs'],
      ['a.md', 'docs', 'docs/a.md', 'docs/b/c.md'],
      ['a.md', 'docs/a.md', 'docs/b/c.md'],
    ],
    [['**/*.md', '!docs/**'], ['a.md', 'docs', 'docs/a.md', 'docs/b/c.md'], ['a.md']],
    [
      ['d', '!d/a', 'd'],
      ['d', 'd/a', 'd/a/x', 'd/b'],
      ['d', 'd/b'],
    ],
  ])('%j of %j leaves out %j', (patterns, paths, expected) => {
    expect(ignored(patterns, paths)).toEqual(expected)
  })

  test.each([
    '!',
    '! ',
    '[',
    '[]',
    '[a',
    '[b-a]',
    '[-]',
    'a\\',
    '[a-',
    '[x-]',
    '[a-b-c]',
    '[^-a]',
    '[^]a]',
    '[]a]',
    '[a--]',
    '[\\',
  ])('%j is refused', pattern => {
    expect(() => createIgnoreRules([pattern])).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })

  test('a directory is looked into only if something in it may be taken back', () => {
    const { mayTakeBackBelow } = createIgnoreRules(['*', '!a/b', '!c\\*', '!d/*/e'])
    expect(['a', 'a/b', 'a/c', 'b', 'c*', 'd', 'd/x', 'e'].map(mayTakeBackBelow)).toEqual([
      ...[true, true, false, false, true],
      ...[true, true, false],
    ])
    expect(createIgnoreRules(['a', '!**/x']).mayTakeBackBelow('a')).toBe(true)
    expect(createIgnoreRules(['a']).mayTakeBackBelow('a')).toBe(false)
  })

  test.each(['a'.repeat(2000), 'a/'.repeat(200)])('match many stars in linear time: %.4s…', async path => {
    const patterns = [`${'*a'.repeat(50)}b`, `${'**/a'.repeat(50)}b`, `${'[^b]*'.repeat(50)}c`]
    const rules = createIgnoreRules(patterns)
    await expectBoundedTime('stars', path.length * patterns.length, async () => {
      expect(rules.ignores(path)).toBe(false)
      return 0
    })
  })

  test('agree with regular expressions on short ones', () => {
    const piece = fc.constantFrom('a', 'b', '.', '*', '**/', '?', '/', '[ab]', '[^a]')
    const path = fc.array(
      fc.array(fc.constantFrom('a', 'b', '.x', 'ab'), { minLength: 1, maxLength: 2 }).map(p => p.join('')),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), path, (pieces, names) => {
        const pattern = pieces.join('')
        // Two stars that happen to meet are something else, and paths are cleaned first.
        fc.pre(!pieces.some((one, i) => one === '*' && pieces[i + 1]?.startsWith('*')))
        fc.pre(!/\/\/|^\/|\/$|^\.+$|\/\.+(\/|$)|^\.+\/|\*\*\*|\*\*$/.test(pattern))
        const matcher = new RegExp(`^${pieces.map(toExpression).join('')}$`)
        const expected = names.some((_, i) => matcher.test(names.slice(0, i + 1).join('/')))
        expect(createIgnoreRules([pattern]).ignores(names.join('/'))).toBe(expected)
      }),
      { numRuns: cases(500) },
    )
  })
})

function toExpression(piece: string): string {
  return { '*': '[^/]*', '**/': '(?:.*/)?', '?': '[^/]', '.': '\\.' }[piece] ?? piece
}

test('a file of patterns has comments, empty lines and perhaps a byte order mark', () => {
  expect(parseIgnoreFile('\ufeff# all\r\na  \r\n\r\n  # not a comment, a pattern\n!b\n')).toEqual([
    'a',
    '# not a comment, a pattern',
    '!b',
  ])
})
