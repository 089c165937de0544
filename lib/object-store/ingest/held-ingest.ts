import { randomBytes } from 'node:crypto'
import { digestOf, splitDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { createOwner, describeOwner, type Owner } from '../../internal/locks/owner.ts'
import { WaitNote } from '../../internal/locks/wait-note.ts'
import type { IngestOptions } from '../../store/index.ts'
import { ingestBusy } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { isAbandoned, type Patience } from '../objects/holder.ts'
import { jsonBytes } from '../objects/read-object.ts'
import type { Bucket } from '../s3/bucket.ts'
import { type IngestKeys, ingestKeys, readIngestRecord, type SeenIngest, type UploadState } from './ingest-record.ts'

const HEARTBEAT_MS = 60_000
/** A stopped process keeps its ingest, as on a disk: it would go on writing. */
const PATIENCE: Patience = { goneMs: 0, unknownMs: 5 * 60_000, aliveMs: Number.POSITIVE_INFINITY }
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000

/** The record of an ingest that this process writes. */
export class HeldIngest {
  readonly keys: IngestKeys
  readonly #bucket: Bucket
  readonly #key: string
  readonly #owner: Owner
  readonly #timer: NodeJS.Timeout
  #etag: string
  #state: UploadState | null
  #tail: Promise<unknown> = Promise.resolve()
  #isLost = false

  constructor(
    bucket: Bucket,
    keys: IngestKeys,
    held: { key: string; owner: Owner; etag: string; state: UploadState | null },
  ) {
    this.#bucket = bucket
    this.keys = keys
    this.#key = held.key
    this.#owner = held.owner
    this.#etag = held.etag
    this.#state = held.state
    this.#timer = setInterval(() => void this.renew().catch(() => undefined), HEARTBEAT_MS).unref()
  }

  /** The progress that was saved last. */
  get state(): UploadState | null {
    return this.#state
  }

  /** Shows other processes that this one lives. */
  renew(): Promise<void> {
    return this.#write(this.#owner, () => this.#state)
  }

  /** Saves progress. */
  save(state: UploadState | null): Promise<void> {
    return this.#write(this.#owner, () => state)
  }

  /** Lets another writer have the ingest; with `state` from there. */
  async release(state: UploadState | null = this.#state): Promise<void> {
    clearInterval(this.#timer)
    await this.#write(null, () => state)
  }

  /** Removes the record and the objects beside it. */
  async remove(): Promise<void> {
    clearInterval(this.#timer)
    await this.#tail.catch(() => undefined)
    // Another process that has taken the ingest over needs its objects.
    if (this.#isLost) return
    const { folder, record, data } = this.keys
    const keys = [record]
    // PERF: most ingests are one small request; only the larger ones have left more than their record.
    if (this.#state)
      for await (const object of this.#bucket.list(folder)) if (object.key !== data) keys.push(object.key)
    await (keys.length === 1 ? this.#bucket.delete(record) : this.#bucket.deleteMany(new Set(keys)))
  }

  #write(owner: Owner | null, stateNow: () => UploadState | null): Promise<void> {
    const done = this.#tail.then(async () => {
      const state = stateNow()
      const bytes = jsonBytes({ version: 1, key: this.#key, owner, state, nonce: nonce() })
      const result = this.#isLost ? undefined : await this.#bucket.put(this.keys.record, bytes, { ifMatch: this.#etag })
      if (!result?.stored) {
        this.#isLost = true
        const message = `another process has taken over the ingest of ${JSON.stringify(this.#key)}`
        throw new StoreError('ERR_STORE_LOCKED', message)
      }
      this.#etag = result.etag
      this.#state = state
    })
    this.#tail = done.catch(() => undefined)
    return done
  }
}

/** Acquires the ingest of a key among all processes. */
export async function holdIngest(context: ObjectContext, key: string, options: IngestOptions): Promise<HeldIngest> {
  const { bucket, settings } = context
  const keys = ingestKeys(await ingestId(key))
  const note = new WaitNote({ lock: keys.record, onEvent: settings.onEvent })
  let seen: SeenIngest | undefined
  for (let pause = FIRST_PAUSE_MS; ; ) {
    options.signal?.throwIfAborted()
    const held = await tryHold(bucket, keys, key, seen)
    if (held) {
      note.end()
      return held
    }
    seen = await readIngestRecord(bucket, keys.record, options)
    if (!seen || (await isFree(seen))) continue
    const owner = seen.record?.owner ?? undefined
    if (!options.wait) throw ingestBusy(key, describeOwner(owner))
    await note.waitFor(describeOwner(owner), owner)
    await sleep(pause, options.signal)
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
  }
}

/** PERF: the first attempt creates the record, which is all that a new ingest needs. */
async function tryHold(
  bucket: Bucket,
  keys: IngestKeys,
  key: string,
  seen: SeenIngest | undefined,
): Promise<HeldIngest | undefined> {
  if (seen && !(await isFree(seen))) return undefined
  const owner = await createOwner()
  const kept = seen?.record
  // SAFETY: two keys cannot have one SHA-256; a record of another key is damaged, and its state is not used.
  const state = kept?.key === key ? kept.state : null
  const condition = seen ? { ifMatch: seen.facts.etag } : { ifNoneMatch: true as const }
  const bytes = jsonBytes({ version: 1, key, owner, state, nonce: nonce() })
  const result = await bucket.put(keys.record, bytes, condition)
  return result.stored ? new HeldIngest(bucket, keys, { key, owner, etag: result.etag, state }) : undefined
}

/** Whether no process writes the ingest. */
export async function isFree({ record, facts }: SeenIngest): Promise<boolean> {
  return record?.owner === null || isAbandoned(record?.owner, facts, PATIENCE)
}

/** Name of the folder of an ingest. */
export async function ingestId(key: string): Promise<string> {
  return splitDigest(await digestOf(Buffer.from(key, 'utf8'))).hex
}

/** Makes each version of a record another one: an ETag of equal content would return. */
function nonce(): string {
  return randomBytes(9).toString('base64')
}
