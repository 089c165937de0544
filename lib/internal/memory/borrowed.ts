/**
 * A value in memory that its lender uses again. The value is valid until the borrower calls `release`; a value that is
 * never released stays valid. See `lib/internal/README.md`.
 */
export interface Borrowed<T> {
  readonly value: T
  /** Returns the memory to the lender; do not read `value` afterwards. Further calls do nothing. */
  readonly release: () => void
}

/** Wraps a value that its lender uses again: the first call of `release` calls `onRelease`. */
export function borrowed<T>(value: T, onRelease: () => void): Borrowed<T> {
  let released = false
  const release = () => {
    if (released) return
    released = true
    onRelease()
  }
  return { value, release }
}

/** Wraps a value that no lender uses again: `release` does nothing. */
export function owned<T>(value: T): Borrowed<T> {
  return { value, release: nothing }
}

function nothing(): void {}
