import { runJob } from './run-job.mjs'

const PROGRAMS = { hash: 'hash-loop', layer: 'plain-node-layer', pull: 'bare-pull', import: 'import' }

/** Plain Node without this library: the loops and pipelines that one would write first. */
export const bareNode = {
  name: 'bare Node',
  available: () => undefined,
  version: () => `Node ${process.version}`,
  run: (job, input) => runJob(PROGRAMS[job], input),
}
