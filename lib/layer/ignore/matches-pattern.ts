import type { IgnorePattern, PatternToken } from './ignore-pattern.ts'

/**
 * Whether a pattern matches a whole path, or a directory above it.
 *
 * SAFETY: all ways through the pattern are followed at once, one character after the other, so that the time is the
 * product of both lengths at worst, for a path and all directories above it together. As a regular expression,
 * `*a*a*a*a*a*b` would take years.
 */
export function matchesPathOrAbove({ tokens }: IgnorePattern, path: string): boolean {
  let here = reach(tokens, new Set([0]))
  for (const character of path) {
    if (character === '/' && here.has(tokens.length)) return true
    const next = new Set<number>()
    for (const at of here) {
      const token = tokens[at]
      if (token) step(token, at, character, next)
    }
    if (next.size === 0) return false
    here = reach(tokens, next)
  }
  return here.has(tokens.length)
}

/** Where a character leads from one part. */
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

/** Adds the places that are reached without a character. */
function reach(tokens: readonly PatternToken[], places: Set<number>): Set<number> {
  // A set that grows while it is walked is walked to its new end.
  for (const at of places) {
    const kind = tokens[at]?.kind
    if (kind === 'run' || kind === 'anything' || kind === 'maybe') places.add(at + 1)
    if (kind === 'maybe') places.add(at + 2)
  }
  return places
}
