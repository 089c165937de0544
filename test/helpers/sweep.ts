/**
 * Whether long sweeps of faults, kills and sizes run in full: in CI, and with `LAYERSTORE_SWEEPS=full`. Otherwise each
 * of them meets every kind of fault, but not at every place, so that `npm test` takes a person minutes.
 */
export const FULL = (process.env.LAYERSTORE_SWEEPS ?? (process.env.CI ? 'full' : 'short')) === 'full'

/** Selects the amount of work of a sweep for this run. */
export function sweep<T>(full: T, short: T): T {
  return FULL ? full : short
}

/**
 * Positions 1 to `last`, or so few of them, evenly apart; which ones differs by `turn`, so that sweeps meet different
 * ones.
 */
export function places(last: number, short: number, turn = 0): number[] {
  const all = Array.from({ length: last }, (_, i) => i + 1)
  const step = sweep(1, Math.max(1, Math.floor(last / short)))
  return all.filter(n => n % step === turn % step).slice(0, sweep(last, short))
}
