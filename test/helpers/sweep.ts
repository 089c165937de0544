/**
 * True if long sweeps of faults, kills and sizes run in full: in CI, and with `LAYERSTORE_SWEEPS=full`. Otherwise each
 * sweep tries every kind of fault, but not at every place, so that `npm test` takes minutes.
 */
export const FULL = (process.env.LAYERSTORE_SWEEPS ?? (process.env.CI ? 'full' : 'short')) === 'full'

/** Selects the amount of work of a sweep for this run. */
export function sweep<T>(full: T, short: T): T {
  return FULL ? full : short
}

/**
 * Positions from 1 to `last`, or only `short` of them at equal distances; `turn` shifts them, so that different sweeps
 * try different positions.
 */
export function places(last: number, short: number, turn = 0): number[] {
  const all = Array.from({ length: last }, (_, i) => i + 1)
  const step = sweep(1, Math.max(1, Math.floor(last / short)))
  return all.filter(n => n % step === turn % step).slice(0, sweep(last, short))
}
