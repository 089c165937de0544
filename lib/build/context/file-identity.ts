import type { BigIntStats } from 'node:fs'

/**
 * Identity of a file: the exact text of {@link identityOf}, or numbers of a `stat` to compare with such a text.
 *
 * SAFETY: the times of a number have steps of a quarter of a microsecond. Only identities of settled files are kept
 * from build to build ({@link isSettled}), and a later change to such a file has a change time that is at least 100 ms
 * later.
 */
export type Identity = string | RoundedIdentity

/** Members of `Stats` that are the identity of a file. */
export interface RoundedIdentity {
  readonly dev: number
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

/**
 * Text that is equal as long as a file on disk is unchanged: device, inode, size, and both times in nanoseconds.
 *
 * SAFETY: size and modification time alone do not notice an edit that keeps the size and restores the time. Every
 * change sets the change time (`ctime`), which no program can set back, and a replaced file has another inode.
 */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  // PERF: a joined text is flat; a template keeps nine strings for each of tens of thousands of files.
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

/** True if a text of {@link identityOf}, from an offset to its end, is that of the given identity. */
export function isIdentity(text: string, from: number, identity: Identity): boolean {
  if (typeof identity === 'string') return text.length - from === identity.length && text.endsWith(identity)
  const { dev, ino, size, mtimeMs, ctimeMs } = identity
  const inoAt = text.indexOf(':', from) + 1
  const sizeAt = text.indexOf(':', inoAt) + 1
  const mtimeAt = text.indexOf(':', sizeAt) + 1
  const ctimeAt = text.indexOf(':', mtimeAt) + 1
  return (
    wholeNumber(text, inoAt, sizeAt - 1) === ino &&
    milliseconds(text, ctimeAt, text.length) === ctimeMs &&
    milliseconds(text, mtimeAt, ctimeAt - 1) === mtimeMs &&
    wholeNumber(text, sizeAt, mtimeAt - 1) === size &&
    wholeNumber(text, from, inoAt - 1) === dev
  )
}

const NANOSECOND_DIGITS = 9

/**
 * A time in nanoseconds as `Stats` has it in milliseconds.
 *
 * NODE: it computes them as seconds times 1000 plus nanoseconds divided by a million. This formula must give the same
 * number, or each unchanged file counts as changed; `file-identity.test.ts` compares both.
 */
function milliseconds(text: string, from: number, to: number): number {
  const point = Math.max(from, to - NANOSECOND_DIGITS)
  const seconds = point === from ? 0 : wholeNumber(text, from, point)
  return seconds * 1000 + wholeNumber(text, point, to) / 1e6
}

/** The number of some digits; NaN for anything else. PERF: `Number` of a part takes three times as long. */
function wholeNumber(text: string, from: number, to: number): number {
  if (from >= to) return Number.NaN
  let number = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

const ZERO = 0x30
const SECOND = 1_000_000_000n
/** Longest time between two ticks of the clock of a local file system, and twice that of one that keeps seconds. */
const FINE_MARGIN = SECOND / 10n
const COARSE_MARGIN = 2n * SECOND

/**
 * True if a later change to a file would change its identity. The change time moves in ticks: a file that was changed
 * just before it was read may be changed again in the same tick.
 *
 * @param identity - Identity of the file, whose last part is the change time.
 * @param readAt - Time at which the read began, in nanoseconds since 1970.
 */
export function isSettled(identity: string, readAt: bigint): boolean {
  const ctimeNs = BigInt(identity.slice(identity.lastIndexOf(':') + 1))
  const margin = ctimeNs % SECOND === 0n ? COARSE_MARGIN : FINE_MARGIN
  return readAt - ctimeNs > margin
}
