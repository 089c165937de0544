import { runJob } from './run-job.mjs'

/** Downloads the blobs of an image from their presigned addresses, four at a time. */
export const plainDownload = {
  name: 'plain parallel download',
  available: () => undefined,
  version: () => `Node ${process.version}`,
  run: (_, input) => runJob('plain-download', input),
}
