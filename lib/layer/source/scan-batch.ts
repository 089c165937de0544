import type { DirectoryScan, ScanOptions, ScanState } from './directory-scan.ts'
import type { SourceStep } from './source-entry.ts'
import { type SourceFault, SourceReadFailure } from './source-fault.ts'
import type { StepColumns } from './step-columns.ts'

/**
 * Bytes and entries of one batch.
 *
 * PERF: objects in flight survive a garbage collection, and the heap grows with the survivors. 512 entries of a tree of
 * small files took 40 MB more than 64 entries, for the same processor time.
 */
const BATCH_BYTES = 512 * 1024
const BATCH_ENTRIES = 64

/** Result of one step of a scan. */
export interface ScannedBatch {
  readonly steps: readonly SourceStep[]
  /** Content of the files. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly filled: number
  readonly done: boolean
  readonly fault?: SourceFault | undefined
}

/** Input of the thread that scans. */
export interface ScanStart {
  readonly options: ScanOptions
  /** File of the package that reads extended attributes, if they are wanted. */
  readonly xattrs: string | undefined
  readonly state: ScanState
}

/** A batch as it is sent between threads. */
export interface SourceBatch {
  readonly steps: StepColumns
  readonly bytes: ArrayBuffer | undefined
  readonly done: boolean
  /** Reason why the scan ended early. The content before it is intact. */
  readonly fault?: SourceFault | undefined
}

/** Fills one batch by a scan. If the scan fails, the batch has everything before the failure, and the failure. */
export function scanBatch(scan: DirectoryScan, bytes: Uint8Array<ArrayBuffer>, entries = BATCH_ENTRIES): ScannedBatch {
  const { steps, filled, failure } = scan.fill(bytes, entries)
  return { steps, bytes, filled, done: failure !== undefined || scan.done, fault: faultOf(failure) }
}

/** Allocates memory for a batch. */
export function emptyBatch(size = BATCH_BYTES): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
}

function faultOf(failure: unknown): SourceFault | undefined {
  if (failure === undefined) return undefined
  if (failure instanceof SourceReadFailure) return failure.fault
  throw failure
}
