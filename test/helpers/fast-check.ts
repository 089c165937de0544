import fc from 'fast-check'
import { sweep } from './sweep.ts'

// The same cases in every run: a build says what its change broke, not what chance found. `LAYERSTORE_SEED=random`
// looks for more, best with `LAYERSTORE_PROPERTY_RUNS`; a number repeats what a run printed.
const { LAYERSTORE_SEED: seed = '20261121', LAYERSTORE_PROPERTY_RUNS: runs } = process.env
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })
fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: cases(100) })

/** How many cases of `full` a property is tried on: a quarter, where sweeps are short. */
export function cases(full: number): number {
  return runs === undefined ? sweep(full, Math.ceil(full / 4)) : Number(runs)
}

export default fc
