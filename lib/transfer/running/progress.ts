import type { Digest } from '../../digest/index.ts'

/** News of a running transfer. */
export type TransferProgress = BlobProgress | TotalProgress | NameProgress

/** News of one blob. */
export interface BlobProgress {
  /** What the news is about. */
  readonly type: 'blob'
  /** Which blob. */
  readonly digest: Digest
  /** `start` once, `moving` now and then, and one of the others at the end. */
  readonly state: 'start' | 'moving' | 'done' | 'present' | 'mounted'
  /** Bytes of this blob that are across, resumed ones included. */
  readonly bytes: number
  /** Bytes of this blob. */
  readonly size: number
  /** Bytes of the whole transfer that are across. */
  readonly totalBytes: number
  /** Bytes that the whole transfer moves. */
  readonly totalSize: number
}

/** News of the whole transfer, now and then. */
export interface TotalProgress {
  /** What the news is about. */
  readonly type: 'total'
  /** Bytes that are across. */
  readonly bytes: number
  /** Bytes to get across. */
  readonly size: number
  /** Blobs and documents that are across. */
  readonly blobsDone: number
}

/** The end: everything is across, and the image has its name. */
export interface NameProgress {
  /** What the news is about. */
  readonly type: 'name'
  /** The name. */
  readonly name: string
  /** What it stands for now. */
  readonly digest: Digest
}

/** Receives news; must not throw. */
export type OnProgress = (event: TransferProgress) => void

/** SPEC (ours): at most ten `moving` events a second for each blob, and ten `total` events. */
const INTERVAL_MS = 100

/** Adds up what moves, and passes on as much news as is wanted. */
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

  /** Counts bytes; a negative count takes bytes back that have to be moved again. */
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
