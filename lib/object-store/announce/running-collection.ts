import { StoreError } from '../../errors/index.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import type { DeleteManyOptions } from '../s3/bucket.ts'
import {
  type AnnouncedRemovals,
  type CollectionRecord,
  LAST_REQUEST_MS,
  type WrittenRecord,
} from './collection-record.ts'

/** Replaces the record if it is still the given one; `undefined` if another process was faster. */
type WriteRecord = (
  seen: WrittenRecord,
  change: Pick<CollectionRecord, 'holder' | 'batch'>,
) => Promise<WrittenRecord | undefined>

/** Options of a request that removes announced objects. */
interface RemovalOptions extends DeleteManyOptions {
  readonly signal: AbortSignal
  readonly onRepeat: () => void
}

const HEARTBEAT_MS = 20_000
/** Time after an announcement in which its removals may be sent. */
const SEND_MS = 20_000
/** Time after which a request of a removal is aborted. */
const REQUEST_MS = 40_000
/** Most time from an announcement to its withdrawal. After two minutes a collection counts as ended. */
const WITHDRAW_MS = 110_000
/** A request may take that many times as long as the longest before it. */
const LONGER = 3
const PAUSE_MS = 500

/**
 * A collection that this process runs.
 *
 * SAFETY: if its record is not renewed for two minutes, the collection counts as ended, and other processes use the
 * announced objects that still exist. A later delete would remove an object in use, and S3 has no delete that depends
 * on the record. Therefore:
 *
 * 1. A delete is sent only within 20 s of the announcement, by the monotonic clock of this process.
 * 2. A request is aborted after 40 s.
 * 3. The service may still work on a request whose answer is lost. The announcement stays until the time for that is
 *    over.
 *
 * A process that was suspended for longer finds the 20 s over, and sends nothing.
 */
export class RunningCollection {
  readonly #replace: WriteRecord
  readonly #timer: NodeJS.Timeout
  #written: WrittenRecord
  #announcedMs = Number.NEGATIVE_INFINITY
  #longestMs = 0
  #tail: Promise<unknown> = Promise.resolve()

  constructor(replace: WriteRecord, written: WrittenRecord) {
    this.#replace = replace
    this.#written = written
    this.#timer = setInterval(() => void this.#renew().catch(() => undefined), HEARTBEAT_MS).unref()
  }

  /** Announces removals. The caller reads only afterwards which objects other processes use. */
  announce(batch: Pick<AnnouncedRemovals, 'blobs' | 'names'>): Promise<void> {
    return this.#inTurn(async () => {
      const announcedMs = performance.now()
      const workMs = this.#workMs()
      await this.#write(workMs > LAST_REQUEST_MS ? { ...batch, lastRequestMs: workMs } : batch)
      this.#announcedMs = announcedMs
    })
  }

  /** Withdraws the announcement: the removals are done. */
  clear(): Promise<void> {
    return this.#inTurn(() => this.#write(null))
  }

  /**
   * Runs one request that removes announced objects, with the options of that request. If the answer to a try is lost,
   * it waits until the service must have ended its work; after a failure `isDone` tells whether all objects are gone
   * before that.
   */
  async send<T>(request: (options: RemovalOptions) => Promise<T>, isDone?: () => Promise<boolean>): Promise<T> {
    this.assertInTime()
    const began = performance.now()
    let lost: 'none' | 'last' | 'earlier' = 'none'
    const onRepeat = () => {
      lost = 'earlier'
    }
    try {
      return await request({ signal: AbortSignal.timeout(REQUEST_MS), onRepeat })
    } catch (error) {
      if (lost === 'none' && mayGoOn(error)) lost = 'last'
      throw error
    } finally {
      this.#longestMs = Math.max(this.#longestMs, performance.now() - began)
      if (lost !== 'none') await this.#waitUntil(lost === 'last' ? isDone : undefined)
    }
  }

  #workMs(): number {
    return Math.max(LAST_REQUEST_MS, Math.ceil(LONGER * this.#longestMs))
  }

  async #waitUntil(isDone: (() => Promise<boolean>) | undefined): Promise<void> {
    const end = Math.min(performance.now() + this.#workMs(), this.#announcedMs + WITHDRAW_MS)
    while (performance.now() < end) {
      if (await isDone?.().catch(() => false)) return
      await sleep(PAUSE_MS)
    }
  }

  /** Throws if the time for removals is used up. */
  assertInTime(): void {
    if (performance.now() - this.#announcedMs <= SEND_MS) return
    throw new StoreError('ERR_STORE_LOCKED', 'the removals took too long after they were announced; run it again')
  }

  /** Ends the collection. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#inTurn(async () => {
      const { record } = this.#written
      // If this fails, the collection counts as ended after two minutes.
      if (record.holder) await this.#replace(this.#written, { holder: null, batch: null })
    })
  }

  /** An announcement is not renewed: it must not last longer than the removals. */
  #renew(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#written.record.batch === null) await this.#write(null)
    })
  }

  async #write(batch: AnnouncedRemovals | null): Promise<void> {
    const { holder } = this.#written.record
    const written = await this.#replace(this.#written, { holder, batch })
    if (!written) {
      const message = 'another process has taken over the collection: this one was silent too long'
      throw new StoreError('ERR_STORE_LOCKED', message)
    }
    this.#written = written
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(act)
    this.#tail = done.catch(() => undefined)
    return done
  }
}

/** Whether the service may carry out a request that ended with this error. */
function mayGoOn(error: unknown): boolean {
  const { name, retryable } = error as { name?: string; retryable?: boolean }
  return retryable === true || name === 'TimeoutError'
}
