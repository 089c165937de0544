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
  const [, numbers = '', dash, rest = ''] = text.match(/^([\d.]*)(-?)(.*)$/s)!
  // Versions of Go itself have no dash; advisories write 1.22rc1 as 1.22.0-rc.1.
  const pre = dash ? rest : rest.replace(/^(rc|beta)(?=\d)/, '$1.')
  return { numbers: numbers.split('.'), pre: pre ? pre.split('.') : [] }
}

function compareIdentifier(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const [isLeft, isRight] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isLeft && isRight) return compareNumber(a, b)
  if (isLeft !== isRight) return isLeft ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
