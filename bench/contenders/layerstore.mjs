import { runJob } from './run-job.mjs'

/** This library, as built in `input.library`. */
export const layerstore = {
  name: 'layerstore',
  own: true,
  available: () => undefined,
  version: () => `Node ${process.version}`,
  run: (job, input) => runJob(`layerstore-${job}`, input),
}
