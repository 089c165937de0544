import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import type { BlobInfo } from '../../store/index.ts'

/** A lease of a server may last as long as the server. */
const MOST_BLOBS = 10_000

/** Facts of a blob, or `absent`; `undefined` if nothing is known. */
export type KnownBlob = BlobInfo | 'absent' | undefined

/**
 * Blobs that were found or stored while one lease was held. They stay, so the service need not be asked again.
 *
 * SAFETY: while a process is suspended, its lease may expire, and a collection may remove the blobs. So nothing is
 * known any more if the lease was not renewed for half of its time, by the clock that stops while a machine sleeps and
 * by the one that does not.
 */
export class LeasedBlobs {
  readonly #expiresInMs: number
  readonly #known = new LRUCache<Digest, BlobInfo | 'absent'>({ max: MOST_BLOBS })
  #renewed: readonly [runningMs: number, wallMs: number] | undefined

  constructor(expiresInMs: number) {
    this.#expiresInMs = expiresInMs
  }

  /** True if the lease was written to the bucket. */
  get isVisible(): boolean {
    return this.#renewed !== undefined
  }

  /** Notes that the lease was written, by a request that began at these times. */
  renewed(began: readonly [runningMs: number, wallMs: number]): void {
    if (!this.#isInTime()) this.#known.clear()
    this.#renewed = began
  }

  #isInTime(): boolean {
    if (!this.#renewed) return false
    const [running, wall] = timesNow()
    return Math.max(running - this.#renewed[0], wall - this.#renewed[1]) < this.#expiresInMs / 2
  }

  note(digest: Digest, blob: BlobInfo | undefined): void {
    this.#known.set(digest, blob ?? 'absent')
  }

  forget(digest: Digest): void {
    this.#known.delete(digest)
  }

  get(digest: Digest): KnownBlob {
    return this.#isInTime() ? this.#known.get(digest) : undefined
  }
}

/** The present by the two clocks of {@link LeasedBlobs}. */
export function timesNow(): readonly [runningMs: number, wallMs: number] {
  return [performance.now(), Date.now()]
}

/** Knowledge of all leases of an open store. */
export class HeldBlobs {
  readonly #leases = new Set<LeasedBlobs>()

  add(lease: LeasedBlobs): void {
    this.#leases.add(lease)
  }

  delete(lease: LeasedBlobs): void {
    this.#leases.delete(lease)
  }

  /** Facts of a blob that is there and stays as long as a lease is held. */
  find(digest: Digest): BlobInfo | undefined {
    for (const lease of this.#leases) {
      const known = lease.get(digest)
      if (known !== undefined && known !== 'absent') return known
    }
    return undefined
  }

  /** Forgets a blob that this process removes. */
  forget(digest: Digest): void {
    for (const lease of this.#leases) lease.forget(digest)
  }

  /**
   * Call it before a blob is stored, and the function that it returns afterwards. A lease protects the blobs that are
   * stored after it became visible.
   */
  storing(): (blob: BlobInfo) => void {
    const visible = [...this.#leases].filter(lease => lease.isVisible)
    return blob => {
      for (const lease of this.#leases) {
        if (visible.includes(lease)) lease.note(blob.digest, blob)
        else lease.forget(blob.digest)
      }
    }
  }
}
