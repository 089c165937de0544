import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, SizeMismatchError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'

/** Bytes that the streaming client may lag behind the bytes stored. */
const BEHIND_BYTES = 1024 * 1024
/**
 * Time after which a client that reads nothing is cut off: the fetch waits for it, and other clients wait for the
 * fetch.
 */
const STALL_MS = 30_000

/** Parts of a {@link BlobFlight}. */
export interface BlobFlightOptions {
  readonly store: Store
  readonly descriptor: Descriptor
  /** Streams the bytes of the blob from an offset on. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>
  /** Aborts the fetch. */
  readonly signal: AbortSignal
}

/** One fetch of a blob into the store (single-flight). It continues when the client that started it disconnects. */
export class BlobFlight {
  /** Resolves when the blob is verified and stored. */
  readonly done: Promise<void>
  /** Expected size of the blob in bytes. */
  readonly size: number
  readonly #options: BlobFlightOptions
  readonly #copy: PassThrough | undefined
  /** Resolves when the fetch has started, to whether it starts at byte 0 and can be streamed to the client. */
  readonly #begun: Promise<boolean>
  #begin!: (canReadAlong: boolean) => void
  #fail!: (error: unknown) => void

  /** `client` is the signal of the client to stream to; without it nothing is streamed. */
  constructor(options: BlobFlightOptions, client: AbortSignal | undefined) {
    this.#options = options
    this.size = options.descriptor.size
    if (client && !client.aborted) {
      const copy = new PassThrough({ highWaterMark: BEHIND_BYTES })
      // A reader of the stream gets the error. Without a reader the 'error' event must not end the process.
      copy.on('error', () => {})
      client.addEventListener('abort', () => copy.destroy(), { once: true })
      this.#copy = copy
    }
    this.#begun = new Promise((resolve, reject) => {
      this.#begin = resolve
      this.#fail = reject
    })
    this.done = this.#run()
    this.done.catch(() => {})
    this.#begun.catch(() => {})
  }

  /** Bytes for the first client, streamed while they are fetched. The stream ends only after the digest is verified. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#copy && (await this.#begun)) {
      yield* this.#copy as AsyncIterable<Uint8Array>
      return
    }
    // The store had a part of the blob or all of it: wait for the rest, then read it from the store.
    await this.done
    yield* this.#options.store.read(this.#options.descriptor.digest)
  }

  async #run(): Promise<void> {
    try {
      await this.#fetch()
      this.#copy?.end()
    } catch (error) {
      this.#fail(error)
      this.#copy?.destroy(error as Error)
      throw error
    }
  }

  /**
   * Fetches the blob. SAFETY: the part that an earlier fetch left may be damaged; every resumed fetch would then fail.
   * So a resumed fetch with a wrong result is repeated from byte 0.
   */
  async #fetch(): Promise<void> {
    const progress = { resumed: false }
    try {
      await this.#take(progress)
    } catch (error) {
      const isWrong = error instanceof DigestMismatchError || error instanceof SizeMismatchError
      if (!progress.resumed || !isWrong) throw error
      await this.#take({ resumed: true })
    }
  }

  async #take(progress: { resumed: boolean }): Promise<void> {
    const { store, descriptor, open, signal } = this.#options
    const { digest, size } = descriptor
    const { algorithm } = splitDigest(digest)
    await using writer = await store.ingest(digest, { wait: true, algorithm, size, signal })
    // The previous holder of the ingest may have committed the blob.
    if (await store.stat(digest, { signal })) {
      await writer.abort()
      this.#begin(false)
      return
    }
    if (writer.offset > 0) progress.resumed = true
    if (writer.offset > size) {
      await writer.abort()
      throw new SizeMismatchError({ expected: size, actual: writer.offset, what: `the part of blob ${digest}` })
    }
    this.#begin(!progress.resumed)
    const copy = progress.resumed ? undefined : this.#copy
    for await (const chunk of open(writer.offset)) {
      await writer.write(chunk)
      if (copy && !copy.destroyed && !copy.write(chunk)) await drained(copy, signal)
    }
    await writer.commit({ digest, size, signal })
  }
}

/** Waits until the reader drains the stream; cuts off a reader that stalls. */
async function drained(copy: PassThrough, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const stalled = setTimeout(() => copy.destroy(), STALL_MS)
  const either = AbortSignal.any([over.signal, signal])
  try {
    await Promise.race([once(copy, 'drain', { signal: either }), once(copy, 'close', { signal: either })])
  } finally {
    clearTimeout(stalled)
    over.abort()
  }
}
