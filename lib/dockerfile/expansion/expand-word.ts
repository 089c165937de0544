import { isDigit, isLetter, isSpace } from './character-classes.ts'
import { ExpansionFault } from './expansion-fault.ts'
import { replaceMatches, trimPrefix, trimSuffix } from './glob-match.ts'
import { LONGEST_TEXT, WordOutput } from './word-output.ts'

/** Options of an expansion. */
export interface ExpandOptions {
  /** Value of a variable; `undefined` if it is not set. */
  readonly lookup: (name: string) => string | undefined
  /** The escape character; default `\`. */
  readonly escape?: string | undefined
  /** Quotes stay in the result. */
  readonly keepQuotes?: boolean
  /** Escapes stay in the result. */
  readonly keepEscapes?: boolean
  /** Quotes are ordinary characters. */
  readonly ignoreQuotes?: boolean
  /** Variables that are not set stay as written. */
  readonly keepUnset?: boolean
  /** White space between `<<` and a word does not end the word. */
  readonly heredocs?: boolean
  /** The result is split into words too. */
  readonly split?: boolean
  /** Longest result; default 256 KiB. The kernel allows 128 KiB for a variable. */
  readonly limit?: number
}

/** Result of an expansion. */
export interface Expanded {
  readonly text: string
  /** The result split at white space outside quotes; empty unless `split` is set. */
  readonly words: readonly string[]
  /** Names that were looked up and found. */
  readonly matched: ReadonlySet<string>
  /** Names that were looked up and are not set. */
  readonly unmatched: ReadonlySet<string>
}

/** SAFETY: `${a:-${a:-…}}` recurses; a line may hold 65,535 characters, the stack does not. */
const DEEPEST = 100

/**
 * Expands the variables of a word and removes its quotes and escapes, as BuildKit's shell lexer does.
 *
 * @throws ExpansionFault
 */
export function expandWord(source: string, options: ExpandOptions): Expanded {
  // PERF: most words hold nothing to expand.
  if (!options.split && !/[$'"\\`]/.test(source) && source.length <= LONGEST_TEXT) {
    return { text: source, words: [], matched: NONE, unmatched: NONE }
  }
  const expander = new Expander(source, options)
  const { text, words } = expander.readUntil(undefined, options.keepEscapes ?? false)
  return { text, words, matched: expander.matched, unmatched: expander.unmatched }
}

const NONE: ReadonlySet<string> = new Set()

class Expander {
  readonly matched = new Set<string>()
  readonly unmatched = new Set<string>()
  readonly #characters: readonly string[]
  readonly #options: ExpandOptions
  readonly #escape: string
  #at = 0
  #depth = 0
  #keepEscapes = false

  constructor(source: string, options: ExpandOptions) {
    this.#characters = [...source]
    this.#options = options
    this.#escape = options.escape ?? '\\'
  }

  get #next(): string | undefined {
    return this.#characters[this.#at]
  }

  /** Reads to a character that is neither quoted nor escaped, or to the end. */
  readUntil(stop: string | undefined, keepEscapes: boolean): { text: string; words: readonly string[] } {
    if (++this.#depth > DEEPEST) throw new ExpansionFault('substitutions are nested too deeply')
    const before = this.#keepEscapes
    this.#keepEscapes = keepEscapes
    const output = new WordOutput(this.#options)
    while (this.#next !== undefined && this.#next !== stop) this.#readPart(this.#next, stop, output)
    if (this.#next !== stop) throw new ExpansionFault(`missing ${stop}`)
    this.#at++
    this.#keepEscapes = before
    this.#depth--
    return output.finish()
  }

  #readPart(character: string, stop: string | undefined, output: WordOutput): void {
    const { ignoreQuotes, heredocs } = this.#options
    if (character === '$') output.add(this.#dollar())
    else if (character === "'" && !ignoreQuotes) output.addQuoted(this.#singleQuoted())
    else if (character === '"' && !ignoreQuotes) output.addQuoted(this.#doubleQuoted())
    else if (character === '<' && heredocs) output.addQuoted(this.#arrows())
    else if (character === this.#escape) {
      if (this.#keepEscapes) output.addQuoted(character)
      this.#at++
      if (this.#next !== undefined) output.addQuoted(this.#characters[this.#at++]!)
    } else {
      output.add(this.#ordinary(stop))
    }
  }

  /** Reads to the next character that may have a meaning. */
  #ordinary(stop: string | undefined): string {
    const start = this.#at++
    for (; this.#next !== undefined; this.#at++) {
      const character = this.#next
      if (character === stop || character === this.#escape || '$\'"<'.includes(character)) break
    }
    return this.#characters.slice(start, this.#at).join('')
  }

  #singleQuoted(): string {
    const end = this.#characters.indexOf("'", this.#at + 1)
    if (end < 0) throw new ExpansionFault("a single quote ' is not closed")
    const text = this.#characters.slice(this.#at + 1, end).join('')
    this.#at = end + 1
    return this.#options.keepQuotes ? `'${text}'` : text
  }

  #doubleQuoted(): string {
    const parts: string[] = []
    for (this.#at++; ; ) {
      const character = this.#next
      if (character === undefined) throw new ExpansionFault('a double quote " is not closed')
      if (character === '$') {
        parts.push(this.#dollar())
        continue
      }
      this.#at++
      if (character === '"') break
      if (character === this.#escape) parts.push(this.#escapedInQuotes())
      else parts.push(character)
    }
    const text = parts.join('')
    return this.#options.keepQuotes ? `"${text}"` : text
  }

  /** In double quotes an escape has a meaning only before `"`, `$` and itself; otherwise both characters stay. */
  #escapedInQuotes(): string {
    const kept = this.#keepEscapes ? this.#escape : ''
    const following = this.#next
    if (following === undefined) return kept
    if (following !== '"' && following !== '$' && following !== this.#escape) return kept + this.#escape
    this.#at++
    return kept + following
  }

  /** Reads `<`, or `<<` with the white space behind it. */
  #arrows(): string {
    const start = this.#at++
    if (this.#next !== '<') return '<'
    this.#at++
    while (this.#next !== undefined && isSpace(this.#next)) this.#at++
    return this.#characters.slice(start, this.#at).join('')
  }

  #dollar(): string {
    this.#at++
    if (this.#next === '{') return this.#braced()
    const name = this.#name()
    if (name === '') return '$'
    const value = this.#lookup(name)
    return value === undefined && this.#options.keepUnset ? `$${name}` : (value ?? '')
  }

  #braced(): string {
    this.#at++
    if (this.#next === undefined) throw new ExpansionFault('missing } of ${')
    if (this.#next === '{' || this.#next === '}' || this.#next === ':') {
      throw new ExpansionFault(`bad substitution \${${this.#next}`)
    }
    const name = this.#name()
    const operator = this.#characters[this.#at++]
    if (operator === '}') {
      const value = this.#lookup(name)
      return value === undefined && this.#options.keepUnset ? `\${${name}}` : (value ?? '')
    }
    if (operator === '/') return this.#replaced(name)
    const withColon = operator === ':'
    const kind = withColon ? this.#characters[this.#at++] : operator
    if (kind === undefined) throw new ExpansionFault('missing } of ${')
    return this.#operated(name, kind, withColon)
  }

  #operated(name: string, kind: string, emptyIsUnset: boolean): string {
    const shown = `${emptyIsUnset ? ':' : ''}${kind}`
    if (!'-+?#%'.includes(kind)) throw new ExpansionFault(`unsupported modifier ${shown} in substitution of ${name}`)
    const word = this.readUntil('}', kind === '#' || kind === '%').text
    const value = this.#lookup(name)
    if (value === undefined && this.#options.keepUnset) return `\${${name}${shown}${word}}`
    const absent = value === undefined || (emptyIsUnset && value === '')
    if (kind === '-') return absent ? word : value
    if (kind === '+') return absent ? '' : word
    if (kind === '?') {
      if (!absent) return value
      throw new ExpansionFault(`${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`)
    }
    const longest = word.startsWith(kind)
    const pattern = longest ? word.slice(1) : word
    return kind === '#' ? trimPrefix(value ?? '', pattern, longest) : trimSuffix(value ?? '', pattern, longest)
  }

  #replaced(name: string): string {
    const all = this.#next === '/'
    if (all) this.#at++
    const pattern = this.readUntil('/', true).text
    const replacement = this.readUntil('}', true).text
    const value = this.#lookup(name)
    if (value === undefined && this.#options.keepUnset) return `\${${name}${all ? '//' : '/'}${pattern}/${replacement}}`
    return replaceMatches(value ?? '', pattern, replacement, all)
  }

  /** Reads a name: letters, digits and `_`; only digits after a first digit; or one special parameter. */
  #name(): string {
    const start = this.#at
    const first = this.#next
    if (first === undefined) return ''
    if (isDigit(first)) while (this.#next !== undefined && isDigit(this.#next)) this.#at++
    else if ('@*#?-$!'.includes(first)) this.#at++
    else
      while (this.#next !== undefined && (isLetter(this.#next) || isDigit(this.#next) || this.#next === '_')) this.#at++
    return this.#characters.slice(start, this.#at).join('')
  }

  #lookup(name: string): string | undefined {
    const value = this.#options.lookup(name)
    ;(value === undefined ? this.unmatched : this.matched).add(name)
    return value
  }
}
