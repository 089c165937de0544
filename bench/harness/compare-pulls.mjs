import { layerstore } from '../contenders/layerstore.mjs'
import { checkLayout } from './checks/check-layout.mjs'

/** Labels of this library's rows. */
export const [WASM, NATIVE] = ['layerstore, wasm', 'layerstore, native']

/**
 * Compares pulls of an image into a layout: this library with both hashers, and the contenders in `beside`. `prepare`
 * fills the layout before each pull.
 */
export function comparePulls(bench, { image, reference, prepare = () => {}, beside = [], input = {}, ...spec }) {
  return bench.compare({
    job: 'pull',
    plot: 'seconds',
    input: { reference, ...input },
    around: (given, run) => {
      const layout = `${given.scratch}/layout`
      prepare(layout)
      return run({ ...given, layout })
    },
    entries: [
      { label: WASM, contender: layerstore, options: { hasher: 'wasm' } },
      { label: NATIVE, contender: layerstore, options: { hasher: 'native' } },
      ...beside,
    ],
    check: (outcome, given) => checkLayout(outcome.layout, image, { named: !given.unnamed }),
    ...spec,
  })
}
