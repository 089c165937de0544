import fc from 'fast-check'

// The same cases in every run: a build says what its change broke, not what chance found. `LAYERSTORE_SEED=random`
// looks for more, best with `LAYERSTORE_PROPERTY_RUNS`; a number repeats what a run printed.
const { LAYERSTORE_SEED: seed = '20261121' } = process.env
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })

export default fc
