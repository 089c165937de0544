import { fstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { DigestAlgorithm } from '../../digest/index.ts'
import { HasherError } from '../../errors/index.ts'
import { withFsyncLimit } from '../../internal/concurrency/fsync-limit.ts'
import type { BlobInfo, IngestFile, IngestSink, Progress } from '../../store/index.ts'
import { WRITE_BLOCK_BYTES } from '../../store/index.ts'
import { publishBlob } from '../blobs/publish-blob.ts'
import type { DiskContext } from '../disk-context.ts'
import { asStoreError, onDisk } from '../io-error.ts'
import type { IngestPlace } from './ingest-place.ts'
import { writeIngestState } from './ingest-state.ts'
import { BLOB_MODE, readBack } from './open-data.ts'

/** Maximum bytes that a killed transfer loses; twice as many if the disk is slow. */
const LOST_AT_MOST = 16 * 1024 * 1024
/** Bytes between two checkpoints: less by the block being gathered and the one being written, which are lost too. */
const CHECKPOINT = LOST_AT_MOST - 2 * WRITE_BLOCK_BYTES
/** PERF: a sync blocks one of the four threads of Node's pool; writes and decompression must not wait for it. */
const BACKGROUND_SYNCS = 2
/** Age below which a file's time is not renewed; shorter than the margin of a lease before its start. */
const FRESH_MS = 500

/** Parts of a disk ingest. */
export interface DiskIngest {
  readonly place: IngestPlace
  readonly key: string
  readonly algorithm: DigestAlgorithm
  readonly identity: string
  readonly offset: number
}

/** Writes the bytes of one ingest to its data file, and publishes the file. */
export class DiskSink implements IngestSink {
  readonly #context: DiskContext
  readonly #ingest: DiskIngest
  #file: FileHandle | undefined
  #position: number
  #checkpointed: number
  #checkpoint: Promise<void> | undefined
  #writtenMs = 0
  /**
   * SAFETY: after a failed fsync Linux may mark pages clean that never reached the disk; a second fsync would succeed
   * and a torn blob would be published. So the ingest fails for good.
   */
  #lost: { readonly reason: unknown } | undefined

  constructor(context: DiskContext, ingest: DiskIngest, file: FileHandle) {
    this.#context = context
    this.#ingest = ingest
    this.#file = file
    this.#position = ingest.offset
    this.#checkpointed = ingest.offset
  }

  get isResumable(): boolean {
    return this.#ingest.place.state !== undefined
  }

  get file(): IngestFile | undefined {
    const file = this.#file
    return (
      file && {
        fd: file.fd,
        moved: (position, writtenMs) => {
          this.#position = position
          if (writtenMs !== undefined) this.#writtenMs = writtenMs
        },
        fault: cause => asStoreError({ act: 'write', path: this.#ingest.place.name, writes: true }, cause),
        readBack: (bytes, hashing) => readBack(file, bytes, hashing),
      }
    )
  }

  append(chunk: Uint8Array): Promise<void> {
    return this.#write(chunk)
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const left = bytes.byteLength - done
      const { bytesWritten } = await this.#onData('write', f => f.write(bytes, done, left, this.#position))
      this.#writtenMs = Date.now()
      done += bytesWritten
      this.#position += bytesWritten
    }
  }

  /**
   * PERF: Linux keeps written bytes in memory for 30 s, and a sync at the end waits for all of them: 120 ms for 256 MiB
   * on the test machine, 10 ms if they are synced every 15 MiB.
   */
  async advance(offset: number, progress: () => Promise<Progress>): Promise<void> {
    this.#assertSound()
    const { durable } = this.#context.settings
    const due = offset - this.#checkpointed
    if (due < CHECKPOINT || !(durable || this.#ingest.place.state)) return
    // The sync runs in the background; the transfer waits only if the disk is a whole interval behind.
    if (due < 2 * CHECKPOINT && (this.#checkpoint || this.#context.backgroundSyncs >= BACKGROUND_SYNCS)) return
    await this.#checkpoint
    this.#assertSound()
    this.#checkpointed = offset
    this.#context.backgroundSyncs++
    this.#checkpoint = this.#saveWhenKnown(progress).then(
      () => this.#settleCheckpoint(undefined),
      reason => this.#settleCheckpoint({ reason }),
    )
  }

  #assertSound(): void {
    if (this.#lost) throw this.#lost.reason
  }

  #settleCheckpoint(lost: { reason: unknown } | undefined): void {
    this.#checkpoint = undefined
    this.#context.backgroundSyncs--
    this.#lost ??= lost
  }

  async #saveWhenKnown(progress: () => Promise<Progress>): Promise<void> {
    const { state } = this.#ingest.place
    if (!state) return this.#syncData()
    const known = await progress().catch(unlessCrashed)
    if (known) await this.#save(state, known)
  }

  async #syncData(): Promise<void> {
    if (this.#context.settings.durable) await this.#onData('sync', f => withFsyncLimit(() => f.datasync()))
  }

  /** Syncs the bytes first, then writes the state that counts them to `path`. */
  async #save(path: string, progress: Progress): Promise<void> {
    const { place, key, algorithm, identity: file } = this.#ingest
    await this.#syncData()
    await this.#assertHeld()
    const state = { version: 1, key, algorithm, file, ...progress } as const
    await onDisk({ act: 'write', path: `${place.name}/state.json`, writes: true }, () => writeIngestState(path, state))
  }

  async publish(blob: BlobInfo, signal: AbortSignal | undefined): Promise<void> {
    await this.#checkpoint
    this.#assertSound()
    const { durable, batch } = this.#context.settings
    if (durable && !batch) await this.#onData('sync', f => withFsyncLimit(() => f.sync()))
    await this.#assertHeld()
    signal?.throwIfAborted()
    await this.#makeReadOnly()
    // The bytes may be old; the age of the blob starts with its publication.
    const now = new Date()
    if (Math.abs(now.getTime() - this.#writtenMs) > FRESH_MS) await this.#file?.utimes(now, now).catch(() => undefined)
    await this.#close()
    await publishBlob(this.#context, this.#ingest.place.data, blob)
    // The blob is stored; the sweep removes what cannot be removed now.
    await this.#ingest.place.remove().catch(() => undefined)
  }

  /** Makes the file read-only before it becomes visible; file systems without modes ignore the call. */
  async #makeReadOnly(): Promise<void> {
    await this.#onData('look at', async file => {
      // A file that was created read-only may have lost bits to the umask.
      if (!this.isResumable && (fstatSync(file.fd).mode & 0o777) === BLOB_MODE) return
      await file.chmod(BLOB_MODE).catch(() => undefined)
    })
  }

  async keep(progress: Progress | undefined): Promise<void> {
    const { place } = this.#ingest
    await this.#checkpoint
    if (!place.state || this.#lost || progress?.offset === 0) return this.drop()
    try {
      if (progress && progress.offset !== this.#checkpointed) await this.#save(place.state, progress)
    } finally {
      await this.#close().finally(() => this.#release())
    }
  }

  async drop(): Promise<void> {
    await this.#checkpoint
    await this.#close().finally(() => this.#remove())
  }

  #assertHeld(): Promise<void> {
    const { place } = this.#ingest
    return onDisk({ act: 'look at', path: place.name, writes: true }, () => place.assertHeld())
  }

  #remove(): Promise<void> {
    const { place } = this.#ingest
    return onDisk({ act: 'remove', path: place.name, writes: true }, () => place.remove())
  }

  #release(): Promise<void> {
    const { place } = this.#ingest
    return onDisk({ act: 'release', path: place.name, writes: true }, () => place.release())
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file) await onDisk({ act: 'close', path: this.#ingest.place.name, writes: true }, () => file.close())
  }

  #onData<T>(act: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
    return onDisk({ act, path: this.#ingest.place.name, writes: true }, () => work(this.#file as FileHandle))
  }
}

/** If the thread with the hash has crashed, the writer fails by itself, and progress that was saved before is kept. */
function unlessCrashed(error: unknown): undefined {
  if (!(error instanceof HasherError)) throw error
}
