import { compareNumber, splitVersion } from './compare-deb.ts'

const SEGMENT = /\d+|[A-Za-z]+|[~^]/g

/**
 * Compares two versions of rpm, `epoch:version-release`: negative if the first is earlier.
 *
 * @see {@link https://rpm-software-management.github.io/rpm/man/rpm-version.7 | rpm-version(7)}
 */
export function compareRpm(a: string, b: string): number {
  return splitVersion(a).epoch - splitVersion(b).epoch || compareRpmWithoutEpoch(a, b)
}

/** Compares two versions of rpm of which one does not say whether it has an epoch. */
export function compareRpmWithoutEpoch(a: string, b: string): number {
  const [left, right] = [splitVersion(a), splitVersion(b)]
  return compareSegments(left.upstream, right.upstream) || compareSegments(left.revision, right.revision)
}

/** SPEC: runs of digits and of ASCII letters are compared in turn; what separates them does not count. */
function compareSegments(a: string, b: string): number {
  const [lefts, rights] = [a.match(SEGMENT) ?? [], b.match(SEGMENT) ?? []]
  for (let i = 0; i < Math.max(lefts.length, rights.length); i++) {
    const order = compareSegment(lefts[i], rights[i])
    if (order !== 0) return order
  }
  return 0
}

function compareSegment(left: string | undefined, right: string | undefined): number {
  const rank = rankOf(left)
  if (rank !== rankOf(right)) return rank - rankOf(right)
  if (rank === NUMBER) return compareNumber(left!, right!)
  return left === right ? 0 : left! < right! ? -1 : 1
}

const NUMBER = 4

/** SPEC: `~` is before the end of a version, `^` after it; words are before numbers. */
function rankOf(segment: string | undefined): number {
  if (segment === undefined) return 1
  if (segment === '~') return 0
  if (segment === '^') return 2
  return /^\d/.test(segment) ? NUMBER : 3
}
