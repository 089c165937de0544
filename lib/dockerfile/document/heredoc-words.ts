import { expandWord } from '../expansion/expand-word.ts'
import { ExpansionFault } from '../expansion/expansion-fault.ts'

/** A word that begins a here-document, such as `3<<-EOF`. */
export interface HeredocWord {
  readonly name: string
  readonly expand: boolean
  readonly chomp: boolean
  readonly fileDescriptor: number
  /** Offset in the line. */
  readonly start: number
  readonly end: number
}

const unset = () => undefined
const QUOTES = /['"]/g

/** Finds the here-document words of a logical line. The escape is always `\` here, as in BuildKit. */
export function heredocWordsIn(line: string): HeredocWord[] {
  if (!line.includes('<<')) return []
  const found: HeredocWord[] = []
  let from = 0
  for (const word of shellWords(line)) {
    const parts = parseHeredocWord(word)
    const start = Math.max(line.indexOf(word, from), from)
    from = start + word.length
    if (parts) found.push({ ...parts, start, end: from })
  }
  return found
}

/** Splits a line into words as a shell does. A line with an open quote has no here-documents. */
function shellWords(line: string): readonly string[] {
  try {
    const options = { keepQuotes: true, keepEscapes: true, keepUnset: true, heredocs: true, split: true }
    return expandWord(line, { lookup: unset, ...options }).words
  } catch (error) {
    if (error instanceof ExpansionFault) return []
    throw error
  }
}

/** Reads a word as the beginning of a here-document; `undefined` if it is none. */
export function parseHeredocWord(word: string): Omit<HeredocWord, 'start' | 'end'> | undefined {
  const match = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]+)$/.exec(word)
  if (!match) return undefined
  const [, descriptor, dash, rest] = match as unknown as [string, string, string, string]
  const name = onlyWord(rest, false)
  const written = onlyWord(rest, true)
  if (name === undefined || written === undefined) return undefined
  const expand = (name.match(QUOTES)?.length ?? 0) === (written.match(QUOTES)?.length ?? 0)
  return { name, expand, chomp: dash === '-', fileDescriptor: Math.min(Number(descriptor), Number.MAX_SAFE_INTEGER) }
}

function onlyWord(text: string, keepQuotes: boolean): string | undefined {
  try {
    const { words } = expandWord(text, { lookup: unset, keepUnset: true, keepQuotes, split: true })
    return words.length === 1 ? words[0] : undefined
  } catch (error) {
    if (error instanceof ExpansionFault) return undefined
    throw error
  }
}
