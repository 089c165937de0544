/** One authentication scheme that a server offers. */
export interface Challenge {
  /** Name of the scheme in lower case, e.g. `bearer`. */
  readonly scheme: string
  /** Parameters by lower-case name. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)"?/y
const UNQUOTED = /[^\s,"]*/y
const SEPARATORS = /[\s,]*/y
const EQUALS = /\s*=\s*/y

/**
 * Parses the challenges of a `WWW-Authenticate` header, or of several joined by commas. Skips malformed parts: bad
 * quoting should cause a failed login at worst.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate | RFC 9110: WWW-Authenticate}
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  const text = header ?? ''
  let position = 0
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position
    const match = pattern.exec(text)
    if (match) position += match[0].length
    return match ?? undefined
  }
  while (position < text.length) {
    take(SEPARATORS)
    const name = take(TOKEN)?.[0].toLowerCase()
    if (name === undefined) position++
    else if (challenges.length > 0 && take(EQUALS)) {
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? take(UNQUOTED)![0]
      const { parameters } = challenges.at(-1)!
      if (!parameters.has(name)) parameters.set(name, value)
    } else challenges.push({ scheme: name, parameters: new Map() })
  }
  return challenges
}
