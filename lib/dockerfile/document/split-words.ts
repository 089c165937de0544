import { isSpace } from '../expansion/character-classes.ts'

/** A word and its place in the text it was split from. */
export interface PlacedWord {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Splits at blanks and ignores quotes: `"a b"` is two words. */
export function splitAtBlanks(text: string): PlacedWord[] {
  return [...text.matchAll(/[^\t\v\f\r ]+/g)].map(({ 0: word, index }) => ({
    text: word,
    start: index,
    end: index + word.length,
  }))
}

/** Splits at white space outside quotes. Quotes and escapes stay in the words. */
export function splitQuoted(text: string, escapeCharacter: string): PlacedWord[] {
  const words: PlacedWord[] = []
  for (let at = 0; at < text.length; ) {
    if (isSpace(text[at]!)) {
      at++
      continue
    }
    const { word, end } = quotedWord(text, at, escapeCharacter)
    if (word !== '') words.push({ text: word, start: at, end })
    at = end
  }
  return words
}

function quotedWord(text: string, start: number, escapeCharacter: string): { word: string; end: number } {
  let quote: string | undefined
  let at = start
  for (; at < text.length; at++) {
    const character = text[at]!
    if (quote === undefined && isSpace(character)) break
    // An escape at the very end is dropped.
    if (character === escapeCharacter && quote !== "'" && ++at === text.length) {
      return { word: text.slice(start, -1), end: at }
    }
    if (character === escapeCharacter && quote !== "'") continue
    if (character === quote) quote = undefined
    else if (quote === undefined && (character === "'" || character === '"')) quote = character
  }
  return { word: text.slice(start, at), end: at }
}
