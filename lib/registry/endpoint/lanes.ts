import type { LimitFunction } from 'p-limit'

/** What a request is about; a registry serves a bounded number of each at a time. */
export type Lane = 'download' | 'upload' | 'document'

interface Limits {
  readonly download: LimitFunction
  readonly upload: LimitFunction
  readonly reserved: LimitFunction
}

/**
 * Bounds how many requests one registry serves at a time: `concurrency` blobs in each direction, and documents
 * (manifests, tags, questions) in free places of those or in one place of their own, so that they never wait for blobs.
 *
 * Uploads and downloads are counted apart because an upload may be fed by a download from the same registry: with one
 * count, uploads could hold every place that their own sources wait for.
 */
export class Lanes {
  readonly #concurrency: number
  #limits: Promise<Limits> | undefined

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  /** Waits for a place and gives the function that frees it. Rejects with the signal's reason. */
  async enter(lane: Lane, signal: AbortSignal | undefined): Promise<() => void> {
    this.#limits ??= loadLimits(this.#concurrency)
    const limits = await this.#limits
    signal?.throwIfAborted()
    return enter(lane === 'document' ? documentLane(limits) : limits[lane], signal)
  }
}

// PERF: loading p-limit takes 3 ms, which a program that never asks a registry does not pay.
async function loadLimits(concurrency: number): Promise<Limits> {
  const { default: pLimit } = await import('p-limit')
  return { download: pLimit(concurrency), upload: pLimit(concurrency), reserved: pLimit(1) }
}

function documentLane({ download, reserved }: Limits): LimitFunction {
  return download.activeCount + download.pendingCount < download.concurrency ? download : reserved
}

function enter(limit: LimitFunction, signal: AbortSignal | undefined): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal?.reason)
    signal?.addEventListener('abort', leave, { once: true })
    void limit(() => {
      signal?.removeEventListener('abort', leave)
      // A place that comes after its taker has left is passed on at once.
      return signal?.aborted ? undefined : new Promise<void>(free => resolve(free))
    })
  })
}
