import { compareNumber } from './compare-deb.ts'

/**
 * Compares two semantic versions, as npm and Go have them; a leading `v` is ignored, and so is what follows a `+`.
 *
 * @see {@link https://semver.org/#spec-item-11 | SemVer: precedence}
 */
export function compareSemver(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < 3; i++) {
    const order = compareNumber(left.numbers[i] ?? '0', right.numbers[i] ?? '0')
    if (order !== 0) return order
  }
  const [pre, other] = [left.pre, right.pre]
  if (pre.length === 0 || other.length === 0) return other.length - pre.length
  for (let i = 0; i < Math.max(pre.length, other.length); i++) {
    const order = compareIdentifier(pre[i], other[i])
    if (order !== 0) return order
  }
  return 0
}

function partsOf(version: string) {
  const text = version.replace(/^v/, '').replace(/\+.*$/s, '')
  // Versions of Go itself have no dash: 1.22rc1.
  const [, numbers = '', pre = ''] = text.match(/^([\d.]*)-?(.*)$/s)!
  return { numbers: numbers.split('.'), pre: pre ? pre.split('.') : [] }
}

function compareIdentifier(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const [isLeft, isRight] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isLeft && isRight) return compareNumber(a, b)
  if (isLeft !== isRight) return isLeft ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
