import { type AbortOptions, abortable } from '../../internal/abort.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { createOwner, describeOwner } from '../../internal/locks/owner.ts'
import { WaitNote } from '../../internal/locks/wait-note.ts'
import type { StoreEvent } from '../../store/index.ts'
import { FreshRead } from '../objects/fresh-read.ts'
import { isAbandoned, type Patience } from '../objects/holder.ts'
import { Keys } from '../objects/keys.ts'
import { jsonBytes } from '../objects/read-object.ts'
import type { ServerClock } from '../objects/server-clock.ts'
import type { Bucket } from '../s3/bucket.ts'
import {
  type AnnouncedRemovals,
  type CollectionRecord,
  LAST_REQUEST_MS,
  readCollectionRecord,
  type SeenRecord,
  type WrittenRecord,
} from './collection-record.ts'
import { RunningCollection } from './running-collection.ts'

/**
 * Silence after which a collection counts as dead. `aliveMs` holds for stopped processes: they remove nothing when they
 * go on, see {@link RunningCollection}.
 */
const PATIENCE: Patience = { goneMs: 0, unknownMs: 120_000, aliveMs: 120_000 }
/** SAFETY: a record that another program wrote must not stop all writers for longer. */
const LONGEST_WORK_MS = 120_000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

/**
 * The record in which collections announce what they remove. A process that uses a blob or sets a name writes first,
 * and then reads this record. A collection writes this record first, and then reads what processes wrote. Whatever the
 * order of their requests, at least one of the two reads what the other wrote.
 */
export class Collections {
  readonly #bucket: Bucket
  readonly #clock: ServerClock
  readonly #onEvent: ((event: StoreEvent) => void) | undefined
  readonly #fresh: FreshRead<SeenRecord | undefined>
  #generation: number | undefined
  /** The generation whose holder was first found dead, and when. */
  #dead: { readonly generation: number; readonly foundMs: number } | undefined

  constructor(bucket: Bucket, clock: ServerClock, onEvent: ((event: StoreEvent) => void) | undefined) {
    this.#bucket = bucket
    this.#clock = clock
    this.#onEvent = onEvent
    this.#fresh = new FreshRead(() => this.#read())
  }

  async #read(): Promise<SeenRecord | undefined> {
    const seen = await readCollectionRecord(this.#bucket)
    if (seen) this.#clock.note(seen.facts.serverTime)
    this.#generation = generationOf(seen)
    return seen
  }

  /** Generation of the record when it was last read; `undefined` before the first read. */
  get generation(): number | undefined {
    return this.#generation
  }

  /** Reads the record. */
  async look(): Promise<void> {
    await this.#fresh.get()
  }

  /**
   * Waits until the announced removals are done, if they concern the caller. Resolves to whether it waited: what the
   * caller wrote may be gone then. Removals that are announced after the call see what the caller wrote before it.
   */
  async settle(concerns: (batch: AnnouncedRemovals) => boolean, { signal }: AbortOptions = {}): Promise<boolean> {
    const first = await abortable(this.#fresh.get(), signal)
    return this.#settle(first, concerns, signal)
  }

  /**
   * As {@link settle}; resolves to `true` also if the record has changed since a generation, or if that is unknown: a
   * collection may have announced removals since, and have made them.
   */
  async settleSince(
    generation: number | undefined,
    concerns: (batch: AnnouncedRemovals) => boolean,
    { signal }: AbortOptions = {},
  ): Promise<boolean> {
    const first = await abortable(this.#fresh.get(), signal)
    const waited = await this.#settle(first, concerns, signal)
    return waited || generationOf(first) !== generation
  }

  async #settle(
    first: SeenRecord | undefined,
    concerns: (batch: AnnouncedRemovals) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (!first?.record.batch || !concerns(first.record.batch)) return false
    const note = new WaitNote({ lock: Keys.collection, onEvent: this.#onEvent })
    let seen: SeenRecord | undefined = first
    for (let pause = FIRST_PAUSE_MS; isSameBatch(seen, first); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const { holder } = first.record
      await note.waitFor(describeOwner(holder ?? undefined), holder ?? undefined)
      await sleep(pause, signal)
      seen = await abortable(this.#fresh.get(), signal)
      if (seen && isSameBatch(seen, first) && (await this.#isDead(seen))) {
        await this.write(seen, { holder: null, batch: null })
        seen = await this.#read()
      }
    }
    note.end()
    return true
  }

  /** Begins a collection. Waits while another one runs. */
  async begin({ signal }: AbortOptions = {}): Promise<RunningCollection> {
    const note = new WaitNote({ lock: Keys.collection, onEvent: this.#onEvent })
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted()
      const seen = await this.#read()
      if (!seen?.record.holder || (await this.#isDead(seen))) {
        const owner = await createOwner()
        const mine = await this.write(seen, { holder: owner, batch: null })
        if (mine) {
          note.end()
          return new RunningCollection((seen, change) => this.write(seen, change), mine)
        }
        continue
      }
      await note.waitFor(describeOwner(seen.record.holder), seen.record.holder)
      await sleep(pause, signal)
    }
  }

  async #isDead({ record, facts }: SeenRecord): Promise<boolean> {
    if (!(await isAbandoned(record.holder ?? undefined, facts, PATIENCE))) return false
    if (!record.batch) return true
    if (this.#dead?.generation !== record.generation) {
      this.#dead = { generation: record.generation, foundMs: performance.now() }
    }
    const workMs = Math.min(record.batch.lastRequestMs ?? LAST_REQUEST_MS, LONGEST_WORK_MS)
    return performance.now() - this.#dead.foundMs >= workMs
  }

  /** Replaces the record if it is still the one that was seen; `undefined` if another process was faster. */
  async write(
    seen: WrittenRecord | undefined,
    change: Pick<CollectionRecord, 'holder' | 'batch'>,
  ): Promise<WrittenRecord | undefined> {
    const record: CollectionRecord = { version: 1, generation: (seen?.record.generation ?? 0) + 1, ...change }
    const condition = seen ? { ifMatch: seen.facts.etag } : { ifNoneMatch: true as const }
    const result = await this.#bucket.put(Keys.collection, jsonBytes(record), condition)
    if (!result.stored) return undefined
    this.#clock.note(result.serverTime)
    return { record, facts: { etag: result.etag } }
  }

  /** Replaces a damaged record. The caller knows that it is damaged. */
  async reset(): Promise<void> {
    const record: CollectionRecord = { version: 1, generation: Date.now(), holder: null, batch: null }
    await this.#bucket.put(Keys.collection, jsonBytes(record))
  }
}

/** Without a record no collection has ever run. */
function generationOf(seen: SeenRecord | undefined): number {
  return seen?.record.generation ?? 0
}

function isSameBatch(seen: SeenRecord | undefined, first: SeenRecord): boolean {
  const { record } = seen ?? {}
  return record?.generation === first.record.generation && record.batch !== null
}
