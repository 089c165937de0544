import type { IncomingMessage } from 'node:http'
import { Condition } from '../../internal/concurrency/condition.ts'
import type { BodySource } from './body-source.ts'

/** Bytes held before the inbox pauses the message. */
const MOST_BYTES = 512 * 1024

/**
 * Collects the bytes of an answer from its stream. `take` returns all that have arrived since the last call.
 *
 * PERF: the stream's own iterator pauses and resumes the socket for each 64 KiB, and every later step runs once for
 * each. The inbox passes on the bytes of one turn of the event loop as one chunk.
 */
export class BodyInbox implements BodySource {
  readonly #message: IncomingMessage
  #chunks: Uint8Array[] = []
  #bytes = 0
  #end: { readonly error?: unknown } | undefined
  readonly #changed = new Condition()

  constructor(message: IncomingMessage) {
    this.#message = message
    message.once('error', error => this.#finish({ error }))
    message.once('end', () => this.#finish({}))
    message.once('close', () => this.#finish({ error: Object.assign(new Error('aborted'), { code: 'ECONNRESET' }) }))
    message.on('data', (chunk: Uint8Array) => this.#add(chunk))
    // A message that was destroyed earlier emits no further event.
    if (message.destroyed && !message.readableEnded) this.#finish({ error: message.errored ?? undefined })
  }

  async take(): Promise<Uint8Array | undefined> {
    if (this.#bytes === 0 && !this.#end) {
      await this.#changed.wait()
    }
    if (this.#bytes > 0) return this.#empty()
    if (this.#end && 'error' in this.#end) throw this.#end.error
    return undefined
  }

  fail(error: Error): void {
    this.#message.destroy(error)
  }

  close(): void {
    if (!this.#message.readableEnded) this.#message.destroy()
  }

  #empty(): Uint8Array {
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes)
    this.#chunks = []
    this.#bytes = 0
    if (this.#message.isPaused()) this.#message.resume()
    return bytes
  }

  #add(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    // `setImmediate` runs after all chunks that this turn of the event loop still delivers.
    if (this.#bytes === 0 && this.#changed.isAwaited) setImmediate(() => this.#changed.notify())
    this.#chunks.push(chunk)
    this.#bytes += chunk.byteLength
    if (this.#bytes >= MOST_BYTES) this.#message.pause()
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#end ??= end
    this.#changed.notify()
  }
}
