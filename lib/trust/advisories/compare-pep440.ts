import { compareNumber } from './compare-deb.ts'

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|rc|a|b|c)[-_.]?(\d*))?((?:-\d+)|(?:[-_.]?(?:post|rev|r)[-_.]?\d*))?([-_.]?dev[-_.]?\d*)?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/
/** Order of pre-releases; development releases of a final one are before them, final ones after. */
const STAGES: Record<string, number> = { a: 1, alpha: 1, b: 2, beta: 2, c: 3, rc: 3, pre: 3, preview: 3 }
const [DEVELOPMENT, FINAL] = [0, 4]

/**
 * Compares two versions of Python distributions. Others than those of the specification are compared as text.
 *
 * @see {@link https://packaging.python.org/en/latest/specifications/version-specifiers/ | version specifiers (PEP 440)}
 */
export function comparePep440(a: string, b: string): number {
  const [left, right] = [keyOf(a), keyOf(b)]
  if (!left || !right) return a < b ? -1 : a > b ? 1 : 0
  return (
    compareNumber(left.epoch, right.epoch) ||
    compareLists(left.release, right.release, '0') ||
    left.stage - right.stage ||
    compareNumber(left.pre, right.pre) ||
    left.post - right.post ||
    compareDev(left.dev, right.dev) ||
    compareLists(left.local, right.local)
  )
}

function keyOf(version: string) {
  const match = version.trim().toLowerCase().match(VERSION)
  if (!match) return undefined
  const [, epoch = '0', release, stage, pre = '', post, dev, local = ''] = match
  const isOnlyDev = dev !== undefined && stage === undefined && post === undefined
  return {
    epoch,
    release: release!.split('.'),
    stage: stage ? STAGES[stage]! : isOnlyDev ? DEVELOPMENT : FINAL,
    pre,
    post: post === undefined ? -1 : Number(post.replace(/\D/g, '') || 0),
    dev: dev === undefined ? Number.POSITIVE_INFINITY : Number(dev.replace(/\D/g, '') || 0),
    local: local ? local.split(/[-_.]/) : [],
  }
}

/** Compares numbers and words; a number is after a word, and a longer list after its beginning. */
function compareLists(a: readonly string[], b: readonly string[], missing?: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i] ?? missing, b[i] ?? missing]
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1
    const [isLeft, isRight] = [/^\d+$/.test(left), /^\d+$/.test(right)]
    if (isLeft !== isRight) return isLeft ? 1 : -1
    const order = isLeft ? compareNumber(left, right) : left < right ? -1 : left > right ? 1 : 0
    if (order !== 0) return order
  }
  return 0
}

/** No development release is the latest; two infinities have no difference. */
function compareDev(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}
