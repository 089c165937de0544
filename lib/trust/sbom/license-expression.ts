/** Identifiers joined by `AND`, `OR` and `WITH`, with parentheses. */
const WORD = /^(?:[A-Za-z0-9.-]+\+?)$/

/**
 * True if a licence has the form of an SPDX expression; words such as "BSD License" or a file name do not.
 *
 * @see {@link https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/ | SPDX: license expressions}
 */
export function isLicenseExpression(license: string): boolean {
  const words = license.replace(/[()]/g, ' ').trim().split(/\s+/)
  const isBalanced = license.split('(').length === license.split(')').length
  const isWord = (word: string) => WORD.test(word) && !/^(?:AND|OR|WITH)$/i.test(word)
  const fits = words.every((word, i) => (i % 2 === 0 ? isWord(word) : /^(?:AND|OR|WITH)$/.test(word)))
  return isBalanced && fits && words.length % 2 === 1
}
