import { readSync } from 'node:fs'
import { createDigester, type Digester, type LentSource, splitDigest } from '../../../digest/index.ts'
import type { TakenPiece } from './blob-messages.ts'
import { sendFault } from './sent-error.ts'

/** A lent source in the thread that reads it. Reads are synchronous, so none is running when the source closes. */
export class ReadSource {
  readonly #source: LentSource
  readonly #digester: Digester | undefined
  #isOpen = true

  /** Starts the hash of a source, if it is to be verified. */
  static async open(source: LentSource): Promise<ReadSource> {
    const { proof } = source
    const hashing = proof && { algorithm: splitDigest(proof.digest).algorithm, hasher: proof.hasher }
    return new ReadSource(source, hashing && (await createDigester(hashing)))
  }

  private constructor(source: LentSource, digester: Digester | undefined) {
    this.#source = source
    this.#digester = digester
  }

  /** Fills memory with the bytes from a position on. */
  read(memory: Uint8Array, position: number): TakenPiece {
    try {
      if (!this.#isOpen) throw new Error('the source was closed')
      const bytes = this.#fill(memory, position)
      if (bytes < memory.byteLength) return { fault: { type: 'size', actual: position + bytes } }
      return this.#prove(memory, position)
    } catch (error) {
      return { fault: { type: 'system', fault: sendFault(error) } }
    }
  }

  #fill(memory: Uint8Array, position: number): number {
    let filled = 0
    while (filled < memory.byteLength) {
      const bytes = readSync(this.#source.fd, memory, filled, memory.byteLength - filled, position + filled)
      if (bytes === 0) break
      filled += bytes
    }
    return filled
  }

  /** Hashes bytes, and compares the digest after the last ones. */
  #prove(bytes: Uint8Array, position: number): TakenPiece {
    const { proof } = this.#source
    const digester = this.#digester
    if (!proof || !digester) return {}
    if (position !== digester.bytesHashed) throw new Error(`byte ${position} after byte ${digester.bytesHashed}`)
    digester.update(bytes)
    const { size } = proof
    if (digester.bytesHashed < size) return {}
    if (this.#fill(new Uint8Array(1), size) > 0) return { fault: { type: 'size', actual: size + 1 } }
    const actual = digester.digest()
    return actual === proof.digest ? { isProven: true } : { fault: { type: 'digest', actual } }
  }

  /** Ends the use of the file. */
  close(): void {
    this.#isOpen = false
    this.#digester?.release()
  }
}
