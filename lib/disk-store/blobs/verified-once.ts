import type { BigIntStats } from 'node:fs'
import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'

/** Remembers which files were read and verified, with their stats at that time; a changed file is verified again. */
export class VerifiedOnce {
  readonly #seen = new LRUCache<Digest, string>({ max: 10_000 })

  has(digest: Digest, stats: BigIntStats): boolean {
    return this.#seen.get(digest) === identityOf(stats)
  }

  add(digest: Digest, stats: BigIntStats): void {
    this.#seen.set(digest, identityOf(stats))
  }
}

/** The time of the last change of the inode counts too: a program may set the other time back after it wrote. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
}
