import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, SizeMismatchError } from '../../errors/index.ts'
import type { Descriptor } from '../../spec/index.ts'
import type { Store } from '../../store/index.ts'

/** What the first client may be behind what is stored. */
const BEHIND_BYTES = 1024 * 1024
/** A client that takes nothing for so long is left behind: others wait for the blob. */
const STALL_MS = 30_000

/** What is fetched, from where, and into which store. */
export interface BlobFlightOptions {
  readonly store: Store
  readonly descriptor: Descriptor
  /** Gives the bytes from an offset on. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>
  /** Stops it. */
  readonly signal: AbortSignal
}

/** One blob on its way into the store. It goes on when the client that wanted it leaves. */
export class BlobFlight {
  /** Resolves when the blob is in the store, verified. */
  readonly done: Promise<void>
  /** Bytes that the blob is to have. */
  readonly size: number
  readonly #options: BlobFlightOptions
  readonly #copy: PassThrough | undefined
  /** Whether the bytes can be read along from the first one on. */
  readonly #begun: Promise<boolean>
  #begin!: (canReadAlong: boolean) => void
  #fail!: (error: unknown) => void

  /** `client` fires when the first client has left; without it nobody reads along. */
  constructor(options: BlobFlightOptions, client: AbortSignal | undefined) {
    this.#options = options
    this.size = options.descriptor.size
    if (client && !client.aborted) {
      const copy = new PassThrough({ highWaterMark: BEHIND_BYTES })
      // Whoever reads it gets the error; if nobody does, it is no error.
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

  /** The bytes while they come, for the first client alone. The end comes only after all of them have proved right. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#copy && (await this.#begun)) {
      yield* this.#copy as AsyncIterable<Uint8Array>
      return
    }
    // A part was there already, or all of it: then there is nothing to read along.
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

  /** SAFETY: what an earlier fetch has left may be wrong; then all of it is fetched again, or no fetch would ever succeed. */
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
    // The writer that held the ingest before may have committed it.
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
      if (copy && !copy.destroyed && !copy.write(chunk)) await takenOrLeft(copy, signal)
    }
    await writer.commit({ digest, size, signal })
  }
}

/** Waits until a reader goes on; one that does not is cut off. */
async function takenOrLeft(copy: PassThrough, signal: AbortSignal): Promise<void> {
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
