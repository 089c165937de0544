import { SPDX_EXCEPTIONS, SPDX_LICENSES } from './spdx-licenses.ts'

/**
 * True if a licence is an SPDX expression of listed licences, or of `LicenseRef-…`. Words such as "BSD" are none, and
 * would make a document invalid.
 *
 * @see {@link https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/ | SPDX: license expressions}
 */
export function isLicenseExpression(license: string): boolean {
  const words = license.match(/[()]|[^\s()]+/g) ?? []
  let [depth, isOperandNext] = [0, true]
  for (const [i, word] of words.entries()) {
    if (word === '(' && isOperandNext) depth++
    else if (word === ')' && !isOperandNext && depth > 0) depth--
    else if (isOperandNext && (words[i - 1] === 'WITH' ? SPDX_EXCEPTIONS.has(word) : isLicense(word))) {
      isOperandNext = false
    } else if (!isOperandNext && /^(?:AND|OR)$/.test(word)) isOperandNext = true
    else if (word === 'WITH' && !isOperandNext && isLicense(words[i - 1]!) && words[i - 2] !== 'WITH') {
      isOperandNext = true
    } else return false
  }
  return depth === 0 && !isOperandNext
}

function isLicense(word: string): boolean {
  return SPDX_LICENSES.has(word.replace(/\+$/, '')) || /^LicenseRef-[A-Za-z0-9.-]+$/.test(word)
}
