import type { IgnorePattern, PatternToken } from './ignore-pattern.ts'

/**
 * For each directory above a path, the topmost first, and then for the path itself: true if the pattern matches it.
 *
 * SAFETY: a pattern with many stars could take exponential time; as a regular expression, `*a*a*a*a*a*b` would take
 * years. This function follows all states at once, one character after the other. So the time is at most the product of
 * both lengths, for a path and all its parent directories together.
 */
export function matchLevels({ tokens }: IgnorePattern, path: string): boolean[] {
  const levels: boolean[] = []
  let here = reach(tokens, new Set([0]))
  for (const character of path) {
    if (character === '/') levels.push(here.has(tokens.length))
    const next = new Set<number>()
    for (const at of here) {
      const token = tokens[at]
      if (token) step(token, at, character, next)
    }
    if (next.size === 0) return levels
    here = reach(tokens, next)
  }
  levels.push(here.has(tokens.length))
  return levels
}

/** Adds the states that a character leads to from one token. */
function step(token: PatternToken, at: number, character: string, next: Set<number>): void {
  if (token.kind === 'character' || token.kind === 'class') {
    if (takes(token, character)) next.add(at + 1)
  } else if (token.kind === 'through') {
    next.add(at)
    if (character === '/') next.add(at + 1)
  } else if (token.kind === 'anything' || (token.kind === 'run' && character !== '/')) {
    next.add(at)
  }
}

function takes(token: Extract<PatternToken, { kind: 'character' | 'class' }>, character: string): boolean {
  if (token.kind === 'character') return token.character === character
  const code = character.codePointAt(0)!
  const inside = token.ranges.some(([from, to]) => code >= from.codePointAt(0)! && code <= to.codePointAt(0)!)
  return inside !== token.negated
}

/** Adds the states that need no character. */
function reach(tokens: readonly PatternToken[], places: Set<number>): Set<number> {
  // The loop also visits members that are added to the set during the loop.
  for (const at of places) {
    const kind = tokens[at]?.kind
    if (kind === 'run' || kind === 'anything' || kind === 'maybe') places.add(at + 1)
    if (kind === 'maybe') places.add(at + 2)
  }
  return places
}
