/**
 * White space as Go's `unicode.IsSpace` has it. JavaScript's `\s` differs: it has U+FEFF and lacks U+0085.
 */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

/** True if the character is white space, Unicode included. */
export function isSpace(character: string): boolean {
  // PERF: most characters are printable ASCII.
  return (character <= ' ' || character >= '\u0085') && SPACE.test(character)
}

/** Removes white space at both ends. */
export function trimSpace(text: string): string {
  let end = text.length
  while (end > 0 && isSpace(text[end - 1]!)) end--
  return trimSpaceStart(text.slice(0, end))
}

/** Removes leading white space. */
export function trimSpaceStart(text: string): string {
  let start = 0
  while (start < text.length && isSpace(text[start]!)) start++
  return text.slice(start)
}

/** True for letters of all scripts. */
export function isLetter(character: string): boolean {
  return character <= 'z' ? /^[A-Za-z]$/.test(character) : /^\p{L}$/u.test(character)
}

/** True for decimal digits of all scripts. */
export function isDigit(character: string): boolean {
  return /^\p{Nd}$/u.test(character)
}
