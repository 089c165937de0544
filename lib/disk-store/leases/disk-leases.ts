import { type FileHandle, lutimes, open, rename } from 'node:fs/promises'
import { type Digest, parseDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { withFsyncLimit } from '../../internal/concurrency/fsync-limit.ts'
import { isErrno } from '../../internal/errno.ts'
import { ensureDirectory, removeFile, temporaryName } from '../../internal/link-once.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import type { DriverLease, HoldOptions, Lease, LeaseInfo, LeaseRecord, LeaseStore } from '../../store/index.ts'
import { checkHold, createLeaseRecord, HeldLeases, leaseIdOf, readOnlyLease } from '../../store/index.ts'
import { type Touched, touchBlob } from '../blobs/publish-blob.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { readLeases } from './lease-file.ts'

const HEARTBEAT_MS = 10 * 60_000
/** Tolerance for clocks that are set back a little: a lease starts this much earlier. */
const MARGIN_MS = 1000

/** Leases as files in `.layerstore/leases`, one each. */
export class DiskLeases implements LeaseStore {
  readonly #context: DiskContext
  readonly #held = new HeldLeases()

  constructor(context: DiskContext) {
    this.#context = context
  }

  async hold(options: HoldOptions = {}): Promise<Lease> {
    const hold = checkHold(options)
    options.signal?.throwIfAborted()
    this.#context.assertOpen()
    if (this.#context.settings.readOnly) return readOnlyLease(digest => this.touch(digest))
    await this.#context.prepareWrite()
    const record = await createLeaseRecord(hold, 0)
    const make = (onReleased: () => void) => new DiskLease(this.#context, record, onReleased)
    return this.#held.hold(make, { digests: hold.digests, signal: options.signal })
  }

  async touch(digest: Digest, options: AbortOptions = {}): Promise<boolean> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return (await touch(this.#context, parseDigest(digest))) !== 'gone'
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<LeaseInfo, void, undefined> {
    this.#context.assertOpen()
    for (const { holderLives: _, ...lease } of await readLeases(this.#context)) {
      options.signal?.throwIfAborted()
      yield lease
    }
  }

  /** Releases all leases that are still held. */
  close(): Promise<void> {
    return this.#held.close()
  }
}

async function touch(context: DiskContext, digest: Digest): Promise<Touched> {
  if (context.settings.readOnly) return (await context.looks.look(digest)) ? 'refused' : 'gone'
  return onDisk({ act: 'acknowledge', path: blobName(digest) }, () => touchBlob(context, digest))
}

class DiskLease implements DriverLease {
  readonly id: string
  readonly #context: DiskContext
  #record: LeaseRecord
  readonly #name: string
  readonly #onReleased: () => void
  readonly #timer: NodeJS.Timeout
  #released: Promise<void> | undefined

  constructor(context: DiskContext, record: LeaseRecord, onReleased: () => void) {
    this.id = leaseIdOf(record)
    this.#context = context
    this.#record = record
    this.#name = `.layerstore/leases/${this.id}.json`
    this.#onReleased = onReleased
    // A renewal that fails is retried at the next interval; there are many before the lease expires.
    this.#timer = setInterval(() => void this.renew().catch(() => undefined), HEARTBEAT_MS).unref()
  }

  get #path(): string {
    return this.#context.places.file(this.#name)
  }

  /** Makes the lease visible to other processes. */
  async write(): Promise<void> {
    const { places, settings } = this.#context
    await onDisk({ act: 'write', path: this.#name, writes: true }, async () => {
      await ensureDirectory(places.leases)
      const temporary = temporaryName(this.#path)
      try {
        const file = await withDescriptor(() => open(temporary, 'wx', 0o644))
        try {
          this.#record = await startingNow(this.#record, file)
          await file.writeFile(JSON.stringify(this.#record))
          // Synced before the rename: a torn lease would stop every collection after a power cut; a lost one stops
          // nothing.
          if (settings.durable) await withFsyncLimit(() => file.datasync())
        } finally {
          await file.close()
        }
        await rename(temporary, this.#path)
      } catch (error) {
        await removeFile(temporary).catch(() => undefined)
        throw error
      }
    })
  }

  async add(digest: Digest): Promise<boolean> {
    const touched = await touch(this.#context, parseDigest(digest))
    if (touched === 'refused' && !this.#record.digests.includes(digest)) {
      // The time of another user's blob cannot be changed, so the lease names the blob.
      this.#record = { ...this.#record, digests: [...this.#record.digests, digest] }
      await this.write()
    }
    return touched !== 'gone'
  }

  async renew(): Promise<void> {
    if (this.#released) return
    const now = new Date()
    try {
      await onDisk({ act: 'renew', path: this.#name, writes: true }, async () => lutimes(this.#path, now, now))
    } catch (error) {
      if (!isErrno((error as Error).cause, 'ENOENT')) throw error
      // Another process removed the lease as expired.
      await this.write()
    }
  }

  release(): Promise<void> {
    clearInterval(this.#timer)
    this.#released ??= onDisk({ act: 'remove', path: this.#name, writes: true }, async () =>
      removeFile(this.#path),
    ).finally(this.#onReleased)
    return this.#released
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}

/**
 * Sets the start of a new lease: the earlier of this machine's time (which acknowledgements use) and the file system's
 * time (which commits use).
 */
async function startingNow(lease: LeaseRecord, file: FileHandle): Promise<LeaseRecord> {
  if (lease.sinceMs > 0) return lease
  const { mtimeMs } = await file.stat()
  return { ...lease, sinceMs: Math.min(Date.now(), mtimeMs) - MARGIN_MS }
}
