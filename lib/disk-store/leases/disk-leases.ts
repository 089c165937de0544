import { type FileHandle, lutimes, open, rename } from 'node:fs/promises'
import { type Digest, parseDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { withFsyncLimit } from '../../internal/concurrency/fsync-limit.ts'
import { isErrno } from '../../internal/errno.ts'
import { ensureDirectory, removeFile, temporaryName } from '../../internal/link-once.ts'
import { createOwner } from '../../internal/locks/owner.ts'
import { settleAll } from '../../internal/settle-all.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import type { HoldOptions, Lease, LeaseInfo, LeaseStore } from '../../store/index.ts'
import { checkHold, readOnlyLease } from '../../store/index.ts'
import { type Touched, touchBlob } from '../blobs/publish-blob.ts'
import { lookAtBlob } from '../blobs/stat-blob-file.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { type LeaseFile, readLeases } from './lease-file.ts'

const HEARTBEAT_MS = 10 * 60_000
/** Tolerance for clocks that are set back a little: a lease starts this much earlier. */
const MARGIN_MS = 1000
/** PERF: an image of 20 blobs is acknowledged in 1 ms. */
const AT_ONCE = 32

/** Leases as files in `.layerstore/leases`, one each. */
export class DiskLeases implements LeaseStore {
  readonly #context: DiskContext
  readonly #held = new Set<Lease>()

  constructor(context: DiskContext) {
    this.#context = context
  }

  async hold(options: HoldOptions = {}): Promise<Lease> {
    const { label, expiresInMs, digests } = checkHold(options)
    options.signal?.throwIfAborted()
    this.#context.assertOpen()
    if (this.#context.settings.readOnly) return readOnlyLease(digest => this.touch(digest))
    await this.#context.prepareWrite()
    const owner = await createOwner()
    const file: LeaseFile = { version: 1, owner, label, sinceMs: 0, expiresInMs, digests }
    const lease = new DiskLease(this.#context, file, () => this.#held.delete(lease))
    this.#held.add(lease)
    try {
      await lease.write()
      for (let i = 0; i < digests.length; i += AT_ONCE) {
        options.signal?.throwIfAborted()
        // SAFETY: a collection may run while the lease is taken. The blobs are touched after the lease is visible: a
        // collection that did not see the lease finds the blob changed and keeps it.
        await settleAll(digests.slice(i, i + AT_ONCE).map(digest => lease.add(digest)))
      }
    } catch (error) {
      await lease.release().catch(() => undefined)
      throw error
    }
    return lease
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
  async close(): Promise<void> {
    await settleAll([...this.#held].map(lease => lease.release().catch(() => undefined)))
  }
}

async function touch(context: DiskContext, digest: Digest): Promise<Touched> {
  if (context.settings.readOnly) return (await lookAtBlob(context, digest)) ? 'refused' : 'gone'
  return onDisk({ act: 'acknowledge', path: blobName(digest) }, () => touchBlob(context, digest))
}

class DiskLease implements Lease {
  readonly id: string
  readonly #context: DiskContext
  #file: LeaseFile
  readonly #name: string
  readonly #onReleased: () => void
  readonly #timer: NodeJS.Timeout
  #released: Promise<void> | undefined

  constructor(context: DiskContext, file: LeaseFile, onReleased: () => void) {
    this.id = `${file.owner.pid}-${file.owner.nonce}`
    this.#context = context
    this.#file = file
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
          this.#file = await startingNow(this.#file, file)
          await file.writeFile(JSON.stringify(this.#file))
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
    if (touched === 'refused' && !this.#file.digests.includes(digest)) {
      // The time of another user's blob cannot be changed, so the lease names the blob.
      this.#file = { ...this.#file, digests: [...this.#file.digests, digest] }
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
async function startingNow(lease: LeaseFile, file: FileHandle): Promise<LeaseFile> {
  if (lease.sinceMs > 0) return lease
  const { mtimeMs } = await file.stat()
  return { ...lease, sinceMs: Math.min(Date.now(), mtimeMs) - MARGIN_MS }
}
