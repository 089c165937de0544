import { compareNumber } from './compare-deb.ts'

const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p']
const VERSION = /^(\d+(?:\.\d+)*)([a-z])?((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/

/**
 * Compares two versions of apk: numbers, a letter, suffixes such as `_rc1`, the revision. Others are compared
 * as text.
 *
 * @see {@link https://gitlab.alpinelinux.org/alpine/apk-tools/-/blob/master/doc/apk-package.5.scd | apk-package(5)}
 */
export function compareApk(a: string, b: string): number {
  const [left, right] = [a.match(VERSION), b.match(VERSION)]
  if (!left || !right) return a < b ? -1 : a > b ? 1 : 0
  const [, numbersLeft, letterLeft = '', suffixesLeft, revisionLeft = '0'] = left
  const [, numbersRight, letterRight = '', suffixesRight, revisionRight = '0'] = right
  return (
    compareNumbers(numbersLeft!.split('.'), numbersRight!.split('.')) ||
    (letterLeft < letterRight ? -1 : letterLeft > letterRight ? 1 : 0) ||
    compareSuffixes(suffixesOf(suffixesLeft!), suffixesOf(suffixesRight!)) ||
    compareNumber(revisionLeft, revisionRight)
  )
}

/** SPEC: after the first, a number with a leading zero is compared as a fraction. */
function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i], b[i]]
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1
    const isFraction = i > 0 && (left.startsWith('0') || right.startsWith('0'))
    const order = isFraction ? (left < right ? -1 : left > right ? 1 : 0) : compareNumber(left, right)
    if (order !== 0) return order
  }
  return 0
}

function suffixesOf(text: string): (readonly [string, string])[] {
  return [...text.matchAll(/_([a-z]+)(\d*)/g)].map(([, name, number]) => [name!, number!])
}

function compareSuffixes(a: readonly (readonly [string, string])[], b: readonly (readonly [string, string])[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [[nameLeft, numberLeft], [nameRight, numberRight]] = [a[i] ?? ['', ''], b[i] ?? ['', '']]
    const order = SUFFIXES.indexOf(nameLeft) - SUFFIXES.indexOf(nameRight) || compareNumber(numberLeft, numberRight)
    if (order !== 0) return order
  }
  return 0
}
