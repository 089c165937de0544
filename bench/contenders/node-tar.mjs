import { missingPeer, peerVersion } from '../harness/peers.mjs'
import { runJob } from './run-job.mjs'

/** node-tar, the package `tar`. No digests are computed. */
export const nodeTar = {
  name: 'node-tar',
  available: () => missingPeer('tar'),
  version: () => peerVersion('tar'),
  run: (_job, input) => runJob('node-tar-layer', input),
}
