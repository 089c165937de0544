import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** Digest of a file, computed by node:crypto: a check must not use the code that it checks. */
export async function sha256Of(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}
