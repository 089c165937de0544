import type { DigestCheckpoint } from './checkpoint.ts'
import type { Digest, DigestAlgorithm } from './digest.ts'
import type { HasherEngine } from './engine.ts'

/** Progress of a file whose bytes are hashed while they are written. */
export interface LentProgress {
  /** Number of bytes that are both in the file and in the hash. */
  readonly position: number
  /** State of the hash at the position; absent at 0, and if the engine cannot save it. */
  readonly checkpoint?: DigestCheckpoint | undefined
}

/** A file that a worker thread appends bytes to, with the hash of the bytes before them. It can be sent to a thread. */
export interface LentFile extends LentProgress {
  /** Number of the open descriptor, which is the same in all threads of the process. */
  readonly fd: number
  /** Algorithm of the hash. */
  readonly algorithm: DigestAlgorithm
  /** Engine of the hash. */
  readonly hasher: HasherEngine
}

/** State of a lent file after the thread has stopped. */
export interface ReturnedFile extends LentProgress {
  /** Digest of the bytes up to the position, for an engine that cannot save its state. */
  readonly digest?: Digest | undefined
  /** Time of the last write in milliseconds since 1970; absent if nothing was written. */
  readonly writtenMs?: number | undefined
  /** Error of the operating system that ended the writes. */
  readonly fault?: Error | undefined
  /** Error that lost the state of the hash, such as the crash of the thread. */
  readonly lost?: Error | undefined
}

/** The party that has borrowed a file. */
export interface FileBorrower {
  /** Resolves to the progress at some moment after the call. */
  progress(): Promise<LentProgress>
  /** Asks the borrower to stop soon and to return the file. */
  stop(): void
}

/** A file while it is lent. */
export interface FileLoan {
  /** The file, to be sent to the thread. */
  readonly file: LentFile
  /**
   * Returns the file; call it once. Resolves to the reason why its owner takes no more bytes; to `undefined` if it
   * does.
   *
   * SAFETY: the thread must have stopped. The owner may close the descriptor at once, and the number may then belong to
   * another file, which a late write would corrupt.
   */
  giveBack(returned: ReturnedFile): Promise<WriterRefusal | undefined>
}

/** Refusal of the owner of a file to take more bytes. */
export interface WriterRefusal {
  /** Error for the caller. */
  readonly reason: unknown
}

/** Owner of a file that can lend it to a thread, so that its bytes need not pass through the calling thread. */
export interface FileLender {
  /** Whether the file can be lent now; otherwise pass the bytes to its owner. */
  readonly canLend: boolean
  /** Lends the file. While it is lent, the owner takes only {@link TakenBytes}. */
  lend(borrower: FileBorrower): Promise<FileLoan>
}

/** Error of a source whose bytes the owner of a lent file no longer takes: the fault is not that of the source. */
export class LenderFault extends Error {
  /** Error for the caller. */
  readonly reason: unknown

  constructor(reason: unknown) {
    super('the owner of a lent file takes no more bytes')
    this.reason = reason
  }
}

/** Largest number of bytes that one {@link TakenBytes} counts. */
export const MOST_TAKEN = 1024 * 1024

let zeros: ArrayBuffer | undefined

/**
 * A chunk for bytes that a thread has already written to a lent file and hashed. Only its length has a meaning; its
 * content is zeros.
 */
export class TakenBytes extends Uint8Array {}

/**
 * Creates a chunk for a number of taken bytes, at most {@link MOST_TAKEN}.
 *
 * @example
 * ```ts
 * takenBytes(4096).byteLength // 4096
 * ```
 */
export function takenBytes(length: number): TakenBytes {
  // PERF: the system gives memory to zeros only when they are read, and nothing reads these.
  zeros ??= new ArrayBuffer(MOST_TAKEN)
  return new TakenBytes(zeros, 0, length)
}
