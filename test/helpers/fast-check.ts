import fc from 'fast-check'
import { sweep } from './sweep.ts'

// By default every run tries the same cases, so that a failure shows a fault of the change. `LAYERSTORE_SEED=random`
// tries other cases, best with `LAYERSTORE_PROPERTY_RUNS`; a number repeats the cases of a printed seed.
const { LAYERSTORE_SEED: seed = '20261121', LAYERSTORE_PROPERTY_RUNS: runs } = process.env
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })
fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: cases(100) })

/** Number of cases for a property: `full`, or a quarter of it if sweeps are short. */
export function cases(full: number): number {
  return runs === undefined ? sweep(full, Math.ceil(full / 4)) : Number(runs)
}

export default fc
