import { posix } from 'node:path'
import { FormatError } from '../../errors/index.ts'

/**
 * A token of a pattern: one character, one character of a class, any run within a name (`*`), or any run at all (`**`
 * at the end). `**` before another token gives two tokens: an optional skip of the next token, and any run that ends
 * with a slash.
 */
export type PatternToken =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly kind: 'run' | 'anything' | 'maybe' | 'through' }

/** A parsed line of an ignore file. */
export interface IgnorePattern {
  /** True if the pattern includes paths again that earlier patterns exclude (`!`). */
  readonly negated: boolean
  /** Text of the pattern, cleaned. */
  readonly text: string
  readonly tokens: readonly PatternToken[]
}

/**
 * Parses one pattern of a `.dockerignore` file; returns `undefined` for an empty one. The syntax, including its corner
 * cases, is that of the Go package that Docker and BuildKit use: `*` and `?` stay within a name, `**` does not, `[a-z]`
 * is a class, a backslash escapes the next character.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an unterminated class, a class with a misplaced `-` or `]` or
 * a reversed range, a trailing backslash, and a lone `!`.
 */
export function parseIgnorePattern(line: string): IgnorePattern | undefined {
  const trimmed = line.trim()
  if (trimmed === '') return undefined
  const negated = trimmed.startsWith('!')
  const rest = negated ? trimmed.slice(1).trim() : trimmed
  if (rest === '') throw bad(line, 'nothing stands behind the !')
  const text = cleaned(rest)
  return text === '.' ? undefined : { negated, text, tokens: tokensOf(text, line) }
}

/** Resolves `.` and `..`, and removes duplicate, leading and trailing slashes. */
function cleaned(pattern: string): string {
  const normal = posix.normalize(pattern).replace(/(?<=.)\/$/, '')
  return normal.length > 1 && normal.startsWith('/') ? normal.slice(1) : normal
}

function tokensOf(text: string, line: string): PatternToken[] {
  const characters = [...text]
  const tokens: PatternToken[] = []
  for (let i = 0; i < characters.length; ) {
    const character = characters[i]!
    if (character === '*') {
      const { kinds, next } = starsAt(characters, i)
      tokens.push(...kinds.map(kind => ({ kind })))
      i = next
    } else if (character === '?') {
      tokens.push({ kind: 'class', negated: true, ranges: [['/', '/']] })
      i++
    } else if (character === '[') {
      const { token, next } = classAt(characters, i, line)
      tokens.push(token)
      i = next
    } else {
      const escaped = character === '\\'
      if (escaped && i + 1 === characters.length) throw bad(line, 'a backslash at the end')
      tokens.push({ kind: 'character', character: escaped ? characters[i + 1]! : character })
      i += escaped ? 2 : 1
    }
  }
  return tokens
}

type Stars = { readonly kinds: readonly ('run' | 'anything' | 'maybe' | 'through')[]; readonly next: number }

function starsAt(characters: readonly string[], at: number): Stars {
  if (characters[at + 1] !== '*') return { kinds: ['run'], next: at + 1 }
  const slash = characters[at + 2] === '/'
  const next = at + (slash ? 3 : 2)
  if (next >= characters.length) return { kinds: ['anything'], next }
  // Docker reads `**x` at the beginning as "ends with x" if the rest has no special character, otherwise like `**/x`.
  const plainEnd = at === 0 && !slash && !/[*?[\]\\]/.test(characters.slice(next).join(''))
  return { kinds: plainEnd ? ['anything'] : ['maybe', 'through'], next }
}

function classAt(characters: readonly string[], at: number, line: string): { token: PatternToken; next: number } {
  let i = at + 1
  const negated = characters[i] === '^'
  if (negated) i++
  const ranges: [string, string][] = []
  // Docker and BuildKit use Go's filepath.Match: a literal - or ] in a class needs a backslash.
  const take = (): string => {
    if (characters[i] === '-' || characters[i] === ']') throw bad(line, `a class with a ${characters[i]} out of place`)
    if (characters[i] === '\\') i++
    const character = characters[i++]
    if (character === undefined) throw bad(line, 'a class without an end')
    return character
  }
  while (characters[i] !== ']' || ranges.length === 0) {
    const from = take()
    const ranged = characters[i] === '-'
    if (ranged) i++
    const to = ranged ? take() : from
    if (from.codePointAt(0)! > to.codePointAt(0)!) throw bad(line, 'a range that goes backwards')
    ranges.push([from, to])
  }
  return { token: { kind: 'class', negated, ranges }, next: i + 1 }
}

function bad(line: string, why: string): FormatError {
  return new FormatError('ERR_INVALID_ARGUMENT', `ignore pattern ${JSON.stringify(line.slice(0, 200))}: ${why}`)
}
