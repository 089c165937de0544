/**
 * Compares two versions of dpkg: negative if the first is earlier.
 *
 * @see {@link https://www.debian.org/doc/debian-policy/ch-controlfields.html#version | Debian Policy: version}
 */
export function compareDeb(a: string, b: string): number {
  const [left, right] = [splitVersion(a), splitVersion(b)]
  return (
    left.epoch - right.epoch || comparePart(left.upstream, right.upstream) || comparePart(left.revision, right.revision)
  )
}

/** Splits `epoch:upstream-revision`, the form of dpkg and of rpm. */
export function splitVersion(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = '0', rest = ''] = version.match(/^(?:(\d+):)?(.*)$/s) ?? []
  const dash = rest.lastIndexOf('-')
  return {
    epoch: Number(epoch),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  }
}

/** SPEC: words and numbers take turns; in words `~` is before the end, letters are before all other characters. */
function comparePart(a: string, b: string): number {
  let [left, right] = [a, b]
  while (left || right) {
    const [[wordLeft], [wordRight]] = [left.match(/^\D*/)!, right.match(/^\D*/)!]
    const word = compareWord(wordLeft!, wordRight!)
    if (word !== 0) return word
    left = left.slice(wordLeft!.length)
    right = right.slice(wordRight!.length)
    const [[digitsLeft], [digitsRight]] = [left.match(/^\d*/)!, right.match(/^\d*/)!]
    const number = compareNumber(digitsLeft!, digitsRight!)
    if (number !== 0) return number
    left = left.slice(digitsLeft!.length)
    right = right.slice(digitsRight!.length)
  }
  return 0
}

function compareWord(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = orderOf(a[i]) - orderOf(b[i])
    if (order !== 0) return order
  }
  return 0
}

function orderOf(character: string | undefined): number {
  if (character === undefined) return 0
  if (character === '~') return -1
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256
}

/** Compares numbers of any length. */
export function compareNumber(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0)
}
