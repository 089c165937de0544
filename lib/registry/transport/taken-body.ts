import type { Socket } from 'node:net'
import { Condition } from '../../internal/concurrency/condition.ts'
import { BodyRing } from './body-ring.ts'
import type { BodySource } from './body-source.ts'
import { divert, type SocketReader } from './divertible-socket.ts'

/** How long bytes that have come wait for others. */
const GATHER_MS = 20

/** A connection in the middle of an answer. */
export interface TakenSocket {
  readonly socket: Socket
  /** Bytes of the body that have come. */
  readonly first: readonly Uint8Array[]
  /** Bytes of the whole body. */
  readonly length: number
}

/**
 * The body of an answer, taken off a connection that was node:http's until the end of the head. What `take` gives is the
 * caller's until it takes again: the memory is used over and over.
 *
 * Exactly so many bytes are taken as were announced, and nothing else is ever read from the connection, which is ended
 * then.
 */
export class TakenBody implements BodySource, SocketReader {
  readonly #socket: Socket
  readonly #ring = new BodyRing()
  /** Bytes that have not come. */
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
    // SAFETY: these bytes may lie over some that are being looked at.
    if (this.#stopped) this.fail(new Error('bytes came from a connection that was not to be read'))
    const bytes = memory.byteLength > this.#left ? memory.subarray(0, this.#left) : memory
    this.#ring.took(bytes)
    this.#left -= bytes.byteLength
    if (this.#left === 0) this.#finish({})
    this.#stopped = this.#left === 0 || !this.#ring.hasRoom
    if (this.#isEnough()) this.#rouse()
    else this.#rouseSoon()
    return !this.#stopped
  }

  async take(): Promise<Uint8Array | undefined> {
    this.#ring.free()
    if (this.#stopped && !this.#end && this.#ring.hasRoom) {
      this.#stopped = false
      // Not `resume`, which reads once more in a later turn, whatever has been stopped by then.
      this.#socket.read(0)
    }
    if (!this.#isEnough()) await this.#more()
    if (this.#ring.waiting > 0) return this.#ring.give()
    if (this.#end?.error) throw this.#end.error
    return undefined
  }

  #isEnough(): boolean {
    return this.#end !== undefined || this.#ring.missing <= 0
  }

  #more(): Promise<void> {
    const changed = this.#changed.wait()
    this.#rouseSoon()
    return changed
  }

  /** PERF: what comes in small pieces is gathered for a moment, since each piece passes through all that follows. */
  #rouseSoon(): void {
    if (this.#changed.isAwaited && this.#ring.waiting > 0) this.#timer ??= setTimeout(() => this.#rouse(), GATHER_MS)
  }

  #rouse(): void {
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
    // Stopped first: the connection may be closed in a later turn, and its memory is given to others.
    this.#socket.pause()
    this.#socket.destroy()
    this.#rouse()
  }

  close(): void {
    this.fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    this.#ring.release()
  }
}
