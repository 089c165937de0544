import { lutimesSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Makes every blob of a disk store, or the given blobs, this old. */
export function ageBlobs(directory: string, ageMs: number, digests?: readonly string[]): void {
  const when = new Date(Date.now() - ageMs)
  for (const algorithm of readdirSync(join(directory, 'blobs'))) {
    for (const hex of readdirSync(join(directory, 'blobs', algorithm))) {
      if (digests && !digests.includes(`${algorithm}:${hex}`)) continue
      lutimesSync(join(directory, 'blobs', algorithm, hex), when, when)
    }
  }
}
