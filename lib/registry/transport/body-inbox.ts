import type { IncomingMessage } from 'node:http'
import { Condition } from '../../internal/concurrency/condition.ts'
import type { BodySource } from './body-source.ts'

/** Bytes held before the sender has to wait. */
const MOST_BYTES = 512 * 1024

/**
 * Takes the bytes of an answer off its stream, and hands over all that have come since it was last asked.
 *
 * PERF: the stream's own iterator stops the socket after each 64 KiB and starts it again, and everything that passes bytes
 * on does so for each of them. What came in one turn of the event loop is passed on as one piece.
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
    // A message that was destroyed before says nothing more.
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
    // Woken behind everything that this turn of the event loop still brings.
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
