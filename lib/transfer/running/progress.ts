import type { Digest } from '../../digest/index.ts'

/** Progress event of a running transfer. */
export type TransferProgress = BlobProgress | TotalProgress | NameProgress

/** Progress of one blob. */
export interface BlobProgress {
  /** Discriminant. */
  readonly type: 'blob'
  /** Digest of the blob. */
  readonly digest: Digest
  /** `start` once, `moving` repeatedly, and one of `done`, `present` and `mounted` at the end. */
  readonly state: 'start' | 'moving' | 'done' | 'present' | 'mounted'
  /** Bytes of this blob that have arrived, including resumed ones. */
  readonly bytes: number
  /** Size of this blob in bytes. */
  readonly size: number
  /** Bytes of the whole transfer that have arrived. */
  readonly totalBytes: number
  /** Bytes to move in the whole transfer. */
  readonly totalSize: number
}

/** Progress of the whole transfer. */
export interface TotalProgress {
  /** Discriminant. */
  readonly type: 'total'
  /** Bytes that have arrived. */
  readonly bytes: number
  /** Bytes to move. */
  readonly size: number
  /** Number of blobs and documents that have arrived. */
  readonly blobsDone: number
}

/** End of the transfer: everything has arrived, and the image has its name. */
export interface NameProgress {
  /** Discriminant. */
  readonly type: 'name'
  /** Name of the image at the target. */
  readonly name: string
  /** Digest that the name now refers to. */
  readonly digest: Digest
}

/** Receives progress events. It must not throw. */
export type OnProgress = (event: TransferProgress) => void

/** Minimum interval between two `moving` events of one blob, and between two `total` events. */
const INTERVAL_MS = 100

/** Sums up the moved bytes and emits the events, with the `moving` and `total` events throttled. */
export class ProgressMeter {
  readonly #report: OnProgress | undefined
  readonly #totalSize: number
  readonly #blobs = new Map<Digest, { bytes: number; reportedAt: number }>()
  #totalBytes = 0
  #blobsDone = 0
  #totalAt = Number.NEGATIVE_INFINITY

  constructor(report: OnProgress | undefined, totalSize: number) {
    this.#report = report
    this.#totalSize = totalSize
  }

  start(digest: Digest, size: number, offset: number): void {
    this.#blobs.set(digest, { bytes: offset, reportedAt: performance.now() })
    this.#totalBytes += offset
    this.#send(digest, 'start', offset, size)
  }

  /** Adds moved bytes. A negative count subtracts bytes that have to be moved again. */
  add(digest: Digest, size: number, bytes: number): void {
    const blob = this.#blobs.get(digest)
    if (!blob) return
    blob.bytes += bytes
    this.#totalBytes += bytes
    const now = performance.now()
    this.#total(now)
    if (now - blob.reportedAt < INTERVAL_MS) return
    blob.reportedAt = now
    this.#send(digest, 'moving', blob.bytes, size)
  }

  end(digest: Digest, size: number, state: 'done' | 'present' | 'mounted'): void {
    this.#totalBytes += size - (this.#blobs.get(digest)?.bytes ?? 0)
    this.#blobs.delete(digest)
    this.#blobsDone++
    this.#send(digest, state, size, size)
    this.#total(performance.now())
  }

  name(name: string, digest: Digest): void {
    this.#total(Number.POSITIVE_INFINITY)
    this.#report?.({ type: 'name', name, digest })
  }

  #total(now: number): void {
    if (now - this.#totalAt < INTERVAL_MS) return
    this.#totalAt = now
    this.#report?.({ type: 'total', bytes: this.#totalBytes, size: this.#totalSize, blobsDone: this.#blobsDone })
  }

  #send(digest: Digest, state: BlobProgress['state'], bytes: number, size: number): void {
    this.#report?.({
      type: 'blob',
      digest,
      state,
      bytes,
      size,
      totalBytes: this.#totalBytes,
      totalSize: this.#totalSize,
    })
  }
}
