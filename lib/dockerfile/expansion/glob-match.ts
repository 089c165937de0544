import { ExpansionFault } from './expansion-fault.ts'

/** One character of a pattern: itself, any one character (`?`), or any run of characters (`*`). */
type Token = { readonly literal: string } | 'one' | 'run'

/**
 * SAFETY: matching takes pattern length times value length. Both come from the Dockerfile, and a product of two long
 * texts would take minutes; more than this many steps are refused.
 */
const MOST_STEPS = 4_000_000

/** Removes the shortest or longest prefix that matches. */
export function trimPrefix(value: string, pattern: string, longest: boolean): string {
  const characters = [...value]
  const end = matchEnd(tokensOf(pattern), characters, 0, longest)
  return end === undefined ? value : characters.slice(end).join('')
}

/** Removes the shortest or longest suffix that matches. */
export function trimSuffix(value: string, pattern: string, longest: boolean): string {
  const characters = [...value].reverse()
  const end = matchEnd(tokensOf(pattern).reverse(), characters, 0, longest)
  return end === undefined ? value : characters.slice(end).reverse().join('')
}

/** Replaces the first match, or all that do not overlap. The leftmost match is the longest from its start. */
export function replaceMatches(value: string, pattern: string, replacement: string, all: boolean): string {
  const tokens = tokensOf(pattern)
  const characters = [...value]
  const starts = matchStarts(tokens, characters)
  const parts: string[] = []
  let at = 0
  let lastEnd = -1
  for (let start = 0; start <= characters.length; start++) {
    if (start < at || !starts[start]) continue
    const end = matchEnd(tokens, characters, start, true)!
    // Go ignores an empty match that abuts the match before it.
    if (end === start && start === lastEnd) continue
    parts.push(characters.slice(at, start).join(''), replacement)
    at = end
    lastEnd = end
    if (!all) break
  }
  return parts.join('') + characters.slice(at).join('')
}

/** Parses a pattern. `[` has no meaning; a backslash may stand before `*`, `?`, `\`, `}` and `/` only. */
function tokensOf(pattern: string): Token[] {
  const characters = [...pattern]
  const tokens: Token[] = []
  for (let i = 0; i < characters.length; i++) {
    let character = characters[i]!
    if (character === '*') tokens.push('run')
    else if (character === '?') tokens.push('one')
    else {
      if (character === '\\') {
        character = characters[++i] ?? ''
        if (!'*?\\}/'.includes(character) || character === '')
          throw new ExpansionFault(`invalid pattern ${JSON.stringify(pattern)} in substitution: escape \\${character}`)
      }
      tokens.push({ literal: character })
    }
  }
  return tokens
}

/** For every position whether a match can start there; one pass from the end. */
function matchStarts(tokens: readonly Token[], characters: readonly string[]): boolean[] {
  assertSteps(tokens, characters)
  const starts: boolean[] = new Array(characters.length + 1)
  // after[i]: whether tokens from i on match at the next position; here[i] the same for this position.
  let after = new Uint8Array(tokens.length + 1)
  for (let at = characters.length; at >= 0; at--) {
    const here = new Uint8Array(tokens.length + 1)
    here[tokens.length] = 1
    for (let i = tokens.length - 1; i >= 0; i--) {
      const token = tokens[i]!
      const character = characters[at]
      if (token === 'run') here[i] = here[i + 1] || (accepts(token, character) ? after[i]! : 0)
      else here[i] = accepts(token, character) ? after[i + 1]! : 0
    }
    starts[at] = here[0] === 1
    after = here
  }
  return starts
}

/** End of the shortest or longest match from a start; `undefined` if there is none. */
function matchEnd(
  tokens: readonly Token[],
  characters: readonly string[],
  start: number,
  longest: boolean,
): number | undefined {
  assertSteps(tokens, characters)
  let states = reach(tokens, new Uint8Array(tokens.length + 1).fill(1, 0, 1))
  let found: number | undefined
  for (let at = start; ; at++) {
    if (states[tokens.length]) {
      found = at
      if (!longest) return found
    }
    if (at === characters.length || !states.includes(1)) return found
    const next = new Uint8Array(tokens.length + 1)
    for (let i = 0; i < tokens.length; i++) {
      if (states[i] && accepts(tokens[i]!, characters[at])) next[tokens[i] === 'run' ? i : i + 1] = 1
    }
    states = reach(tokens, next)
  }
}

/** Adds the states behind runs, which may be empty. */
function reach(tokens: readonly Token[], states: Uint8Array): Uint8Array {
  for (let i = 0; i < tokens.length; i++) if (states[i] && tokens[i] === 'run') states[i + 1] = 1
  return states
}

/** Runs and single characters do not match a line feed. */
function accepts(token: Token, character: string | undefined): boolean {
  if (character === undefined) return false
  return typeof token === 'string' ? character !== '\n' : token.literal === character
}

function assertSteps(tokens: readonly Token[], characters: readonly string[]): void {
  if ((tokens.length + 1) * (characters.length + 1) > MOST_STEPS)
    throw new ExpansionFault('the pattern and the value of a substitution are too long together')
}
