import type { Socket } from 'node:net'
import { Condition } from '../../internal/concurrency/condition.ts'
import { BodyRing } from './body-ring.ts'
import type { BodySource } from './body-source.ts'
import { divert, type SocketReader } from './divertible-socket.ts'

/** Longest time that received bytes wait for more. */
const GATHER_MS = 20

/** A connection that node:http detached after the head of an answer. */
export interface TakenSocket {
  readonly socket: Socket
  /** Body bytes that node:http has already read. */
  readonly first: readonly Uint8Array[]
  /** Length of the whole body in bytes. */
  readonly length: number
}

/**
 * Body of an answer, read from a connection that belonged to node:http until the end of the head. A chunk that `take`
 * returned is borrowed until the next `take`: the ring reuses its memory.
 *
 * The body reads exactly the announced number of bytes and nothing else, then closes the connection.
 */
export class TakenBody implements BodySource, SocketReader {
  readonly #socket: Socket
  readonly #ring = new BodyRing()
  /** Bytes not received yet. */
  #left: number
  #stopped = false
  #end: { readonly error?: Error } | undefined
  readonly #changed = new Condition()
  #timer: NodeJS.Timeout | undefined

  constructor({ socket, first, length }: TakenSocket) {
    this.#socket = socket
    this.#left = length
    const broken = () => this.fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
    socket.on('error', error => this.fail(error))
    socket.once('end', broken).once('close', broken)
    divert(socket, this)
    for (const bytes of first) this.took(bytes)
    if (!this.#stopped) socket.read(0)
  }

  room(): Uint8Array {
    return this.#end ? new Uint8Array(1) : this.#ring.room(this.#left)
  }

  took(memory: Uint8Array): boolean {
    if (this.#end) return false
    // SAFETY: without room in the ring, these bytes may have overwritten a chunk that the caller reads. The body fails,
    // so that such a chunk is never taken for correct.
    if (this.#stopped) this.fail(new Error('bytes came from a connection that was not to be read'))
    const bytes = memory.byteLength > this.#left ? memory.subarray(0, this.#left) : memory
    this.#ring.took(bytes)
    this.#left -= bytes.byteLength
    if (this.#left === 0) this.#finish({})
    this.#stopped = this.#left === 0 || !this.#ring.hasRoom
    if (this.#canTake()) this.#notify()
    else this.#notifySoon()
    return !this.#stopped
  }

  async take(): Promise<Uint8Array | undefined> {
    this.#ring.releaseGiven()
    if (this.#stopped && !this.#end && this.#ring.hasRoom) {
      this.#stopped = false
      // NODE: `resume` would read once more in a later turn, even if the ring is full by then; `read(0)` reads now.
      this.#socket.read(0)
    }
    if (!this.#canTake()) await this.#waitForMore()
    if (this.#ring.waiting > 0) return this.#ring.give()
    if (this.#end?.error) throw this.#end.error
    return undefined
  }

  #canTake(): boolean {
    return this.#end !== undefined || this.#ring.missing <= 0
  }

  #waitForMore(): Promise<void> {
    const changed = this.#changed.wait()
    this.#notifySoon()
    return changed
  }

  /** PERF: waits a moment for small reads to add up, since every chunk passes through all later steps. */
  #notifySoon(): void {
    if (this.#changed.isAwaited && this.#ring.waiting > 0) this.#timer ??= setTimeout(() => this.#notify(), GATHER_MS)
  }

  #notify(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#changed.notify()
  }

  fail(error: Error): void {
    this.#finish({ error })
  }

  #finish(end: { readonly error?: Error }): void {
    if (this.#end) return
    this.#end = end
    this.#stopped = true
    // SAFETY: `destroy` may take effect in a later turn, after the ring went to another body. `pause` stops reads into
    // it now.
    this.#socket.pause()
    this.#socket.destroy()
    this.#notify()
  }

  close(): void {
    this.fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    this.#ring.release()
  }
}
