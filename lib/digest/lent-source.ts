import type { Digest } from './digest.ts'
import type { HasherEngine } from './engine.ts'

/** Digest and size that the bytes of a lent source must have. */
export interface SourceProof {
  /** Digest of all bytes of the file. */
  readonly digest: Digest
  /** Number of bytes of the file. */
  readonly size: number
  /** Engine that computes the digest. */
  readonly hasher: HasherEngine
}

/** An open file that a worker thread reads. It can be sent to a thread. */
export interface LentSource {
  /** Number of the open descriptor, which is the same in all threads of the process. */
  readonly fd: number
  /**
   * Digest and size that the bytes must have. The thread reads them in order, from the first one, and passes the last
   * ones on only after all have matched. Absent: the thread reads any range, and verifies nothing.
   */
  readonly proof?: SourceProof | undefined
}

/** Reason why a thread did not read bytes of a lent source. */
export type LoanFault = WrongSize | WrongDigest | FailedRead

/** The file has another size. */
export interface WrongSize {
  /** Kind of the reason. */
  readonly type: 'size'
  /** A number of bytes that shows it. */
  readonly actual: number
}

/** The file has another digest. */
export interface WrongDigest {
  /** Kind of the reason. */
  readonly type: 'digest'
  /** Digest of the bytes that were read. */
  readonly actual: Digest
}

/** A read failed. */
export interface FailedRead {
  /** Kind of the reason: the operating system reported an error, or the thread has ended. */
  readonly type: 'system' | 'lost'
  /** The error. */
  readonly error: Error
}

/** A lent source, between its owner and the party that lets a thread read it. */
export class SourceLoan {
  /** The file, to be sent to the thread. */
  readonly source: LentSource
  #fault: LoanFault | undefined
  #isProven = false
  #stop: (() => Promise<void>) | undefined

  constructor(source: LentSource) {
    this.source = source
  }

  /** The first reason why bytes were not read. */
  get fault(): LoanFault | undefined {
    return this.#fault
  }

  /** Whether the thread has read all bytes, and they match the proof. */
  get isProven(): boolean {
    return this.#isProven
  }

  /**
   * Called by the borrower before a thread uses the file.
   *
   * @param stop - Resolves when no thread uses the file any more.
   */
  begin(stop: () => Promise<void>): void {
    this.#stop = stop
  }

  /** Called by the borrower when all bytes have matched the proof. */
  prove(): void {
    this.#isProven = true
  }

  /** Called by the borrower when bytes could not be read. The owner throws an error of its own for it. */
  fail(fault: LoanFault): void {
    this.#fault ??= fault
  }

  /**
   * Ends the loan. SAFETY: the owner closes the file only afterwards. Else the number of the descriptor may belong to
   * another file, whose bytes a late read would send.
   */
  async end(): Promise<void> {
    await this.#stop?.()
  }
}

/** Largest number of bytes of one {@link LentBytes}. */
const MOST_LENT = 1024 * 1024

let zeros: ArrayBuffer | undefined

/**
 * A chunk for bytes that a thread reads from a lent source. Only its place in the file has a meaning; its content is
 * zeros. A consumer asks for the next chunk after the thread has read these bytes.
 */
export class LentBytes extends Uint8Array {
  /** The loan of the file. */
  readonly loan: SourceLoan
  /** Offset of the first byte in the file. */
  readonly position: number

  /** Copies of parts, such as those of `slice`, are ordinary bytes. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array
  }

  /** @param length - Number of bytes, at most 1 MiB. */
  constructor(loan: SourceLoan, position: number, length: number) {
    // PERF: the system gives memory to zeros only when they are read, and nothing reads these.
    zeros ??= new ArrayBuffer(MOST_LENT)
    super(zeros, 0, length)
    this.loan = loan
    this.position = position
  }

  /** A chunk for a part of these bytes. */
  override subarray(begin?: number, end?: number): LentBytes {
    const { byteOffset, byteLength } = new Uint8Array(this.buffer, 0, this.byteLength).subarray(begin, end)
    return new LentBytes(this.loan, this.position + byteOffset, byteLength)
  }
}
