import { BuildError } from '../../errors/index.ts'

/** A part of a pattern for one name. */
type NamePart =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly kind: 'any' | 'star' }

/** A source of a COPY, cut where the first name with a wildcard begins. */
export interface SplitSource {
  /** Names without wildcards at the beginning. */
  readonly literal: readonly string[]
  /** The names from the first wildcard on; empty if there is none. */
  readonly pattern: readonly string[]
}

/** Cuts the names of a source path where the first wildcard is. */
export function splitWildcards(names: readonly string[]): SplitSource {
  const first = names.findIndex(hasWildcard)
  return first < 0 ? { literal: names, pattern: [] } : { literal: names.slice(0, first), pattern: names.slice(first) }
}

/** True if a text has a `*`, `?` or `[` without a backslash before it. */
export function hasWildcard(text: string): boolean {
  return /[*?[]/.test(text.replace(/\\./gs, ''))
}

/**
 * Compiles a pattern for one name, as Go's `filepath.Match` reads it: `*`, `?`, `[a-z]`, `[^a]`, and a backslash that
 * takes away the meaning of the next character. `**` is the same as `*`.
 *
 * @throws {@link BuildError} `ERR_BUILD_INVALID_STEP` for a malformed pattern.
 */
export function compileName(pattern: string): (name: string) => boolean {
  const parts = partsOf(pattern)
  return name => matches(parts, [...name])
}

function partsOf(pattern: string): NamePart[] {
  const characters = [...pattern]
  const parts: NamePart[] = []
  for (let i = 0; i < characters.length; ) {
    const character = characters[i]!
    if (character === '[') {
      const { part, next } = classAt(characters, i, pattern)
      parts.push(part)
      i = next
    } else if (character === '\\') {
      if (i + 1 === characters.length) throw malformed(pattern, 'a backslash at the end')
      parts.push({ kind: 'character', character: characters[i + 1]! })
      i += 2
    } else {
      const kind = character === '*' ? 'star' : character === '?' ? 'any' : undefined
      parts.push(kind ? { kind } : { kind: 'character', character })
      i++
    }
  }
  return parts
}

function classAt(characters: readonly string[], at: number, pattern: string): { part: NamePart; next: number } {
  let i = at + 1
  const negated = characters[i] === '^'
  if (negated) i++
  const ranges: [string, string][] = []
  const take = (): string => {
    if (characters[i] === '-' || characters[i] === ']') throw malformed(pattern, `a ${characters[i]} out of place`)
    if (characters[i] === '\\') i++
    const character = characters[i++]
    if (character === undefined) throw malformed(pattern, 'a class without an end')
    return character
  }
  while (characters[i] !== ']' || ranges.length === 0) {
    const from = take()
    const isRange = characters[i] === '-'
    if (isRange) i++
    ranges.push([from, isRange ? take() : from])
  }
  return { part: { kind: 'class', negated, ranges }, next: i + 1 }
}

/** PERF: goes back to the last star only, so that the time is at most the product of both lengths. */
function matches(parts: readonly NamePart[], name: readonly string[]): boolean {
  let [part, at] = [0, 0]
  let star: { readonly part: number; at: number } | undefined
  while (at < name.length) {
    const current = parts[part]
    if (current?.kind === 'star') {
      star = { part, at }
      part++
    } else if (current && takes(current, name[at]!)) {
      part++
      at++
    } else if (star) {
      star.at++
      part = star.part + 1
      at = star.at
    } else {
      return false
    }
  }
  return parts.slice(part).every(({ kind }) => kind === 'star')
}

function takes(part: NamePart, character: string): boolean {
  if (part.kind === 'any') return true
  if (part.kind === 'character') return part.character === character
  if (part.kind !== 'class') return false
  const code = character.codePointAt(0)!
  const isInside = part.ranges.some(([from, to]) => code >= from.codePointAt(0)! && code <= to.codePointAt(0)!)
  return isInside !== part.negated
}

function malformed(pattern: string, why: string): BuildError {
  return new BuildError('ERR_BUILD_INVALID_STEP', `pattern ${JSON.stringify(pattern)} of a source has ${why}`)
}
